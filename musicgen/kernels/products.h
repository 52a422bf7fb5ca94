/* Vectors and matrix products in single precision: written once, compiled for each instruction set.
 *
 * The file that includes this one defines ON(name), which puts the instruction set behind a name;
 * LANES, the floats of a vector; and ROWS, the rows of a tile.
 *
 * A product C = A B runs over tiles of up to ROWS rows and 2 LANES columns, whose sums fill the
 * registers. Both factors are laid out in the order in which tiles read them:
 *
 *   panels of B  [k][2 LANES]                 zeros beyond the last column and the last k
 *   blocks of A  [k / LANES][row][LANES]      of up to ROWS rows, zeros beyond the last k
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
#define WIDTH (2 * LANES)
#define PADDED(n) (((n) + LANES - 1) / LANES * LANES)

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

/* Lay out half a panel: K rows of n ≤ LANES columns; `turned` where the source holds columns. */
static void ON(pack_columns)(float *to, long K, const float *B, long stride, int turned, long n) {
    if (!turned) {
        for (long k = 0; k < K; k++) {
            PREFETCH(B + (k + 16) * stride);
            *(vec *)(to + k * WIDTH) = ON(load_part)(B + k * stride, n < LANES ? (int)n : LANES);
        }
        for (long k = K; k < PADDED(K); k++) *(vec *)(to + k * WIDTH) = (vec){0};
        return;
    }
    for (long k = 0; k < K; k += LANES) {
        vec x[LANES];
        ON(load_transposed)(x, B + k, stride, n, K - k);
        for (int i = 0; i < LANES; i++) *(vec *)(to + (k + i) * WIDTH) = x[i];
    }
}

/* Lay out a block: m rows of K columns; `turned` where the source holds columns. */
static void ON(pack_rows)(float *to, long K, const float *A, long stride, int turned, int m) {
    for (long k = 0; k < K; k += LANES, to += m * LANES) {
        int n = K - k < LANES ? (int)(K - k) : LANES;
        for (int r = 0; r < m; r += turned ? LANES : 1) {
            if (!turned) {
                *(vec *)(to + r * LANES) = ON(load_part)(A + r * stride + k, n);
                continue;
            }
            vec x[LANES];
            ON(load_transposed)(x, A + k * stride + r, stride, n, m - r);
            for (int i = 0; i < LANES && r + i < m; i++) *(vec *)(to + (r + i) * LANES) = x[i];
        }
    }
}

/* ---- tiles -------------------------------------------------------------------------------- */

/* C (m, n) = or += block × panel, over `chunks` times LANES values of k. Where m is a constant, the
 * sums stay in registers. */
static ALWAYS_INLINE void ON(tile)(
    const int m, long chunks, const float *block, const float *panel, float *C, long stride, int n,
    int add
) {
    vec sum[ROWS][2];
    UNROLL for (int r = 0; r < m; r++) {
        sum[r][0] = add ? ON(load_part)(C + r * stride, n) : (vec){0};
        sum[r][1] = add && n > LANES ? ON(load_part)(C + r * stride + LANES, n - LANES) : (vec){0};
    }
    for (; chunks > 0; chunks--, block += m * LANES) {
        for (int k = 0; k < LANES; k++, panel += WIDTH) {
            PREFETCH(panel + 8 * WIDTH);
            PREFETCH(panel + 8 * WIDTH + 16);
            vec left = *(const vec *)panel, right = *(const vec *)(panel + LANES);
            UNROLL for (int r = 0; r < m; r++) {
                sum[r][0] += block[r * LANES + k] * left;
                sum[r][1] += block[r * LANES + k] * right;
            }
        }
    }
    UNROLL for (int r = 0; r < m; r++) {
        ON(store_part)(C + r * stride, sum[r][0], n);
        if (n > LANES) ON(store_part)(C + r * stride + LANES, sum[r][1], n - LANES);
    }
}

#define TILE(m) \
    static NEVER_INLINE void ON(tile_##m)(long chunks, const float *block, const float *panel, \
                                          float *C, long stride, int n, int add) { \
        ON(tile)(m, chunks, block, panel, C, stride, n, add); \
    }
TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)
#if ROWS > 6
TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13) TILE(14)
#endif
#undef TILE

typedef void (*ON(tile_function))(long, const float *, const float *, float *, long, int, int);
static const ON(tile_function) ON(tiles)[ROWS + 1] = {
    NULL, ON(tile_1), ON(tile_2), ON(tile_3), ON(tile_4), ON(tile_5), ON(tile_6),
#if ROWS > 6
    ON(tile_7), ON(tile_8), ON(tile_9), ON(tile_10), ON(tile_11), ON(tile_12), ON(tile_13),
    ON(tile_14),
#endif
};

/* Number of blocks that M rows are cut into, and the first row of each: all about equally high. */
static inline long ON(blocks)(long M) { return (M + ROWS - 1) / ROWS; }
static inline long ON(first_row)(long M, long block) { return M * block / ON(blocks)(M); }

/* ---- C = A B ------------------------------------------------------------------------------- */

/* Lay out this thread's share of the rows of A, k from k0 on, m0 rows in. */
static void ON(pack_share)(
    const struct product *p, long m0, long M, long k0, long K, int thread, int threads
) {
    long blocks = ON(blocks)(M);
    for (long b = blocks * thread / threads; b < blocks * (thread + 1) / threads; b++) {
        long row = ON(first_row)(M, b), end = ON(first_row)(M, b + 1);
        long step = p->A_turned ? 1 : p->A_stride, deep = p->A_turned ? p->A_stride : 1;
        const float *A = p->A + (m0 + row) * step + k0 * deep;
        ON(pack_rows)(p->rows + row * PADDED(K), K, A, p->A_stride, p->A_turned, (int)(end - row));
    }
}

