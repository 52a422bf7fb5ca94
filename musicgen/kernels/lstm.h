/* The long short-term memory layer over a whole sequence, forwards and backwards: written once,
 * compiled for each instruction set, like products.h, which comes before.
 *
 * The weights are laid out once a sequence: for the forward pass in groups of LANES units, whose
 * four gates lie side by side, so that the gates follow while the product is in the first cache;
 * for the backward pass in panels of WIDTH units. A thread computes the same units at every step,
 * so that their weights stay in its cache; it goes through them to and fro, so that those which the
 * cache still holds come first. After every step the threads wait for each other: the next one
 * reads the states of all units. Where every thread's cache holds all weights, a thread has some
 * rows and all units instead, and nobody waits.
 *
 * Where D is not 0 the products with the inputs are made in the same pass: W_x lies above W_h.
 */

#define PARTS (4 / VECTORS) /* panels of a group */

/* e^y is 2^n e^r with r = y − n ln 2 within ±0.35: return Taylor's series of e^r − 1, and 2^n. */
static ALWAYS_INLINE vec ON(series)(vec y, vec *power) {
    const float shift = 12582912.0f; /* 1.5 · 2²³: adding it rounds to a whole number */
    vec shifted = y * 1.44269504f + shift, n = shifted - shift;
    vec r = (y - n * 0.693359375f) + n * 2.12194440e-4f;
    vec sum = 1.0f / 5040 * r + 1.0f / 720;
    sum = sum * r + 1.0f / 120;
    sum = sum * r + 1.0f / 24;
    sum = sum * r + 1.0f / 6;
    sum = sum * r + 0.5f;
    *power = (vec)(((uvec)shifted << 23) + 0x3f800000u);
    return sum * (r * r) + r;
}

/* tanh x = −m / (m + 2) for x > 0, with m = e^{−2x} − 1, to 3e-7; return m, and the sign of x. */
static ALWAYS_INLINE vec ON(minus)(vec x, uvec *sign) {
    *sign = (uvec)x & 0x80000000u;
    vec y = -2.0f * (vec)((uvec)x ^ *sign), power;
    ivec far = y < -40.0f; /* false for what is not a number, which comes out again */
    y = (vec)(((ivec)((vec){0} - 40.0f) & far) | ((ivec)y & ~far));
    vec series = ON(series)(y, &power);
    return power * series + (power - 1.0f);
}

static ALWAYS_INLINE vec ON(tanh)(vec x) {
    uvec sign;
    vec m = ON(minus)(x, &sign);
    return (vec)((uvec)(-m / (m + 2.0f)) | sign);
}

/* σ of the first three, with σ x = (1 + tanh(x / 2)) / 2, and tanh of the last. Division is slow,
 * and its divisors lie between 1 and 2: one division serves all four. */
static ALWAYS_INLINE void ON(activate)(vec *x) {
    vec m[4], d[4];
    uvec sign[4];
    UNROLL for (int i = 0; i < 4; i++) {
        m[i] = ON(minus)(i < 3 ? 0.5f * x[i] : x[i], &sign[i]);
        d[i] = m[i] + 2.0f;
    }
    vec low = d[0] * d[1], high = d[2] * d[3], inverse = -1.0f / (low * high);
    vec of_low = inverse * high, of_high = inverse * low;
    x[0] = m[0] * (of_low * d[1]);
    x[1] = m[1] * (of_low * d[0]);
    x[2] = m[2] * (of_high * d[3]);
    x[3] = m[3] * (of_high * d[2]);
    UNROLL for (int i = 0; i < 4; i++) {
        x[i] = (vec)((uvec)x[i] | sign[i]);
        if (i < 3) x[i] = 0.5f * x[i] + 0.5f;
    }
}

/* The units from u on that a vector holds. */
static inline int ON(units)(long H, long u) { return H - u < LANES ? (int)(H - u) : LANES; }

/* ---- forwards ------------------------------------------------------------------------------ */

/* One step of n units from u on and m rows, whose products lie side by side, gate by gate. First all
 * gates, then all states: so the processor finds things to do at once. */
