/* Fast products and recurrent layers for musicgen, in single precision.
 *
 * products.h, lstm.h and passes.h hold the arithmetic, written once with the vector extensions of
 * GCC and Clang, and compiled here for each instruction set; pool.h the threads, draw.h the drawing
 * of symbols. This file chooses an instruction set and speaks with Python, which checks types and
 * shapes (see operations.py); here the sizes of the arrays are checked once more, for nothing must
 * be written beside them.
 */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "pool.h"
#include "draw.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))
#define NEVER_INLINE __attribute__((noinline))
#define ALIGNED __attribute__((aligned(64)))
#define PREFETCH(p) __builtin_prefetch(p)
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#define SHUFFLE(ivec, a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define UNROLL _Pragma("GCC unroll 16")
#define SHUFFLE(ivec, a, b, ...) __builtin_shuffle(a, b, (ivec){__VA_ARGS__})
#endif

#define ROWS 6      /* of a tile */
#define DEPTH 512   /* rows of a panel that are laid out at a time: what a second cache holds */
#define CACHED (1 << 18) /* floats of weights that a second cache holds beside other things */
#define MOST_LAYERS 16
#define LENGTH 4096  /* elements that are added up as one */

/* Blocks of rows, of which tiles take one at a time, all about equally high; their first rows. */
static inline long blocks(long M) { return (M + ROWS - 1) / ROWS; }
static inline long first_row(long M, long block) { return M * block / blocks(M); }

/* What a thread does at every step: some of the pairs of a thing, whose weights are one piece, and a
 * block of rows. */
struct duty {
    struct share pairs;
    long first_block, blocks;
    int alone; /* other threads have other rows */
};

static struct duty assign(long things, long B, long weights, int thread, int threads) {
    long count = blocks(B);
    if (weights <= CACHED && count >= 4 * threads) {
        struct share own = share_of(count, thread, threads);
        return (struct duty){{0, things * own.count}, own.first, own.count, 1};
    }
    return (struct duty){share_of(things * count, thread, threads), 0, count, 0};
}

/* Where the vectors of a panel begin, and how many columns of each exist. */
struct strips {
    const float *from[4];
    int n[4];
};

/* C (M, N) = A (M, K) B (K, N) + bias (N,). */
struct product {
    long M, N, K;
    const float *A, *B, *bias;
    float *C;
    long A_stride, B_stride; /* from a row to the next; where turned, from a column to the next */
    int A_turned, B_turned;
    float *rows, *panels; /* memory */
};

/* A layer over a sequence; the arrays are those of musicgen.engine.LSTM. */
struct lstm {
    long T, B, H, D;      /* D is 0 where the products with x are made elsewhere */
    const float *x, *W_x, *b; /* (T, B, D), (D, 4H), (4H,); all but W_x for the forward pass */
    float *a;             /* (T, B, 4H): x W_x + b, then the gates; NULL where nobody wants them */
    const float *W_h;     /* (H, 4H) */
    float *h, *c;         /* (T + 1, B, H) */
    float *tanh_c;        /* (T, B, H), or NULL */
    const int64_t *lengths; /* (B,) or NULL */
    const float *dy;      /* (T, B, H) */
    float *dx;            /* (T, B, D) */
    float *dh, *dc;       /* (B, H): of the final states, then of the initial ones */
    float *da, *db;       /* (T, B, 4H), (4H,) */
    float *weights; /* laid out */
    float *sums;    /* (blocks(B), 4H): parts of db */
};

/* Logits z (N, V) of a categorical choice, and what came. */
struct softmax {
    long N, V;
    const float *z, *w; /* w (N,) or NULL */
    const int32_t *targets;
    float *p, *costs, *dz;
    float factor;
};

/* Rows (N, D) that are added up by number into (V, D). */
struct scatter {
    long N, V, D;
    const int32_t *numbers;
    const float *from;
    float *to;
};

/* An update of n weights; the names of rates and slots are those of musicgen.optim. */
struct update {
    long n;
    const float *gradient;
    float *value, *first, *second;
    float decay1, rest1, decay2, rest2, epsilon, rate, factor;
    double *sums;
};

