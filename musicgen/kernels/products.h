/* Vectors and matrix products in single precision: written once, compiled for each instruction set.
 *
 * The file that includes this one defines ON(name), which puts the instruction set behind a name;
 * LANES, the floats of a vector; VECTORS, the vectors of a tile's row; and ROWS, the rows of a tile.
 *
 * A product C = A B runs over tiles of up to ROWS rows and WIDTH columns, whose sums fill the
 * registers. B is laid out in panels, in the order in which tiles read it: [k][WIDTH], with zeros
 * beyond the last column. A is read where it lies, row by row; where its columns lie together they
 * are laid out in blocks [k][row] first.
 *
 * A tile of few rows and many vectors loads less, and takes fewer instructions, for each sum than
 * one of many rows: that counts where another machine shares the core.
 *
 * An element of C is summed in the order of k, whatever the tile, the thread or their number: equal
 * inputs give equal bits.
 */

typedef float ON(vec) __attribute__((vector_size(4 * LANES)));
typedef int32_t ON(ivec) __attribute__((vector_size(4 * LANES)));
typedef uint32_t ON(uvec) __attribute__((vector_size(4 * LANES)));
typedef float ON(loose) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
#define vec ON(vec)
#define ivec ON(ivec)
#define uvec ON(uvec)
#define loose ON(loose)
#define WIDTH (VECTORS * LANES)

static ALWAYS_INLINE vec ON(load)(const float *p) { return *(const loose *)p; }

static ALWAYS_INLINE void ON(store)(float *p, vec x) { *(loose *)p = x; }

/* The first n of LANES floats, zeros behind them. */
static ALWAYS_INLINE vec ON(load_part)(const float *p, int n) {
    if (n >= LANES) return ON(load)(p);
    vec x = {0};
    memcpy(&x, p, (size_t)n * sizeof(float));
    return x;
}

static ALWAYS_INLINE void ON(store_part)(float *p, vec x, int n) {
    if (n >= LANES) ON(store)(p, x);
    else memcpy(p, &x, (size_t)n * sizeof(float));
}

/* ---- layout ------------------------------------------------------------------------------- */

#if LANES == 16
#define ZIP_LOW(a, b) SHUFFLE(ivec, a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define ZIP_HIGH(a, b) \
    SHUFFLE(ivec, a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif LANES == 8
#define ZIP_LOW(a, b) SHUFFLE(ivec, a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define ZIP_HIGH(a, b) SHUFFLE(ivec, a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define ZIP_LOW(a, b) SHUFFLE(ivec, a, b, 0, 4, 1, 5)
#define ZIP_HIGH(a, b) SHUFFLE(ivec, a, b, 2, 6, 3, 7)
#endif

/* Transpose a square: interleaving its halves moves the highest bit of the row's number to the
 * lowest bit of the column's; after log2(LANES) times all bits have changed sides. */
static ALWAYS_INLINE void ON(transpose)(vec *x) {
    vec y[LANES];
    UNROLL for (int width = 1; width < LANES; width *= 2) {
        UNROLL for (int i = 0; i < LANES / 2; i++) {
            y[2 * i] = ZIP_LOW(x[i], x[i + LANES / 2]);
            y[2 * i + 1] = ZIP_HIGH(x[i], x[i + LANES / 2]);
        }
        UNROLL for (int i = 0; i < LANES; i++) x[i] = y[i];
    }
}

/* Read a square whose rows lie `stride` apart, of which m rows of n columns exist, transposed. */
static ALWAYS_INLINE void ON(load_transposed)(vec *x, const float *p, long stride, long m, long n) {
    UNROLL for (int i = 0; i < LANES; i++) {
        x[i] = i < m ? ON(load_part)(p + i * stride, n < LANES ? (int)n : LANES) : (vec){0};
    }
    ON(transpose)(x);
}

/* Lay out a panel: K rows of its vectors, each of which begins somewhere else and has so many
 * columns; `turned` where the source holds columns. */
static void ON(pack_panel)(
    float *to, long K, const struct strips *strips, long stride, int turned
) {
    for (long k = 0; k < K && !turned; k++) {
        for (int v = 0; v < VECTORS; v++) {
            const float *from = strips->from[v] + k * stride;
            PREFETCH(from + 8 * stride);
            *(vec *)(to + k * WIDTH + v * LANES) = ON(load_part)(from, strips->n[v]);
        }
    }
    for (long k = 0; k < K && turned; k += LANES) {
        for (int v = 0; v < VECTORS; v++) {
            vec x[LANES];
            ON(load_transposed)(x, strips->from[v] + k, stride, strips->n[v], K - k);
            for (int i = 0; i < LANES && k + i < K; i++) {
                *(vec *)(to + (k + i) * WIDTH + v * LANES) = x[i];
            }
        }
    }
}

/* The vectors of a panel of n columns that lie beside each other, or `step` apart. */
static struct strips ON(beside)(const float *first, long n, long step) {
    struct strips strips;
    for (int v = 0; v < VECTORS; v++) {
        long rest = n - v * LANES;
        strips.n[v] = rest < 0 ? 0 : rest < LANES ? (int)rest : LANES;
        strips.from[v] = strips.n[v] ? first + v * step : first;
    }
    return strips;
}

/* ---- tiles -------------------------------------------------------------------------------- */

/* C (m, n) = or += A (m, K) × panel, where A's rows lie `row` apart and its columns `deep`; what is
 * wanted next is called into the cache. Where m is a constant, the sums stay in registers. */
static ALWAYS_INLINE void ON(tile)(
    const int m, long K, const float *A, long row, long deep, const float *panel, float *C,
    long stride, int n, int add, const float *soon
) {
    vec sum[ROWS][VECTORS];
    UNROLL for (int r = 0; r < m; r++) UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] = (vec){0};
#define ADD(i) { \
        vec right[VECTORS]; \
        UNROLL for (int v = 0; v < VECTORS; v++) { \
            right[v] = *(const vec *)(panel + (i) * WIDTH + v * LANES); \
        } \
        UNROLL for (int r = 0; r < m; r++) { \
            float left = A[r * row + (i) * deep]; \
            UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] += left * right[v]; \
        } \
    }
    for (; K >= 4; K -= 4, A += 4 * deep, panel += 4 * WIDTH, soon += 64) {
        UNROLL for (int i = 0; i < 4; i++) {
            PREFETCH(soon + i * 16);
            ADD(i)
        }
    }
    for (; K > 0; K--, A += deep, panel += WIDTH) ADD(0)