static ALWAYS_INLINE void ON(step_forward)(
    const struct lstm *l, long t, long row, long m, long u, int n, const float *products
) {
    long H = l->H, place = (t * l->B + row) * H + u, after = place + l->B * H;
    vec o[ROWS], c[ROWS];
    for (long r = 0; r < m; r++) {
        float *a = l->a ? l->a + (t * l->B + row + r) * 4 * H + u : NULL;
        const float *rest = l->D ? l->b + u : a, *product = products + r * 4 * LANES;
        vec gates[4]; /* i, f, o, g */
        UNROLL for (int gate = 0; gate < 4; gate++) {
            gates[gate] = ON(load_part)(rest + gate * H, n) + ON(load)(product + gate * LANES);
        }
        ON(activate)(gates);
        c[r] = gates[1] * ON(load_part)(l->c + place + r * H, n) + gates[0] * gates[3];
        o[r] = gates[2];
        if (!a) continue;
        UNROLL for (int gate = 0; gate < 4; gate++) ON(store_part)(a + gate * H, gates[gate], n);
    }
    for (long r = 0; r < m; r++, place += H, after += H) {
        vec tanh_c = ON(tanh)(c[r]), h = o[r] * tanh_c;
        if (l->tanh_c) ON(store_part)(l->tanh_c + place, tanh_c, n);
        if (l->lengths && l->lengths[row + r] <= t) {
            c[r] = ON(load_part)(l->c + place, n);
            h = ON(load_part)(l->h + place, n);
        }
        ON(store_part)(l->c + after, c[r], n);
        ON(store_part)(l->h + after, h, n);
    }
}

/* Floats of a group's weights. */
static inline long ON(group_size)(long D, long H) { return (D + H) * 4 * LANES; }

static void ON(pack_groups)(
    const float *W_x, const float *W_h, long D, long H, float *to, int thread, int threads
) {
    struct share share = share_of((H + LANES - 1) / LANES, thread, threads);
    for (long group = share.first; group < share.first + share.count; group++) {
        float *panel = to + group * ON(group_size)(D, H);
        for (int part = 0; part < PARTS; part++) {
            struct strips x, h;
            for (int v = 0; v < VECTORS; v++) {
                long column = (part * VECTORS + v) * H + group * LANES;
                x.n[v] = h.n[v] = ON(units)(H, group * LANES);
                x.from[v] = W_x + (D ? column : 0);
                h.from[v] = W_h + column;
            }
            ON(pack_panel)(panel, D, &x, 4 * H, 0);
            ON(pack_panel)(panel + D * WIDTH, H, &h, 4 * H, 0);
            panel += (D + H) * WIDTH;
        }
    }
}

/* One step of a group and a block of rows. A share of the next weights is called into the cache. */
static void ON(group_forward)(
    const struct lstm *l, long t, long group, long b, const float *weights, const float *next
) {
    long B = l->B, D = l->D, H = l->H, u = group * LANES;
    long row = first_row(B, b), m = first_row(B, b + 1) - row;
    const float *x = l->x + (t * B + row) * D, *h = l->h + (t * B + row) * H;
    ALIGNED float products[ROWS * 4 * LANES];
    for (int part = 0; part < PARTS; part++) {
        long line = 16 * (b * PARTS + part);
        const float *panel = weights + part * (D + H) * WIDTH, *h_panel = panel + D * WIDTH;
        const float *soon = line < 4 * LANES ? next + line * (D + H) : panel;
        float *to = products + part * WIDTH;
        if (D) ON(rows)[m](D, x, D, panel, to, 4 * LANES, WIDTH, 0, soon);
        ON(rows)[m](H, h, H, h_panel, to, 4 * LANES, WIDTH, D > 0, soon + 16 * D);
    }
    int n = ON(units)(H, u);
    if (n == LANES) ON(step_forward)(l, t, row, m, u, LANES, products);
    else ON(step_forward)(l, t, row, m, u, n, products);
}

/* The work of a thread on all steps, when the weights are laid out. */
static void ON(run_forward)(const struct lstm *l, int thread, int threads) {
    long groups = (l->H + LANES - 1) / LANES, size = ON(group_size)(l->D, l->H);
    struct duty duty = assign(groups, l->B, groups * size, thread, threads);
    for (long t = 0; t < l->T; t++) {
        for (long i = 0; i < duty.pairs.count; i++) {
            long pair = to_and_fro(duty.pairs, t, i), group = pair / duty.blocks;
            long then = i + duty.blocks < duty.pairs.count ? i + duty.blocks : i;
            ON(group_forward)(
                l, t, group, duty.first_block + pair % duty.blocks, l->weights + group * size,
                l->weights + to_and_fro(duty.pairs, t, then) / duty.blocks * size);
        }
        if (!duty.alone) meet(threads);
    }
    if (duty.alone) meet(threads);
}

static void ON(forward)(void *argument, int thread, int threads) {
    const struct lstm *l = argument;
    ON(pack_groups)(l->W_x, l->W_h, l->D, l->H, l->weights, thread, threads);
    meet(threads);
    ON(run_forward)(l, thread, threads);
}

/* ---- backwards ----------------------------------------------------------------------------- */

/* One step of n units from u on, of one row where da_{t+1} W_hᵀ is in `product`; what it adds to db
 * goes to `sums`. */