/* A network of B rows: symbols or frames, LSTM layers over one step, and a last product. */
struct network {
    long B, D, H, N;
    int layers;
    const int32_t *numbers; /* (B,); NULL for frames, which are in x */
    const float *embedding; /* (V, D) */
    float *x;               /* (B, D) */
    struct lstm lstms[MOST_LAYERS];
    const float *W, *bias; /* (H, N), (N,) */
    float *panels;         /* W, laid out */
    float *logits;         /* (B, N) */
};

/* What there is for an instruction set. */
struct kernels {
    const char *name;
    int lanes, width;
    int (*supported)(void);
    work_function multiply, forward, backward;
    work_function softmax, softmax_slope, scatter, squares, scale, rmsprop, adam, lay_out, step;
};

static int always(void) { return 1; }

#define KERNELS(set, lanes, width, supported) \
    {#set, lanes, width, supported, multiply_##set, forward_##set, backward_##set, \
     softmax_##set, softmax_slope_##set, scatter_##set, squares_##set, scale_##set, \
     rmsprop_##set, adam_##set, lay_out_##set, step_##set}

#if defined(__x86_64__)
static int has_avx512(void) { return __builtin_cpu_supports("avx512f"); }
static int has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx2,fma")
#endif
#define ON(name) name##_avx512
#define LANES 16
#define VECTORS 4
#include "products.h"
#include "lstm.h"
#include "passes.h"
#include "forget.h"
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
#define ON(name) name##_avx2
#define LANES 8
#define VECTORS 2
#include "products.h"
#include "lstm.h"
#include "passes.h"
#include "forget.h"
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif

#if defined(__aarch64__)
#define ON(name) name##_neon
#define LANES 4
#define VECTORS 4
#else
#define ON(name) name##_plain
#define LANES 4
#define VECTORS 2
#endif
#include "products.h"
#include "lstm.h"
#include "passes.h"

static const struct kernels sets[] = {
#if defined(__x86_64__)
    KERNELS(avx512, 16, 64, has_avx512),
    KERNELS(avx2, 8, 16, has_avx2),
#endif
#if defined(__aarch64__)
    KERNELS(neon, 4, 16, always),
#else
    KERNELS(plain, 4, 8, always),
#endif
};
#define SETS ((int)(sizeof sets / sizeof *sets))

static const struct kernels *chosen = sets;
static int threads = 1;

/* ---- Python -------------------------------------------------------------------------------- */

static long round_up(long n, long step) { return (n + step - 1) / step * step; }

/* Whether an array holds so many elements of a size. */
static int holds(const Py_buffer *array, long elements, size_t size) {
    if ((size_t)array->len == (size_t)elements * size) return 1;
    PyErr_Format(PyExc_ValueError, "an array has %zd bytes; expected %ld elements", array->len,
                 elements);
    return 0;
}

static void release(Py_buffer *arrays, int count) {
    for (int i = 0; i < count; i++) {
        if (arrays[i].obj) PyBuffer_Release(&arrays[i]);
    }
}

/* Do work without Python's lock; 0 when there is not enough memory. */
static int perform(work_function work, void *argument, float **first, size_t floats,
                   float **second, size_t more, int helpers) {
    int done = 0;
    Py_BEGIN_ALLOW_THREADS
    float *memory = enter(floats + more);
    if (memory) {
        *first = memory;
        *second = memory + floats;
        together(work, argument, helpers);
        leave();
        done = 1;
    }
    Py_END_ALLOW_THREADS
    if (!done) PyErr_NoMemory();
    return done;
}

PyDoc_STRVAR(multiply_doc, "multiply(A, B, C, bias, M, N, K, A_turned, B_turned): C = A B + bias.");

static PyObject *multiply(PyObject *module, PyObject *args) {
    Py_buffer arrays[4] = {{0}}; /* A, B, C, bias */
    struct product p = {0};
    PyObject *result = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*w*z*lllpp:multiply", &arrays[0], &arrays[1], &arrays[2],
                          &arrays[3], &p.M, &p.N, &p.K, &p.A_turned, &p.B_turned)) {
        release(arrays, 4);
        return NULL;
    }
    if (holds(&arrays[0], p.M * p.K, 4) && holds(&arrays[1], p.K * p.N, 4) &&
        holds(&arrays[2], p.M * p.N, 4) && (!arrays[3].obj || holds(&arrays[3], p.N, 4))) {
        p.A = arrays[0].buf;
        p.B = arrays[1].buf;
        p.C = arrays[2].buf;
        p.bias = arrays[3].buf;
        p.A_stride = p.A_turned ? p.M : p.K;
        p.B_stride = p.B_turned ? p.K : p.N;
        double work = (double)p.M * (double)p.N * (double)p.K;
        int helpers = work < 1e5 ? 1 : threads;
        size_t rows = p.A_turned ? (size_t)(blocks(p.M) * ROWS * DEPTH) : 0;
        size_t panels = (size_t)(helpers * DEPTH * chosen->width);
        if (perform(chosen->multiply, &p, &p.panels, panels, &p.rows, rows, helpers)) {
            result = Py_NewRef(Py_None);
        }
    }
    release(arrays, 4);
    return result;
}

