/* The long short-term memory layer over a whole sequence, forwards and backwards: written once,
 * compiled for each instruction set, like products.h, which comes before.
 *
 * A group is LANES units. A thread computes the same groups at every step, so that their weights,
 * laid out once, stay in its cache; the gates follow while the product is still in the first cache.
 * After every step the threads wait for each other: the next one reads the states of all units.
 * The groups are gone through to and fro, so that the weights which the cache still holds come
 * first.
 *
 * Where D is not 0 the products with the inputs are made in the same pass: x_t lies beside h_{t−1},
 * and W_x above W_h. A narrow product alone would wait for memory.
 */

/* tanh x = −m / (m + 2) for x > 0, with m = e^{−2x} − 1, to 3e-7 of its value. e^y is 2^n e^r with
 * r = y − n ln 2 within ±0.35, and e^r − 1 Taylor's series. */
static ALWAYS_INLINE vec ON(tanh)(vec x) {
    const float shift = 12582912.0f; /* 1.5 · 2²³: adding it rounds to a whole number */
    uvec sign = (uvec)x & 0x80000000u;
    vec y = -2.0f * (vec)((uvec)x ^ sign);
    ivec far = y < -40.0f; /* false for what is not a number, which comes out again */
    y = (vec)(((ivec)((vec){0} - 40.0f) & far) | ((ivec)y & ~far));
    vec shifted = y * 1.44269504f + shift, n = shifted - shift;
    vec r = (y - n * 0.693359375f) + n * 2.12194440e-4f;
    vec series = 1.0f / 5040 * r + 1.0f / 720;
    series = series * r + 1.0f / 120;
    series = series * r + 1.0f / 24;
    series = series * r + 1.0f / 6;
    series = series * r + 0.5f;
    series = series * (r * r) + r;
    vec power = (vec)(((uvec)shifted << 23) + 0x3f800000u);
    vec m = power * series + (power - 1.0f);
    return (vec)((uvec)(-m / (m + 2.0f)) | sign);
}

static ALWAYS_INLINE vec ON(sigmoid)(vec x) { return 0.5f * ON(tanh)(0.5f * x) + 0.5f; }

/* Where the states of a group are in a layout of rows: of row r, one of m from `row` on. */
static inline long ON(place)(long depth, long row, long m, long chunk, long r) {
    return row * depth + (chunk * m + r - row) * LANES;
}

/* ---- forwards ------------------------------------------------------------------------------ */

/* One step of n units from u on, of one row whose h_{t−1} W_h lies in `product`; return h_t. */
static ALWAYS_INLINE vec ON(step_forward)(
    const struct lstm *l, long t, long row, long u, int n, const float *product
) {
    long H = l->H, place = (t * l->B + row) * H + u, after = place + l->B * H;
    float *a = l->a + (t * l->B + row) * 4 * H + u;
    const float *rest = l->D ? l->b + u : a;
    vec i = ON(sigmoid)(ON(load_part)(rest, n) + ON(load)(product));
    vec f = ON(sigmoid)(ON(load_part)(rest + H, n) + ON(load)(product + LANES));
    vec o = ON(sigmoid)(ON(load_part)(rest + 2 * H, n) + ON(load)(product + 2 * LANES));
    vec g = ON(tanh)(ON(load_part)(rest + 3 * H, n) + ON(load)(product + 3 * LANES));
    vec before = ON(load_part)(l->c + place, n), c = f * before + i * g;
    vec tanh_c = ON(tanh)(c), h = o * tanh_c;
    ON(store_part)(a, i, n);
    ON(store_part)(a + H, f, n);
    ON(store_part)(a + 2 * H, o, n);
    ON(store_part)(a + 3 * H, g, n);
    ON(store_part)(l->tanh_c + place, tanh_c, n);
    if (l->lengths && l->lengths[row] <= t) {
        c = before;
        h = ON(load_part)(l->h + place, n);
    }
    ON(store_part)(l->c + after, c, n);
    ON(store_part)(l->h + after, h, n);
    return h;
}

