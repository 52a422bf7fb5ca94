/* What is left of a training step, each in one pass over its arrays, and a whole step of sampling:
 * written once, compiled for each instruction set, after lstm.h. Plain loops become vectors, too. */

/* The share of a thread in n things, in whole cache lines. */
static inline long ON(share)(long n, int thread, int threads) {
    long lines = (n + 15) / 16, end = lines * thread / threads * 16;
    return end < n ? end : n;
}

/* e^x for x ≤ 0; 0 below −87. */
static ALWAYS_INLINE vec ON(exp)(vec x) {
    ivec far = x < -87.0f; /* false for what is not a number, which comes out again */
    vec power, series = ON(series)((vec)((ivec)x & ~far), &power);
    return (vec)((ivec)(power * (series + 1.0f)) & ~far);
}

/* Probabilities of the rows of logits, and what the targets cost. */
static void ON(softmax)(void *argument, int thread, int threads) {
    const struct softmax *s = argument;
    for (long row = s->N * thread / threads; row < s->N * (thread + 1) / threads; row++) {
        const float *z = s->z + row * s->V;
        float *p = s->p + row * s->V, top = z[0], total = 0;
        vec tops = (vec){0} + top, sum = {0};
        for (long v = 0; v + LANES <= s->V; v += LANES) {
            vec x = ON(load)(z + v);
            ivec more = x > tops;
            tops = (vec)(((ivec)x & more) | ((ivec)tops & ~more));
        }
        for (int i = 0; i < LANES; i++) top = tops[i] > top ? tops[i] : top;
        for (long v = s->V / LANES * LANES; v < s->V; v++) top = z[v] > top ? z[v] : top;
        for (long v = 0; v < s->V; v += LANES) {
            int n = s->V - v < LANES ? (int)(s->V - v) : LANES;
            vec e = ON(exp)(ON(load_part)(z + v, n) - top);
            ON(store_part)(p + v, e, n);
            if (n == LANES) sum += e;
            else for (int i = 0; i < n; i++) total += e[i];
        }
        for (int i = 0; i < LANES; i++) total += sum[i];
        for (long v = 0; v < s->V; v++) p[v] /= total;
        s->costs[row] = logf(total) - (z[s->targets[row]] - top);
    }
}

/* (p − onehot(target)) w. */
static void ON(softmax_slope)(void *argument, int thread, int threads) {
    const struct softmax *s = argument;
    for (long row = s->N * thread / threads; row < s->N * (thread + 1) / threads; row++) {
        const float *p = s->p + row * s->V;
        float *dz = s->dz + row * s->V, w = s->factor * (s->w ? s->w[row] : 1.0f);
        for (long v = 0; v < s->V; v++) dz[v] = p[v] * w;
        dz[s->targets[row]] = (p[s->targets[row]] - 1.0f) * w;
    }
}

/* Add rows to the rows that numbers name; a thread has its share of the columns. */
static void ON(scatter)(void *argument, int thread, int threads) {
    const struct scatter *s = argument;
    long first = ON(share)(s->D, thread, threads), end = ON(share)(s->D, thread + 1, threads);
    if (first == end) return;
    for (long v = 0; v < s->V; v++) {
        memset(s->to + v * s->D + first, 0, (size_t)(end - first) * sizeof(float));
    }
    for (long row = 0; row < s->N; row++) {
        const float *from = s->from + row * s->D;
        float *to = s->to + s->numbers[row] * s->D;
        for (long d = first; d < end; d++) to[d] += from[d];
    }
}

/* Sums of squares, each of LENGTH elements, which Python adds up: so the sum is the same for any
 * number of threads. */
static void ON(squares)(void *argument, int thread, int threads) {
    const struct update *u = argument;
    long count = (u->n + LENGTH - 1) / LENGTH;
    for (long i = count * thread / threads; i < count * (thread + 1) / threads; i++) {
        const float *x = u->gradient + i * LENGTH;
        long n = u->n - i * LENGTH < LENGTH ? u->n - i * LENGTH : LENGTH;
        float sums[32] = {0};
        long j = 0;
        for (; j + 32 <= n; j += 32) {
            for (int k = 0; k < 32; k++) sums[k] += x[j + k] * x[j + k];
        }
        double sum = 0;
        for (int k = 0; k < 32; k++) sum += sums[k];
        for (; j < n; j++) sum += (double)x[j] * x[j];
        u->sums[i] = sum;
    }
}