/* Floats of the weights of a layer, laid out for the forward pass. */
static size_t forward_size(const struct lstm *l) {
    return (size_t)((l->D + l->H) * 4 * round_up(l->H, chosen->lanes));
}

/* The same for the backward pass. */
static size_t backward_size(const struct lstm *l) {
    return (size_t)(4 * l->H * (round_up(l->H, chosen->width) + round_up(l->D, chosen->width)));
}

PyDoc_STRVAR(forward_doc, "lstm_forward(a, W_h, h, c, tanh_c, lengths, x, W_x, b, T, B, H, D)");

static PyObject *lstm_forward(PyObject *module, PyObject *args) {
    Py_buffer arrays[9] = {{0}};
    struct lstm l = {0};
    PyObject *result = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "w*y*w*w*w*z*z*z*z*llll:lstm_forward", &arrays[0], &arrays[1],
                          &arrays[2], &arrays[3], &arrays[4], &arrays[5], &arrays[6], &arrays[7],
                          &arrays[8], &l.T, &l.B, &l.H, &l.D)) {
        release(arrays, 9);
        return NULL;
    }
    long states = l.T * l.B * l.H, all = states + l.B * l.H;
    if (holds(&arrays[0], 4 * states, 4) && holds(&arrays[1], 4 * l.H * l.H, 4) &&
        holds(&arrays[2], all, 4) && holds(&arrays[3], all, 4) && holds(&arrays[4], states, 4) &&
        (!arrays[5].obj || holds(&arrays[5], l.B, 8)) &&
        (!l.D || (holds(&arrays[6], l.T * l.B * l.D, 4) && holds(&arrays[7], 4 * l.D * l.H, 4) &&
                  holds(&arrays[8], 4 * l.H, 4)))) {
        l.a = arrays[0].buf;
        l.W_h = arrays[1].buf;
        l.h = arrays[2].buf;
        l.c = arrays[3].buf;
        l.tanh_c = arrays[4].buf;
        l.lengths = arrays[5].buf;
        l.x = arrays[6].buf;
        l.W_x = arrays[7].buf;
        l.b = arrays[8].buf;
        int helpers = (double)l.B * (double)l.H * (double)l.H < 3e4 ? 1 : threads;
        float *nothing;
        if (perform(chosen->forward, &l, &l.weights, forward_size(&l), &nothing, 0, helpers)) {
            result = Py_NewRef(Py_None);
        }
    }
    release(arrays, 9);
    return result;
}

PyDoc_STRVAR(backward_doc,
             "lstm_backward(a, W_h, c, tanh_c, lengths, dy, da, dh, dc, db, W_x, dx, T, B, H, D)");