static void ON(pack_gates)(const struct lstm *l, long group, float *to) {
    long H = l->H, inputs = PADDED(l->D);
    for (int gate = 0; gate < 4; gate++) {
        long column = gate * H + group * LANES, n = H - group * LANES;
        float *half = to + gate / 2 * (inputs + PADDED(H)) * WIDTH + gate % 2 * LANES;
        if (l->D) ON(pack_columns)(half, l->D, l->W_x + column, 4 * H, 0, n);
        ON(pack_columns)(half + inputs * WIDTH, H, l->W_h + column, 4 * H, 0, n);
    }
}

/* Lay out this thread's share of the inputs of a step. */
static void ON(pack_inputs)(const struct lstm *l, long t, int thread, int threads) {
    long depth = PADDED(l->D) + PADDED(l->H), blocks = ON(blocks)(l->B);
    float *to = l->rows + t % 2 * l->B * depth;
    for (long b = blocks * thread / threads; b < blocks * (thread + 1) / threads; b++) {
        long row = ON(first_row)(l->B, b), m = ON(first_row)(l->B, b + 1) - row;
        const float *x = l->x + (t * l->B + row) * l->D;
        ON(pack_rows)(to + row * depth, l->D, x, l->D, 0, (int)m);
    }
}

/* One step of a group, all rows. */
static void ON(group_forward)(const struct lstm *l, long t, long group, const float *weights) {
    long inputs = PADDED(l->D), depth = inputs + PADDED(l->H), u = group * LANES;
    long chunks = depth / LANES;
    int n = l->H - u < LANES ? (int)(l->H - u) : LANES;
    const float *now = l->rows + t % 2 * l->B * depth;
    float *next = l->rows + (t + 1) % 2 * l->B * depth;
    ALIGNED float products[ROWS * 4 * LANES];
    for (long b = 0; b < ON(blocks)(l->B); b++) {
        long row = ON(first_row)(l->B, b), m = ON(first_row)(l->B, b + 1) - row;
        for (long r = row; r < row + m && !l->D; r++) {
            const float *a = l->a + (t * l->B + r) * 4 * l->H + u;
            for (int gate = 0; gate < 4; gate++) PREFETCH(a + gate * l->H);
        }
        const float *block = now + row * depth;
        ON(tiles)[m](chunks, block, weights, products, 4 * LANES, WIDTH, 0);
        ON(tiles)[m](chunks, block, weights + depth * WIDTH, products + WIDTH, 4 * LANES, WIDTH, 0);
        for (long r = row; r < row + m; r++) {
            vec h = ON(step_forward)(l, t, r, u, n, products + (r - row) * 4 * LANES);
            *(vec *)(next + ON(place)(depth, row, m, inputs / LANES + group, r)) = h;
        }
    }
}

/* The work of a thread on all steps. */
static void ON(forward)(void *argument, int thread, int threads) {
    const struct lstm *l = argument;
    long inputs = PADDED(l->D), depth = inputs + PADDED(l->H), size = 2 * depth * WIDTH;
    long groups = PADDED(l->H) / LANES;
    long first = groups * thread / threads, last = groups * (thread + 1) / threads;
    if (l->D) ON(pack_inputs)(l, 0, thread, threads);
    for (long b = 0; b < ON(blocks)(l->B); b++) {
        long row = ON(first_row)(l->B, b), m = ON(first_row)(l->B, b + 1) - row;
        for (long group = first; group < last; group++) {
            for (long r = row; r < row + m; r++) {
                long u = group * LANES;
                float *to = l->rows + ON(place)(depth, row, m, inputs / LANES + group, r);
                *(vec *)to = ON(load_part)(l->h + r * l->H + u,
                                           l->H - u < LANES ? (int)(l->H - u) : LANES);
            }
        }
    }
    meet(threads);
    for (long t = 0; t < l->T; t++) {
        for (long i = first; i < last; i++) {
            long group = t % 2 ? first + last - 1 - i : i;
            /* Weights that are used once need no place of their own. */
            float *weights = l->weights + (l->T > 1 ? group : thread) * size;
            if (t == 0) ON(pack_gates)(l, group, weights);
            ON(group_forward)(l, t, group, weights);
        }
        if (l->D && t + 1 < l->T) ON(pack_inputs)(l, t + 1, thread, threads);
        meet(threads);
    }
}