static void ON(scale)(void *argument, int thread, int threads) {
    const struct update *u = argument;
    long end = ON(share)(u->n, thread + 1, threads);
    for (long i = ON(share)(u->n, thread, threads); i < end; i++) u->value[i] *= u->rate;
}

/* g ← γ g + (1 − γ) ∇²; w ← w − η ∇ / (√g + ε). */
static void ON(rmsprop)(void *argument, int thread, int threads) {
    const struct update *u = argument;
    const float *restrict gradient = u->gradient;
    float *restrict value = u->value, *restrict g = u->second;
    float decay = u->decay2, rest = u->rest2, rate = u->rate, epsilon = u->epsilon;
    long end = ON(share)(u->n, thread + 1, threads);
    for (long i = ON(share)(u->n, thread, threads); i < end; i++) {
        g[i] = decay * g[i] + rest * (gradient[i] * gradient[i]);
        value[i] -= rate * (gradient[i] / (sqrtf(g[i]) + epsilon));
    }
}

/* m ← β₁ m + (1 − β₁) ∇; v ← β₂ v + (1 − β₂) ∇²; w ← w − η m / (s √v + ε). */
static void ON(adam)(void *argument, int thread, int threads) {
    const struct update *u = argument;
    const float *restrict gradient = u->gradient;
    float *restrict value = u->value, *restrict m = u->first, *restrict v = u->second;
    float decay1 = u->decay1, rest1 = u->rest1, decay2 = u->decay2, rest2 = u->rest2;
    float rate = u->rate, epsilon = u->epsilon, factor = u->factor;
    long end = ON(share)(u->n, thread + 1, threads);
    for (long i = ON(share)(u->n, thread, threads); i < end; i++) {
        m[i] = decay1 * m[i] + rest1 * gradient[i];
        v[i] = decay2 * v[i] + rest2 * (gradient[i] * gradient[i]);
        value[i] -= rate * (m[i] / (sqrtf(v[i]) * factor + epsilon));
    }
}

/* Lay out the weights of a whole network, as `step` reads them. */
static void ON(lay_out)(void *argument, int thread, int threads) {
    const struct network *n = argument;
    for (int i = 0; i < n->layers; i++) {
        const struct lstm *l = &n->lstms[i];
        ON(pack_groups)(l->W_x, l->W_h, l->D, l->H, l->weights, thread, threads);
    }
    struct share share = share_of((n->N + WIDTH - 1) / WIDTH, thread, threads);
    for (long panel = share.first; panel < share.first + share.count; panel++) {
        struct strips strips = ON(beside)(n->W + panel * WIDTH, n->N - panel * WIDTH, LANES);
        ON(pack_panel)(n->panels + panel * n->H * WIDTH, n->H, &strips, n->N, 0);
    }
}

/* One step of a whole network. */
static void ON(step)(void *argument, int thread, int threads) {
    const struct network *n = argument;
    long count = blocks(n->B), state = n->B * n->H;
    if (thread == 0) {
        for (long row = 0; row < n->B && n->numbers; row++) {
            memcpy(n->x + row * n->D, n->embedding + n->numbers[row] * n->D,
                   (size_t)n->D * sizeof(float));
        }
        for (long row = 0; row < n->B; row++) {
            memcpy(n->logits + row * n->N, n->bias, (size_t)n->N * sizeof(float));
        }
    }
    meet(threads);
    for (int i = 0; i < n->layers; i++) {
        ON(run_forward)(&n->lstms[i], thread, threads);
    }
    const float *y = n->lstms[n->layers - 1].h + state;
    struct share share = share_of((n->N + WIDTH - 1) / WIDTH * count, thread, threads);
    for (long i = share.first; i < share.first + share.count; i++) {
        long column = i / count * WIDTH, row = first_row(n->B, i % count);
        long m = first_row(n->B, i % count + 1) - row, rest = n->N - column;
        const float *panel = n->panels + column * n->H;
        ON(rows)[m](n->H, y + row * n->H, n->H, panel, n->logits + row * n->N + column, n->N,
                    rest < WIDTH ? (int)rest : WIDTH, 1, panel);
    }
    meet(threads);
    struct share layers = share_of(n->layers, thread, threads);
    for (long i = layers.first; i < layers.first + layers.count; i++) {
        const struct lstm *l = &n->lstms[i];
        memcpy(l->h, l->h + state, (size_t)state * sizeof(float));
        memcpy(l->c, l->c + state, (size_t)state * sizeof(float));
    }
}