static PyObject *lstm_backward(PyObject *module, PyObject *args) {
    Py_buffer arrays[12] = {{0}};
    struct lstm l = {0};
    PyObject *result = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*y*y*z*y*w*w*w*w*z*z*llll:lstm_backward", &arrays[0],
                          &arrays[1], &arrays[2], &arrays[3], &arrays[4], &arrays[5], &arrays[6],
                          &arrays[7], &arrays[8], &arrays[9], &arrays[10], &arrays[11], &l.T, &l.B,
                          &l.H, &l.D)) {
        release(arrays, 12);
        return NULL;
    }
    long state = l.B * l.H, states = l.T * state;
    if (holds(&arrays[0], 4 * states, 4) && holds(&arrays[1], 4 * l.H * l.H, 4) &&
        holds(&arrays[2], states + state, 4) && holds(&arrays[3], states, 4) &&
        (!arrays[4].obj || holds(&arrays[4], l.B, 8)) && holds(&arrays[5], states, 4) &&
        holds(&arrays[6], 4 * states, 4) && holds(&arrays[7], state, 4) &&
        holds(&arrays[8], state, 4) && holds(&arrays[9], 4 * l.H, 4) &&
        (!l.D || (holds(&arrays[10], 4 * l.D * l.H, 4) &&
                  holds(&arrays[11], l.T * l.B * l.D, 4)))) {
        l.a = arrays[0].buf;
        l.W_h = arrays[1].buf;
        l.c = arrays[2].buf;
        l.tanh_c = arrays[3].buf;
        l.lengths = arrays[4].buf;
        l.dy = arrays[5].buf;
        l.da = arrays[6].buf;
        l.dh = arrays[7].buf;
        l.dc = arrays[8].buf;
        l.db = arrays[9].buf;
        l.W_x = arrays[10].buf;
        l.dx = arrays[11].buf;
        int helpers = (double)l.B * (double)l.H * (double)l.H < 3e4 ? 1 : threads;
        size_t sums = (size_t)(blocks(l.B) * 4 * l.H);
        if (perform(chosen->backward, &l, &l.weights, backward_size(&l), &l.sums, sums, helpers)) {
            result = Py_NewRef(Py_None);
        }
    }
    release(arrays, 12);
    return result;
}

/* Whether n numbers lie between 0 and limit − 1: they name places in memory. */
static int within(const int32_t *numbers, long n, long limit) {
    for (long i = 0; i < n; i++) {
        if (numbers[i] < 0 || numbers[i] >= limit) {
            PyErr_Format(PyExc_ValueError, "a number is %d; expected 0 to %ld", (int)numbers[i],
                         limit - 1);
            return 0;
        }
    }
    return 1;
}

static PyObject *pass(work_function work, void *argument, long elements) {
    float *nothing;
    if (!perform(work, argument, &nothing, 0, &nothing, 0, elements < 1 << 14 ? 1 : threads)) {
        return NULL;
    }
    return Py_NewRef(Py_None);
}

PyDoc_STRVAR(softmax_doc, "softmax(z, targets, p, costs, N, V)");

static PyObject *softmax(PyObject *module, PyObject *args) {
    Py_buffer arrays[4] = {{0}};
    struct softmax s = {0};
    PyObject *result = NULL;
    (void)module;
    if (PyArg_ParseTuple(args, "y*y*w*w*ll:softmax", &arrays[0], &arrays[1], &arrays[2],
                         &arrays[3], &s.N, &s.V) &&
        holds(&arrays[0], s.N * s.V, 4) && holds(&arrays[1], s.N, 4) &&
        holds(&arrays[2], s.N * s.V, 4) && holds(&arrays[3], s.N, 4) &&
        within(arrays[1].buf, s.N, s.V)) {
        s.z = arrays[0].buf;
        s.targets = arrays[1].buf;
        s.p = arrays[2].buf;
        s.costs = arrays[3].buf;
        result = pass(chosen->softmax, &s, s.N * s.V);
    }
    release(arrays, 4);
    return result;
}

PyDoc_STRVAR(slope_doc, "softmax_slope(p, targets, w, factor, dz, N, V)");