/* The work of a thread on one step of few rows: weights are read where they lie. */
static void ON(forward_few)(void *argument, int thread, int threads) {
    const struct lstm *l = argument;
    long H = l->H, groups = PADDED(H) / LANES;
    long u = groups * thread / threads * LANES, end = groups * (thread + 1) / threads * LANES;
    long n = (end < H ? end : H) - u, width = end - u;
    float *products = l->rows + 16 * LANES * (groups * thread / threads); /* [row][gate][width] */
    if (n <= 0) return;
    memset(products, 0, (size_t)(l->B * 4 * width) * sizeof(float));
    for (long k = 0; k < H; k += FEW_DEPTH) {
        long K = H - k < FEW_DEPTH ? H - k : FEW_DEPTH;
        for (int gate = 0; gate < 4; gate++) {
            ON(stream)((int)l->B, K, l->h + k, H, l->W_h + k * 4 * H + gate * H + u, 4 * H,
                       products + gate * width, 4 * width, n);
        }
    }
    for (long r = 0; r < l->B; r++) {
        for (long j = 0; j < n; j += LANES) {
            ALIGNED float gates[4 * LANES];
            const float *product = products + r * 4 * width + j;
            for (int gate = 0; gate < 4; gate++) {
                ON(store)(gates + gate * LANES, ON(load)(product + gate * width));
            }
            ON(step_forward)(l, 0, r, u + j, n - j < LANES ? (int)(n - j) : LANES, gates);
        }
    }
}

/* ---- backwards ----------------------------------------------------------------------------- */

/* One step of n units from u on, of one row where da_{t+1} W_hᵀ is in `product`; the gradients of
 * the products go to da and to the layout `next`. */
static ALWAYS_INLINE void ON(step_backward)(
    const struct lstm *l, long t, long row, long u, int n, const float *product, vec *da
) {
    long H = l->H, place = (t * l->B + row) * H + u, state = row * H + u;
    int ended = l->lengths && l->lengths[row] <= t;
    int stood = t == l->T - 1 || (l->lengths && l->lengths[row] <= t + 1);
    vec dh = ON(load)(product);
    if (stood) dh += ON(load_part)(l->dh + state, n);
    if (t >= 0) dh += ON(load_part)(l->dy + place, n);
    if (t < 0 || ended) ON(store_part)(l->dh + state, dh, n);
    for (int gate = 0; gate < 4; gate++) da[gate] = (vec){0};
    if (t >= 0 && !ended) {
        const float *a = l->a + (t * l->B + row) * 4 * H + u;
        vec i = ON(load_part)(a, n), f = ON(load_part)(a + H, n);
        vec o = ON(load_part)(a + 2 * H, n), g = ON(load_part)(a + 3 * H, n);
        vec tanh_c = ON(load_part)(l->tanh_c + place, n), c = ON(load_part)(l->c + place, n);
        vec dc = ON(load_part)(l->dc + state, n) + dh * o * (1.0f - tanh_c * tanh_c);
        da[0] = dc * g * (i * (1.0f - i));
        da[1] = dc * c * (f * (1.0f - f));
        da[2] = dh * tanh_c * (o * (1.0f - o));
        da[3] = dc * i * (1.0f - g * g);
        ON(store_part)(l->dc + state, dc * f, n);
    }
}

/* Two groups of the columns of Wᵀ, where W (N, 4H) is W_h or W_x; rows in the order group, gate,
 * unit. */
static void ON(pack_turned)(const float *weights, long N, long H, long panel, float *to) {
    for (long u = 0; u < H; u += LANES) {
        for (int gate = 0; gate < 4; gate++, to += LANES * WIDTH) {
            long n = H - u < LANES ? H - u : LANES;
            for (int half = 0; half < 2; half++) {
                long unit = panel * WIDTH + half * LANES, m = N - unit > 0 ? N - unit : 0;
                const float *W = weights + (m ? unit : 0) * 4 * H + gate * H + u;
                ON(pack_columns)(to + half * LANES, n, W, 4 * H, 1, m);
            }
        }
    }
}

