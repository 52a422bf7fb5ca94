/* Threads that work on one thing together, and memory for what they lay out.
 *
 * The threads start with the first work that needs them. Between two pieces of work they watch for
 * the next for a tenth of a millisecond, which is about what lies between two layers, and then
 * sleep. After a fork the child starts threads of its own.
 */

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define MOST_THREADS 64
#define PATIENCE 1e-4 /* seconds */

typedef void (*work_function)(void *argument, int thread, int threads);

static struct {
    pthread_mutex_t busy;          /* held by whoever uses the pool and its memory */
    pthread_mutex_t asleep;        /* guards those who wait for `wake` */
    pthread_cond_t wake;
    int started;                   /* threads beside the caller */
    work_function work;
    void *argument;
    int threads;                   /* that take part in the present work */
    atomic_ulong generation;       /* of the work: one more says that there is something to do */
    atomic_ulong finished;         /* threads that have done with it */
    atomic_int waiting;            /* threads at the barrier */
    atomic_ulong barrier;          /* times that all have met there */
    atomic_long next;              /* task, see take() */
    float *memory;
    size_t size;                   /* of the memory, in floats */
} pool = {.busy = PTHREAD_MUTEX_INITIALIZER, .asleep = PTHREAD_MUTEX_INITIALIZER,
          .wake = PTHREAD_COND_INITIALIZER};

static inline void rest(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

static double seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Wait while a counter has a value: with open eyes, and after `patience` seconds not; return
 * whether it has changed. */
static int watch(atomic_ulong *counter, unsigned long value, double patience) {
    double end = 0;
    for (long turn = 0;; turn++) {
        if (atomic_load_explicit(counter, memory_order_acquire) != value) return 1;
        rest();
        if (turn % 64 == 63) {
            double now = seconds();
            if (!end) end = now + patience;
            if (now > end) return 0;
        }
    }
}

/* Who a thread is, and the last work before it came. */
struct servant {
    int number;
    unsigned long seen;
};
static struct servant servants[MOST_THREADS];

static void *serve(void *argument) {
    const struct servant *self = argument;
    unsigned long seen = self->seen;
    for (;;) {
        if (!watch(&pool.generation, seen, PATIENCE)) {
            pthread_mutex_lock(&pool.asleep);
            while (atomic_load(&pool.generation) == seen) {
                pthread_cond_wait(&pool.wake, &pool.asleep);
            }
            pthread_mutex_unlock(&pool.asleep);
        }
        seen = atomic_load(&pool.generation);
        if (self->number < pool.threads) pool.work(pool.argument, self->number, pool.threads);
        atomic_fetch_add_explicit(&pool.finished, 1, memory_order_release);
    }
    return NULL;
}

/* Have `wanted` threads beside the caller, or as many as the system gives. */
static void start_threads(int wanted) {
    sigset_t all, former;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &former); /* signals are for the threads of Python */
    for (; pool.started < wanted; pool.started++) {
        pthread_t thread;
        struct servant *servant = &servants[pool.started];
        *servant = (struct servant){pool.started + 1, atomic_load(&pool.generation)};
        if (pthread_create(&thread, NULL, serve, servant)) break;
        pthread_detach(thread);
    }
    pthread_sigmask(SIG_SETMASK, &former, NULL);
}

/* In the child of a fork there are no threads, and nobody is at work. */
static void forget_threads(void) {
    pthread_mutex_init(&pool.busy, NULL);
    pthread_mutex_init(&pool.asleep, NULL);
    pthread_cond_init(&pool.wake, NULL);
    pool.started = 0;
    atomic_store(&pool.waiting, 0);
}

/* Take the pool and memory for `floats` floats; return NULL when there is not as much. */
static float *enter(size_t floats) {
    pthread_mutex_lock(&pool.busy);
    if (floats > pool.size || !pool.memory) {
        free(pool.memory);
        pool.memory = NULL;
        pool.size = 0;
        if (posix_memalign((void **)&pool.memory, 64, (floats + 16) * sizeof(float))) {
            pthread_mutex_unlock(&pool.busy);
            return NULL;
        }
        pool.size = floats;
    }
    return pool.memory;
}

static void leave(void) { pthread_mutex_unlock(&pool.busy); }

/* Have a function called by some threads, the caller among them, and wait for all. */
static void together(work_function work, void *argument, int threads) {
    if (threads > pool.started + 1) start_threads(threads - 1);
    if (threads > pool.started + 1) threads = pool.started + 1;
    atomic_store(&pool.next, 0);
    if (threads == 1) {
        work(argument, 0, 1);
        return;
    }
    pool.work = work;
    pool.argument = argument;
    pool.threads = threads;
    atomic_store(&pool.finished, 0);
    pthread_mutex_lock(&pool.asleep);
    atomic_fetch_add(&pool.generation, 1);
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.asleep);
    work(argument, 0, threads);
    for (unsigned turn = 1; atomic_load_explicit(&pool.finished, memory_order_acquire) !=
                            (unsigned long)pool.started; turn++) {
        rest();
        if (turn % 1024 == 0) sched_yield(); /* there may be fewer processors than threads */
    }
}

/* Wait at this place for all threads of the work. */
static void meet(int threads) {
    if (threads == 1) return;
    unsigned long now = atomic_load(&pool.barrier);
    if (atomic_fetch_add(&pool.waiting, 1) + 1 == threads) {
        atomic_store(&pool.waiting, 0);
        atomic_fetch_add(&pool.barrier, 1);
        return;
    }
    while (!watch(&pool.barrier, now, PATIENCE)) sched_yield();
}

/* Return the number of the next task that no thread has taken. */
static inline long take(void) { return atomic_fetch_add(&pool.next, 1); }

/* What a thread has of some things. */
struct share {
    long first, count;
};

static struct share share_of(long things, int thread, int threads) {
    long first = things * thread / threads;
    return (struct share){first, things * (thread + 1) / threads - first};
}

/* The i-th thing of a share at step t: forwards in even steps, backwards in odd ones. */
static inline long to_and_fro(struct share share, long t, long i) {
    return share.first + (t % 2 ? share.count - 1 - i : i);
}