static PyObject *softmax_slope(PyObject *module, PyObject *args) {
    Py_buffer arrays[4] = {{0}};
    struct softmax s = {0};
    PyObject *result = NULL;
    (void)module;
    if (PyArg_ParseTuple(args, "y*y*z*fw*ll:softmax_slope", &arrays[0], &arrays[1], &arrays[2],
                         &s.factor, &arrays[3], &s.N, &s.V) &&
        holds(&arrays[0], s.N * s.V, 4) && holds(&arrays[1], s.N, 4) &&
        (!arrays[2].obj || holds(&arrays[2], s.N, 4)) && holds(&arrays[3], s.N * s.V, 4) &&
        within(arrays[1].buf, s.N, s.V)) {
        s.p = arrays[0].buf;
        s.targets = arrays[1].buf;
        s.w = arrays[2].buf;
        s.dz = arrays[3].buf;
        result = pass(chosen->softmax_slope, &s, s.N * s.V);
    }
    release(arrays, 4);
    return result;
}

PyDoc_STRVAR(scatter_doc, "scatter(numbers, rows, out, N, V, D)");

static PyObject *scatter(PyObject *module, PyObject *args) {
    Py_buffer arrays[3] = {{0}};
    struct scatter s = {0};
    PyObject *result = NULL;
    (void)module;
    if (PyArg_ParseTuple(args, "y*y*w*lll:scatter", &arrays[0], &arrays[1], &arrays[2], &s.N, &s.V,
                         &s.D) &&
        holds(&arrays[0], s.N, 4) && holds(&arrays[1], s.N * s.D, 4) &&
        holds(&arrays[2], s.V * s.D, 4) && within(arrays[0].buf, s.N, s.V)) {
        s.numbers = arrays[0].buf;
        s.from = arrays[1].buf;
        s.to = arrays[2].buf;
        result = pass(chosen->scatter, &s, s.N * s.D);
    }
    release(arrays, 3);
    return result;
}

PyDoc_STRVAR(squares_doc, "squares(array, n): the sum of the squares.");

static PyObject *squares(PyObject *module, PyObject *args) {
    Py_buffer array = {0};
    struct update u = {0};
    float *sums = NULL, *nothing;
    double total = 0;
    int done = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*l:squares", &array, &u.n)) return NULL;
    size_t count = (size_t)((u.n + LENGTH - 1) / LENGTH);
    if (holds(&array, u.n, 4)) {
        u.gradient = array.buf;
        u.sums = PyMem_Malloc((count + 1) * sizeof(double));
        done = u.sums && perform(chosen->squares, &u, &sums, 0, &nothing, 0,
                                 u.n < 1 << 14 ? 1 : threads);
        for (size_t i = 0; done && i < count; i++) total += u.sums[i];
        PyMem_Free(u.sums);
    }
    PyBuffer_Release(&array);
    return done ? PyFloat_FromDouble(total) : PyErr_Occurred() ? NULL : PyErr_NoMemory();
}

PyDoc_STRVAR(scale_doc, "scale(array, factor, n)");

static PyObject *scale(PyObject *module, PyObject *args) {
    Py_buffer array = {0};
    struct update u = {0};
    PyObject *result = NULL;
    (void)module;
    if (PyArg_ParseTuple(args, "w*fl:scale", &array, &u.rate, &u.n) && holds(&array, u.n, 4)) {
        u.value = array.buf;
        result = pass(chosen->scale, &u, u.n);
    }
    release(&array, 1);
    return result;
}

PyDoc_STRVAR(rmsprop_doc, "rmsprop(value, gradient, g, n, decay, epsilon, rate)");

static PyObject *rmsprop(PyObject *module, PyObject *args) {
    Py_buffer arrays[3] = {{0}};
    struct update u = {0};
    PyObject *result = NULL;
    double decay;
    (void)module;
    if (PyArg_ParseTuple(args, "w*y*w*ldff:rmsprop", &arrays[0], &arrays[1], &arrays[2], &u.n,
                         &decay, &u.epsilon, &u.rate) &&
        holds(&arrays[0], u.n, 4) && holds(&arrays[1], u.n, 4) && holds(&arrays[2], u.n, 4)) {
        u.value = arrays[0].buf;
        u.gradient = arrays[1].buf;
        u.second = arrays[2].buf;
        u.decay2 = (float)decay;
        u.rest2 = (float)(1 - decay);
        result = pass(chosen->rmsprop, &u, u.n);
    }
    release(arrays, 3);
    return result;
}

PyDoc_STRVAR(adam_doc, "adam(value, gradient, m, v, n, beta1, beta2, factor, epsilon, rate)");