/* One step of two groups, all rows; t = −1 is the gradient of the initial state. */
static void ON(panel_backward)(const struct lstm *l, long t, long panel, const float *weights) {
    long H = l->H, depth = 4 * PADDED(H);
    const float *after = l->rows + (t + 2) % 2 * l->B * depth;
    float *now = l->rows + (t + 1) % 2 * l->B * depth;
    ALIGNED float products[ROWS * WIDTH] = {0};
    for (long b = 0; b < ON(blocks)(l->B); b++) {
        long row = ON(first_row)(l->B, b), m = ON(first_row)(l->B, b + 1) - row;
        if (t < l->T - 1) {
            ON(tiles)[m](depth / LANES, after + row * depth, weights, products, WIDTH, WIDTH, 0);
        }
        for (long u = panel * WIDTH; u < H && u < (panel + 1) * WIDTH; u += LANES) {
            int n = H - u < LANES ? (int)(H - u) : LANES;
            vec sum[4] = {{0}};
            for (long r = row; r < row + m; r++) {
                vec da[4];
                ON(step_backward)(l, t, r, u, n, products + (r - row) * WIDTH + u % WIDTH, da);
                if (t < 0) continue;
                for (int gate = 0; gate < 4; gate++) {
                    float *to = l->da + (t * l->B + r) * 4 * H + gate * H + u;
                    ON(store_part)(to, da[gate], n);
                    *(vec *)(now + ON(place)(depth, row, m, u / LANES * 4 + gate, r)) = da[gate];
                    sum[gate] += da[gate];
                }
            }
            for (int gate = 0; gate < 4 && t >= 0; gate++) {
                float *db = l->db + gate * H + u;
                ON(store_part)(db, ON(load_part)(db, n) + sum[gate], n);
            }
        }
    }
}

/* The gradient of some columns of x_t: da_t W_xᵀ. */
static void ON(inputs_backward)(const struct lstm *l, long t, long panel, const float *weights) {
    long depth = 4 * PADDED(l->H), column = panel * WIDTH;
    int n = l->D - column < WIDTH ? (int)(l->D - column) : WIDTH;
    const float *da = l->rows + (t + 1) % 2 * l->B * depth;
    for (long b = 0; b < ON(blocks)(l->B); b++) {
        long row = ON(first_row)(l->B, b), m = ON(first_row)(l->B, b + 1) - row;
        float *dx = l->dx + (t * l->B + row) * l->D + column;
        ON(tiles)[m](depth / LANES, da + row * depth, weights, dx, l->D, n, 0);
    }
}

/* The work of a thread on all steps. */
static void ON(backward)(void *argument, int thread, int threads) {
    const struct lstm *l = argument;
    long H = l->H, own = (H + WIDTH - 1) / WIDTH, panels = own + (l->D + WIDTH - 1) / WIDTH;
    long first = panels * thread / threads, last = panels * (thread + 1) / threads;
    long size = 4 * PADDED(H) * WIDTH;
    for (long panel = first; panel < last; panel++) {
        if (panel >= own) {
            ON(pack_turned)(l->W_x, l->D, H, panel - own, l->weights + panel * size);
            continue;
        }
        ON(pack_turned)(l->W_h, H, H, panel, l->weights + panel * size);
        long u = panel * WIDTH, n = H - u < WIDTH ? H - u : WIDTH;
        for (int gate = 0; gate < 4; gate++) {
            memset(l->db + gate * H + u, 0, (size_t)n * sizeof(float));
        }
    }
    for (long t = l->T - 1; t >= -1; t--) {
        for (long i = first; i < last; i++) {
            long panel = t % 2 ? first + last - 1 - i : i;
            const float *weights = l->weights + panel * size;
            if (panel < own) ON(panel_backward)(l, t, panel, weights);
            else if (t < l->T - 1) ON(inputs_backward)(l, t + 1, panel - own, weights);
        }
        meet(threads);
    }
}
