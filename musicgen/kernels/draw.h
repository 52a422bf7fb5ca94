/* Drawing symbols from logits, in double precision, one row by itself. */

struct draw {
    long N, V;
    const float *logits;    /* (N, V) */
    const uint8_t *allowed; /* (V,) or (N, V), where a row comes after `stride`; or NULL */
    long stride;
    const double *uniform;  /* (N,): from 0 to below 1 */
    double temperature, least;
    int32_t *chosen;        /* (N,) */
    double *ln_p;           /* (N,) */
    float *memory;          /* 2 V for each thread: V in double precision */
    atomic_int failed;      /* logits were no numbers, or nothing was allowed */
};

/* Draw in one row; return the symbol, or −1. */
static long draw_row(const struct draw *d, long row, double *p) {
    const float *z = d->logits + row * d->V;
    const uint8_t *allowed = d->allowed ? d->allowed + row * d->stride : NULL;
    double top = -INFINITY, best = -INFINITY, all = 0, sum = 0;
    for (long v = 0; v < d->V; v++) {
        if (z[v] > top) top = z[v];
        if (z[v] > best && (!allowed || allowed[v])) best = z[v];
    }
    for (long v = 0; v < d->V; v++) {
        p[v] = exp(z[v] - top);
        all += p[v];
    }
    if (!isfinite(all) || !isfinite(best)) return -1;
    double inverse = 1 / d->temperature;
    for (long v = 0; v < d->V; v++) {
        if (allowed && !allowed[v]) p[v] = 0;
        else if (inverse != 1 || best != top) p[v] = exp((z[v] - best) * inverse);
        if (p[v] < d->least) p[v] = 0;
        sum += p[v];
    }
    double target = d->uniform[row] * sum, passed = 0;
    long v = 0;
    for (; v < d->V - 1; v++) {
        passed += p[v];
        if (passed > target) break;
    }
    while (p[v] == 0 && v > 0) v--; /* rounding carried the target up to the sum */
    d->ln_p[row] = z[v] - top - log(all);
    return v;
}

static void draw_rows(void *argument, int thread, int threads) {
    struct draw *d = argument;
    for (long row = d->N * thread / threads; row < d->N * (thread + 1) / threads; row++) {
        long v = draw_row(d, row, (double *)(void *)d->memory + thread * d->V);
        if (v < 0) atomic_store(&d->failed, 1);
        d->chosen[row] = (int32_t)v;
    }
}