static PyObject *adam(PyObject *module, PyObject *args) {
    Py_buffer arrays[4] = {{0}};
    struct update u = {0};
    PyObject *result = NULL;
    double beta1, beta2;
    (void)module;
    if (PyArg_ParseTuple(args, "w*y*w*w*lddfff:adam", &arrays[0], &arrays[1], &arrays[2],
                         &arrays[3], &u.n, &beta1, &beta2, &u.factor, &u.epsilon, &u.rate) &&
        holds(&arrays[0], u.n, 4) && holds(&arrays[1], u.n, 4) && holds(&arrays[2], u.n, 4) &&
        holds(&arrays[3], u.n, 4)) {
        u.value = arrays[0].buf;
        u.gradient = arrays[1].buf;
        u.first = arrays[2].buf;
        u.second = arrays[3].buf;
        u.decay1 = (float)beta1;
        u.rest1 = (float)(1 - beta1);
        u.decay2 = (float)beta2;
        u.rest2 = (float)(1 - beta2);
        result = pass(chosen->adam, &u, u.n);
    }
    release(arrays, 4);
    return result;
}

/* Take a buffer of each item of a tuple; how many, or −1. */
static Py_ssize_t take_buffers(PyObject *tuple, Py_buffer *arrays, Py_ssize_t most, int flags) {
    Py_ssize_t count = PyTuple_Size(tuple);
    if (count < 0) return -1;
    if (count > most) {
        PyErr_SetString(PyExc_ValueError, "there are too many layers");
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (PyObject_GetBuffer(PyTuple_GetItem(tuple, i), &arrays[i], flags)) return -1;
    }
    return count;
}

/* Let the layers of a network, and its last product, point to laid out weights; return how many
 * floats these are. Each part begins at a full line. */
static size_t place(struct network *n, float *memory) {
    long at = 0;
    for (int i = 0; i < n->layers; i++) {
        struct lstm *l = &n->lstms[i];
        *l = (struct lstm){.T = 1, .B = n->B, .H = n->H, .D = i ? n->H : n->D};
        l->weights = memory + at;
        at += round_up((long)forward_size(l), 16);
        l->b = memory + at;
        at += round_up(4 * n->H, 16);
    }
    n->panels = memory + at;
    at += n->H * round_up(n->N, chosen->width);
    n->bias = memory + at;
    return (size_t)(at + n->N);
}

/* The first full line of a piece of memory. */
static float *aligned(void *memory) { return (float *)(((uintptr_t)memory + 63) / 64 * 64); }

/* What stands behind laid out weights: who laid them out, and where they begin. */
struct owner {
    const struct kernels *kernels;
    const float *first;
};

/* Bytes of laid out weights, with room to begin at a full line. */
static size_t laid_size(size_t floats) { return floats * sizeof(float) + 64 + sizeof(struct owner); }

PyDoc_STRVAR(lay_out_doc, "lay_out(weights, D, H, N): a network's weights as step() reads them.\n\n"
             "`weights` are W_x, W_h and b of each layer, then those of the last product (H, N).");