static ALWAYS_INLINE void ON(step_backward)(
    const struct lstm *l, long t, long row, long u, int n, const float *product, vec *sums
) {
    long H = l->H, place = (t * l->B + row) * H + u, state = row * H + u;
    int ended = l->lengths && l->lengths[row] <= t;
    int stood = t == l->T - 1 || (l->lengths && l->lengths[row] <= t + 1);
    vec dh = ON(load)(product), da[4] = {{0}};
    if (stood) dh += ON(load_part)(l->dh + state, n);
    if (t >= 0) dh += ON(load_part)(l->dy + place, n);
    if (t < 0 || ended) ON(store_part)(l->dh + state, dh, n);
    if (t < 0) return;
    if (!ended) {
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
    for (int gate = 0; gate < 4; gate++) {
        ON(store_part)(l->da + (t * l->B + row) * 4 * H + gate * H + u, da[gate], n);
        sums[gate] += da[gate];
    }
}

/* One step of a panel of units and a block of rows; t = −1 is the gradient of the initial state. */
static void ON(panel_backward)(
    const struct lstm *l, long t, long panel, long b, const float *weights, const float *next
) {
    long B = l->B, H = l->H, row = first_row(B, b), m = first_row(B, b + 1) - row;
    ALIGNED float products[ROWS * WIDTH] = {0};
    if (t < l->T - 1) {
        const float *soon = b < WIDTH / 16 ? next + b * 4 * H * 16 : weights;
        ON(rows)[m](4 * H, l->da + ((t + 1) * B + row) * 4 * H, 4 * H, weights, products, WIDTH,
                    WIDTH, 0, soon);
    }
    for (long u = panel * WIDTH; u < H && u < (panel + 1) * WIDTH; u += LANES) {
        int n = ON(units)(H, u);
        vec sums[4] = {{0}};
        for (long r = 0; r < m; r++) {
            const float *product = products + r * WIDTH + u % WIDTH;
            if (n == LANES) ON(step_backward)(l, t, row + r, u, LANES, product, sums);
            else ON(step_backward)(l, t, row + r, u, n, product, sums);
        }
        for (int gate = 0; gate < 4 && t >= 0; gate++) {
            float *sum = l->sums + b * 4 * H + gate * H + u;
            ON(store_part)(sum, ON(load_part)(sum, n) + sums[gate], n);
        }
    }
}

/* The gradient of some columns of x_t and a block of rows: da_t W_xᵀ. */
static void ON(inputs_backward)(
    const struct lstm *l, long t, long panel, long b, const float *weights
) {
    long B = l->B, H = l->H, D = l->D, column = panel * WIDTH;
    long row = first_row(B, b), m = first_row(B, b + 1) - row;
    int n = D - column < WIDTH ? (int)(D - column) : WIDTH;
    ON(rows)[m](4 * H, l->da + (t * B + row) * 4 * H, 4 * H, weights,
                l->dx + (t * B + row) * D + column, D, n, 0, weights);
}

/* The work of a thread on all steps. */
static void ON(backward)(void *argument, int thread, int threads) {
    const struct lstm *l = argument;
    long H = l->H, D = l->D, count = blocks(l->B), size = 4 * H * WIDTH;
    long own = (H + WIDTH - 1) / WIDTH, panels = own + (D + WIDTH - 1) / WIDTH;
    struct share laid = share_of(panels, thread, threads);
    for (long panel = laid.first; panel < laid.first + laid.count; panel++) {
        const float *W = panel < own ? l->W_h : l->W_x;
        long unit = (panel < own ? panel : panel - own) * WIDTH, end = panel < own ? H : D;
        struct strips strips = ON(beside)(W + unit * 4 * H, end - unit, LANES * 4 * H);
        ON(pack_panel)(l->weights + panel * size, 4 * H, &strips, 4 * H, 1);
    }
    if (thread == 0) memset(l->sums, 0, (size_t)(count * 4 * H) * sizeof(float));
    meet(threads);
    struct duty duty = assign(panels, l->B, panels * size, thread, threads);
    for (long t = l->T - 1; t >= -1; t--) {
        for (long i = 0; i < duty.pairs.count; i++) {
            long pair = to_and_fro(duty.pairs, t + 1, i), panel = pair / duty.blocks;
            long then = i + duty.blocks < duty.pairs.count ? i + duty.blocks : i;
            long next = to_and_fro(duty.pairs, t + 1, then) / duty.blocks;
            long b = duty.first_block + pair % duty.blocks;
            const float *weights = l->weights + panel * size;
            if (panel < own) ON(panel_backward)(l, t, panel, b, weights, l->weights + next * size);
            else if (t < l->T - 1) ON(inputs_backward)(l, t + 1, panel - own, b, weights);
        }
        if (!duty.alone) meet(threads);
    }
    if (duty.alone) meet(threads);
    if (thread > 0) return;
    for (long j = 0; j < 4 * H; j++) {
        float sum = 0;
        for (long b = 0; b < count; b++) sum += l->sums[b * 4 * H + j];
        l->db[j] = sum;
    }
}