#undef ADD
    UNROLL for (int r = 0; r < m; r++) {
        UNROLL for (int v = 0; v < VECTORS; v++) {
            float *c = C + r * stride + v * LANES;
            int part = n - v * LANES;
            if (part <= 0) continue;
            if (add) sum[r][v] += ON(load_part)(c, part);
            ON(store_part)(c, sum[r][v], part);
        }
    }
}

/* Of rows that lie somewhere, and of laid out blocks. */
#define TILES(m) \
    static NEVER_INLINE void ON(rows_##m)(long K, const float *A, long row, const float *panel, \
                                          float *C, long stride, int n, int add, \
                                          const float *soon) { \
        ON(tile)(m, K, A, row, 1, panel, C, stride, n, add, soon); \
    } \
    static NEVER_INLINE void ON(block_##m)(long K, const float *A, long row, const float *panel, \
                                           float *C, long stride, int n, int add, \
                                           const float *soon) { \
        (void)row; \
        ON(tile)(m, K, A, 1, ROWS, panel, C, stride, n, add, soon); \
    }
TILES(1) TILES(2) TILES(3) TILES(4) TILES(5) TILES(6)
#undef TILES

typedef void (*ON(tile_function))(
    long, const float *, long, const float *, float *, long, int, int, const float *
);
static const ON(tile_function) ON(rows)[ROWS + 1] = {
    NULL, ON(rows_1), ON(rows_2), ON(rows_3), ON(rows_4), ON(rows_5), ON(rows_6)
};
static const ON(tile_function) ON(block)[ROWS + 1] = {
    NULL, ON(block_1), ON(block_2), ON(block_3), ON(block_4), ON(block_5), ON(block_6)
};

/* ---- C = A B ------------------------------------------------------------------------------- */

/* Lay out this thread's share of the rows of a turned A, K of their columns from k0 on; some at a
 * time, so that a line of A that holds several blocks is read once. */
static void ON(pack_blocks)(const struct product *p, long k0, long K, int thread, int threads) {
    long count = blocks(p->M);
    long first = count * thread / threads, last = count * (thread + 1) / threads;
    for (long near = 0; near < K; near += 16) {
        long far = near + 16 < K ? near + 16 : K;
        for (long b = first; b < last; b++) {
            long row = first_row(p->M, b), m = first_row(p->M, b + 1) - row;
            const float *A = p->A + (k0 + near) * p->A_stride + row;
            float *to = p->rows + (b * K + near) * ROWS;
            for (long k = near; k < far; k++, A += p->A_stride, to += ROWS) {
                PREFETCH(A + 16 * p->A_stride);
                for (int r = 0; r < ROWS; r++) to[r] = A[r < m ? r : 0];
            }
        }
    }
}

/* Multiply some blocks of rows by one panel, which is laid out first. */
static void ON(multiply_panel)(
    const struct product *p, long k0, long K, long column, long b, long end, float *panel
) {
    int n = p->N - column < WIDTH ? (int)(p->N - column) : WIDTH;
    long aside = p->B_turned ? p->B_stride : 1;
    const float *B = p->B + (p->B_turned ? k0 : k0 * p->B_stride) + column * aside;
    struct strips strips = ON(beside)(B, n, LANES * aside);
    ON(pack_panel)(panel, K, &strips, p->B_stride, p->B_turned);
    for (; b < end; b++) {
        long row = first_row(p->M, b), m = first_row(p->M, b + 1) - row;
        float *C = p->C + row * p->N + column;
        for (long r = 0; r < m && k0 == 0 && p->bias; r++) {
            memcpy(C + r * p->N, p->bias + column, (size_t)n * sizeof(float));
        }
        const float *A = p->A_turned ? p->rows + b * K * ROWS : p->A + row * p->A_stride + k0;
        (p->A_turned ? ON(block) : ON(rows))[m](
            K, A, p->A_stride, panel, C, p->N, n, k0 > 0 || p->bias, A + ROWS * K);
    }
}

/* The work of a thread on a product: whoever is free takes the next panel of B. */
static void ON(multiply)(void *argument, int thread, int threads) {
    const struct product *p = argument;
    float *panel = p->panels + thread * DEPTH * WIDTH;
    long panels = (p->N + WIDTH - 1) / WIDTH, count = blocks(p->M);
    long parts = panels < 4 * threads ? (4 * threads + panels - 1) / panels : 1;
    if (parts > count) parts = count;
    for (long k0 = 0; k0 < p->K; k0 += DEPTH) {
        long K = p->K - k0 < DEPTH ? p->K - k0 : DEPTH, task;
        if (p->A_turned) ON(pack_blocks)(p, k0, K, thread, threads);
        if (thread == 0) atomic_store(&pool.next, 0);
        meet(threads);
        while ((task = take()) < panels * parts) {
            long part = task % parts;
            ON(multiply_panel)(p, k0, K, task / parts * WIDTH, count * part / parts,
                               count * (part + 1) / parts, panel);
        }
        meet(threads);
    }
}