static PyObject *lay_out(PyObject *module, PyObject *args) {
    enum { MOST = 3 * MOST_LAYERS + 2 };
    Py_buffer arrays[MOST] = {{0}};
    PyObject *given, *result = NULL;
    struct network n = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "O!lll:lay_out", &PyTuple_Type, &given, &n.D, &n.H, &n.N)) {
        return NULL;
    }
    Py_ssize_t count = take_buffers(given, arrays, MOST, PyBUF_SIMPLE);
    n.layers = (int)(count / 3);
    int fit = count >= 5 && count % 3 == 2 && holds(&arrays[count - 2], n.H * n.N, 4) &&
              holds(&arrays[count - 1], n.N, 4);
    for (int i = 0; fit && i < n.layers; i++) {
        fit = holds(&arrays[3 * i], (i ? n.H : n.D) * 4 * n.H, 4) &&
              holds(&arrays[3 * i + 1], n.H * 4 * n.H, 4) && holds(&arrays[3 * i + 2], 4 * n.H, 4);
    }
    if (fit) {
        size_t floats = place(&n, NULL);
        result = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)laid_size(floats));
    }
    if (result) {
        float *nothing;
        char *memory = PyByteArray_AsString(result);
        struct owner owner = {chosen, aligned(memory)};
        memcpy(memory + PyByteArray_Size(result) - sizeof owner, &owner, sizeof owner);
        place(&n, aligned(memory));
        for (int i = 0; i < n.layers; i++) {
            n.lstms[i].W_x = arrays[3 * i].buf;
            n.lstms[i].W_h = arrays[3 * i + 1].buf;
            memcpy((float *)n.lstms[i].b, arrays[3 * i + 2].buf, (size_t)arrays[3 * i + 2].len);
        }
        n.W = arrays[count - 2].buf;
        memcpy((float *)n.bias, arrays[count - 1].buf, (size_t)arrays[count - 1].len);
        if (!perform(chosen->lay_out, &n, &nothing, 0, &nothing, 0, threads)) Py_CLEAR(result);
    } else if (!PyErr_Occurred()) {
        PyErr_SetString(PyExc_ValueError, "the weights do not fit");
    }
    release(arrays, MOST);
    return result;
}

PyDoc_STRVAR(step_doc, "step(input, embedding, x, laid, states, logits, B, D, H, V, N): one step.\n\n"
             "`input` is symbols (B,) where there is an embedding (V, D), and else None; `laid` comes\n"
             "from lay_out(); `states` are h and c (2, B, H) of each layer.");

static PyObject *step(PyObject *module, PyObject *args) {
    enum { STATES = 2 * MOST_LAYERS };
    Py_buffer arrays[5 + STATES] = {{0}}; /* input, embedding, x, laid, logits, states */
    Py_buffer *states = arrays + 5;
    PyObject *kept, *result = NULL;
    struct network n = {0};
    long V;
    (void)module;
    if (PyArg_ParseTuple(args, "z*z*w*y*O!w*lllll:step", &arrays[0], &arrays[1], &arrays[2],
                         &arrays[3], &PyTuple_Type, &kept, &arrays[4], &n.B, &n.D, &n.H, &V,
                         &n.N)) {
        Py_ssize_t count = take_buffers(kept, states, STATES, PyBUF_WRITABLE);
        long state = n.B * n.H;
        n.layers = (int)(count / 2);
        n.numbers = arrays[0].buf;
        n.embedding = arrays[1].buf;
        n.x = arrays[2].buf;
        n.logits = arrays[4].buf;
        int fit = count > 0 && count % 2 == 0 && holds(&arrays[2], n.B * n.D, 4) &&
                  holds(&arrays[4], n.B * n.N, 4) &&
                  (!n.numbers || (holds(&arrays[0], n.B, 4) && holds(&arrays[1], V * n.D, 4) &&
                                  within(n.numbers, n.B, V)));
        for (Py_ssize_t i = 0; fit && i < count; i++) fit = holds(&states[i], 2 * state, 4);
        struct owner owner = {0};
        if (fit && (size_t)arrays[3].len == laid_size(place(&n, NULL))) {
            memcpy(&owner, (char *)arrays[3].buf + arrays[3].len - sizeof owner, sizeof owner);
        }
        if (fit && (owner.kernels != chosen || owner.first != aligned(arrays[3].buf))) {
            PyErr_SetString(PyExc_ValueError, "the weights were laid out for another network, by "
                                              "other kernels, or elsewhere; make a new stepper");
            fit = 0;
        }
        if (fit) {
            float *nothing;
            double work = (double)n.B * (double)n.H * (double)n.H;
            place(&n, aligned(arrays[3].buf));
            for (int i = 0; i < n.layers; i++) {
                struct lstm *l = &n.lstms[i];
                l->x = i ? n.lstms[i - 1].h + state : n.x;
                l->h = states[2 * i].buf;
                l->c = states[2 * i + 1].buf;
            }
            if (perform(chosen->step, &n, &nothing, 0, &nothing, 0, work < 1e4 ? 1 : threads)) {
                result = Py_NewRef(Py_None);
            }
        } else if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "the states do not fit");
        }
    }
    release(arrays, 5 + STATES);
    return result;
}