/* Multiply some blocks of rows by one panel, which is laid out in `panel` first. */
static void ON(multiply_panel)(
    const struct product *p, long m0, long M, long k0, long K, long column, long b, long end,
    float *panel
) {
    int n = p->N - column < WIDTH ? (int)(p->N - column) : WIDTH;
    const float *B = p->B + (p->B_turned ? column * p->B_stride + k0 : k0 * p->B_stride + column);
    long next = p->B_turned ? LANES * p->B_stride : LANES;
    ON(pack_columns)(panel, K, B, p->B_stride, p->B_turned, n);
    ON(pack_columns)(panel + LANES, K, B + (n > LANES ? next : 0), p->B_stride, p->B_turned,
                     n > LANES ? n - LANES : 0);
    for (; b < end; b++) {
        long row = ON(first_row)(M, b), m = ON(first_row)(M, b + 1) - row;
        float *C = p->C + (m0 + row) * p->N + column;
        if (k0 == 0 && p->bias) {
            for (long r = 0; r < m; r++) {
                memcpy(C + r * p->N, p->bias + column, (size_t)n * sizeof(float));
            }
        }
        ON(tiles)[m](PADDED(K) / LANES, p->rows + row * PADDED(K), panel, C, p->N, n,
                     k0 > 0 || p->bias);
    }
}

/* The work of a thread on a product. A part of A that the cache holds is laid out by all together;
 * then whoever is free takes the next panel of B. */
static void ON(multiply)(void *argument, int thread, int threads) {
    const struct product *p = argument;
    float *panel = p->panels + thread * DEPTH * WIDTH;
    long panels = (p->N + WIDTH - 1) / WIDTH;
    for (long m0 = 0; m0 < p->M; m0 += HEIGHT) {
        long M = p->M - m0 < HEIGHT ? p->M - m0 : HEIGHT, blocks = ON(blocks)(M);
        long parts = panels < 4 * threads ? (4 * threads + panels - 1) / panels : 1;
        if (parts > blocks) parts = blocks;
        for (long k0 = 0; k0 < p->K; k0 += DEPTH) {
            long K = p->K - k0 < DEPTH ? p->K - k0 : DEPTH, task;
            ON(pack_share)(p, m0, M, k0, K, thread, threads);
            if (thread == 0) atomic_store(&pool.next, 0);
            meet(threads);
            while ((task = take()) < panels * parts) {
                long part = task % parts;
                ON(multiply_panel)(p, m0, M, k0, K, task / parts * WIDTH, blocks * part / parts,
                                   blocks * (part + 1) / parts, panel);
            }
            meet(threads);
        }
    }
}

/* c (columns) += Σ_k a_k B_k for one row of A and m rows of it at once: B is read once, in the
 * order in which it lies, and not laid out anew. */
static ALWAYS_INLINE void ON(add_rows)(
    const int m, const int deep, const float *A, long A_stride, const float *B, long B_stride,
    float *C, long C_stride, long n
) {
    vec a[4][4];
    UNROLL for (int r = 0; r < m; r++) {
        UNROLL for (int k = 0; k < deep; k++) a[r][k] = A[r * A_stride + k] - (vec){0};
    }
    for (long j = 0; j < n; j += LANES) {
        int part = n - j < LANES ? (int)(n - j) : LANES;
        vec b[4];
        UNROLL for (int k = 0; k < deep; k++) {
            PREFETCH(B + (k + 4) * B_stride + j);
            b[k] = ON(load_part)(B + k * B_stride + j, part);
        }
        UNROLL for (int r = 0; r < m; r++) {
            vec sum = ON(load_part)(C + r * C_stride + j, part);
            UNROLL for (int k = 0; k < deep; k++) sum += a[r][k] * b[k];
            ON(store_part)(C + r * C_stride + j, sum, part);
        }
    }
}

/* C (m ≤ 4, n) += A (m, K) B (K, n). */
static void ON(stream)(
    int m, long K, const float *A, long A_stride, const float *B, long B_stride, float *C,
    long C_stride, long n
) {
#define ADD(m, deep) ON(add_rows)(m, deep, A + k, A_stride, B + k * B_stride, B_stride, C, C_stride, n)
    long k = 0;
    for (; k + 4 <= K; k += 4) {
        if (m == 1) ADD(1, 4);
        else if (m == 2) ADD(2, 4);
        else if (m == 3) ADD(3, 4);
        else ADD(4, 4);
    }
    for (; k < K; k++) {
        for (int r = 0; r < m; r++) {
            ON(add_rows)(1, 1, A + r * A_stride + k, A_stride, B + k * B_stride, B_stride,
                         C + r * C_stride, C_stride, n);
        }
    }
#undef ADD
}

/* The work of a thread on a product of few rows: its share of the columns. */
static void ON(multiply_few)(void *argument, int thread, int threads) {
    const struct product *p = argument;
    long vectors = (p->N + LANES - 1) / LANES;
    long j = vectors * thread / threads * LANES, end = vectors * (thread + 1) / threads * LANES;
    long n = (end < p->N ? end : p->N) - j;
    if (n <= 0) return;
    for (long r = 0; r < p->M; r++) {
        if (p->bias) memcpy(p->C + r * p->N + j, p->bias + j, (size_t)n * sizeof(float));
        else memset(p->C + r * p->N + j, 0, (size_t)n * sizeof(float));
    }
    ON(stream)((int)p->M, p->K, p->A, p->A_stride, p->B + j, p->B_stride, p->C + j, p->N, n);
}