PyDoc_STRVAR(draw_doc, "draw(logits, allowed, uniform, temperature, least, chosen, ln_p, N, V): "
                       "whether it could be done.");

static PyObject *draw(PyObject *module, PyObject *args) {
    Py_buffer arrays[5] = {{0}};
    struct draw d = {0};
    PyObject *result = NULL;
    (void)module;
    if (PyArg_ParseTuple(args, "y*z*y*ddw*w*ll:draw", &arrays[0], &arrays[1], &arrays[2],
                         &d.temperature, &d.least, &arrays[3], &arrays[4], &d.N, &d.V) &&
        holds(&arrays[0], d.N * d.V, 4) &&
        (!arrays[1].obj || arrays[1].len == d.V || holds(&arrays[1], d.N * d.V, 1)) &&
        holds(&arrays[2], d.N, 8) && holds(&arrays[3], d.N, 4) && holds(&arrays[4], d.N, 8)) {
        d.logits = arrays[0].buf;
        d.allowed = arrays[1].buf;
        d.stride = arrays[1].len == d.V ? 0 : d.V;
        d.uniform = arrays[2].buf;
        d.chosen = arrays[3].buf;
        d.ln_p = arrays[4].buf;
        int helpers = d.N * d.V < 1 << 11 ? 1 : threads;
        float *nothing;
        if (perform(draw_rows, &d, &d.memory, 2 * (size_t)(helpers * d.V), &nothing, 0,
                    helpers)) {
            result = PyBool_FromLong(!atomic_load(&d.failed));
        }
    }
    release(arrays, 5);
    return result;
}

PyDoc_STRVAR(supported_doc, "supported(): names of the instruction sets of this machine, best first.");

static PyObject *supported(PyObject *module, PyObject *args) {
    PyObject *names = PyList_New(0);
    (void)module;
    (void)args;
    for (int i = 0; names && i < SETS; i++) {
        if (!sets[i].supported()) continue;
        PyObject *name = PyUnicode_FromString(sets[i].name);
        if (!name || PyList_Append(names, name)) Py_CLEAR(names);
        Py_XDECREF(name);
    }
    return names;
}

PyDoc_STRVAR(choose_doc, "choose(name, threads): an instruction set that is supported.");

static PyObject *choose(PyObject *module, PyObject *args) {
    const char *name;
    int count;
    (void)module;
    if (!PyArg_ParseTuple(args, "si:choose", &name, &count)) return NULL;
    for (int i = 0; i < SETS; i++) {
        if (strcmp(sets[i].name, name) == 0 && sets[i].supported()) {
            chosen = &sets[i];
            threads = count < 1 ? 1 : count > MOST_THREADS ? MOST_THREADS : count;
            Py_RETURN_NONE;
        }
    }
    return PyErr_Format(PyExc_ValueError, "no instruction set %s", name);
}

static PyMethodDef methods[] = {
    {"multiply", multiply, METH_VARARGS, multiply_doc},
    {"lstm_forward", lstm_forward, METH_VARARGS, forward_doc},
    {"lstm_backward", lstm_backward, METH_VARARGS, backward_doc},
    {"softmax", softmax, METH_VARARGS, softmax_doc},
    {"softmax_slope", softmax_slope, METH_VARARGS, slope_doc},
    {"scatter", scatter, METH_VARARGS, scatter_doc},
    {"squares", squares, METH_VARARGS, squares_doc},
    {"scale", scale, METH_VARARGS, scale_doc},
    {"rmsprop", rmsprop, METH_VARARGS, rmsprop_doc},
    {"adam", adam, METH_VARARGS, adam_doc},
    {"lay_out", lay_out, METH_VARARGS, lay_out_doc},
    {"step", step, METH_VARARGS, step_doc},
    {"draw", draw, METH_VARARGS, draw_doc},
    {"supported", supported, METH_NOARGS, supported_doc},
    {"choose", choose, METH_VARARGS, choose_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_native", "Fast products and recurrent layers.", -1, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void);
PyMODINIT_FUNC PyInit__native(void) {
    pthread_atfork(NULL, NULL, forget_threads);
    return PyModule_Create(&definition);
}
