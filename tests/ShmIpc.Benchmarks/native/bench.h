// What both C baselines share: pinning, the clock, the shared file, the percentiles, and the one JSON line they print.
// A baseline is one program that forks, so that two processes share the memory; whatever happens it ends by itself.
#ifndef BENCH_H
#define BENCH_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, SLICE_NS = 250000, MAX_SAMPLES = 4 * 1024 * 1024 };

static inline void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory"); // `yield` does nothing on the usual cores
#endif
}

static inline uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) {
        fail("sched_setaffinity");
    }
}

// A file of that many bytes, allocated, and unlinked at once: nothing of it can stay behind.
static int open_shared(const char *path, size_t bytes)
{
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        fail(path);
    }
    unlink(path);
    int error = posix_fallocate(file, 0, (off_t)bytes);
    if (error != 0) {
        errno = error;
        fail("posix_fallocate");
    }
    return file;
}

static void *map_shared(int file, size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
    if (memory == MAP_FAILED) {
        fail("mmap");
    }
    return memory;
}

// Dies with the thread that started it, and after `seconds` at the latest. In the driver that is a thread of the pool, which keeps an idle
// one for 20 s: longer than any run of these programs.
static void limit_life(unsigned seconds)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(seconds);
}

// Forks the second process; it dies with the first.
static pid_t start_peer(unsigned seconds)
{
    pid_t peer = fork();
    if (peer < 0) {
        fail("fork");
    }
    limit_life(seconds);
    return peer;
}

static void finish_peer(pid_t peer)
{
    int status;
    if (waitpid(peer, &status, 0) != peer || status != 0) {
        fprintf(stderr, "the second process failed\n");
        exit(1);
    }
}

static int compare_samples(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static double percentile(const uint32_t *sorted, size_t count, double fraction)
{
    return count == 0 ? 0 : sorted[(size_t)(fraction * (double)(count - 1))];
}

static int compare_rates(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

// One way. rates: messages a second of each slice.
static inline void report_rates(uint64_t operations, uint64_t elapsed_ns, double *rates, size_t count)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    qsort(rates, count, sizeof *rates, compare_rates);
    printf("{\"operations\":%llu,\"seconds\":%.9f,\"undisturbedPerSecond\":%.0f,\"preemptions\":%ld}\n",
           (unsigned long long)operations, (double)elapsed_ns * 1e-9, count == 0 ? 0 : rates[(size_t)(0.9 * (double)(count - 1))],
           usage.ru_nivcsw);
}

// The distribution for plots, at the percentiles of LatencyCurve.cs: 8 of each decade of the part that is slower.
static inline void print_latencies(const uint32_t *sorted, size_t count)
{
    double slower = 1;
    for (int i = 0; i <= 8 * 6 && slower * (double)count >= 1; i++) {
        printf("%s{\"percentile\":%.7f,\"ns\":%.0f}", i == 0 ? "" : ",", 100 * (1 - slower), percentile(sorted, count, 1 - slower));
        slower *= 0.74989420933245587; // the eighth root of a tenth
    }
}

// Round trips. batches: nanoseconds of each batch in the phase of `operations` and `elapsed_ns`; samples: of single round trips.
static inline void report(uint64_t operations, uint64_t elapsed_ns, uint32_t *batches, size_t batch_count, uint32_t *samples, size_t count)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    qsort(batches, batch_count, sizeof *batches, compare_samples);
    qsort(samples, count, sizeof *samples, compare_samples);
    printf("{\"operations\":%llu,\"seconds\":%.9f,\"typicalNs\":%.3f,\"p50Ns\":%.0f,\"p90Ns\":%.0f,\"p99Ns\":%.0f,\"p999Ns\":%.0f,\"maxNs\":%.0f,"
           "\"samples\":%zu,\"preemptions\":%ld,\"latencies\":[",
           (unsigned long long)operations, (double)elapsed_ns * 1e-9, percentile(batches, batch_count, 0.5) / BATCH,
           percentile(samples, count, 0.5), percentile(samples, count, 0.9), percentile(samples, count, 0.99),
           percentile(samples, count, 0.999), percentile(samples, count, 1.0), count, usage.ru_nivcsw);
    print_latencies(samples, count);
    printf("]}\n");
}

// Round trips 0, 1, 2, ...: first to warm up, then with a clock only around each batch, then each timed, for the percentiles.
static inline void measure_round_trips(void (*round_trip)(void *, uint64_t), void *state, uint64_t warm_up_ns, uint64_t measure_ns)
{
    uint32_t *batches = calloc(MAX_SAMPLES, sizeof *batches), *samples = calloc(MAX_SAMPLES, sizeof *samples);
    uint64_t number = 0, start = now_ns(), now = start;
    while (now - start < warm_up_ns) {
        for (int i = 0; i < BATCH; i++) {
            round_trip(state, number++);
        }
        now = now_ns();
    }
    size_t batch_count = 0;
    for (start = now; now - start < measure_ns && batch_count < MAX_SAMPLES;) {
        uint64_t before = now;
        for (int i = 0; i < BATCH; i++) {
            round_trip(state, number++);
        }
        now = now_ns();
        batches[batch_count++] = (uint32_t)(now - before);
    }
    uint64_t elapsed = now - start;
    size_t count = 0;
    for (start = now; now - start < measure_ns && count < MAX_SAMPLES;) {
        uint64_t before = now_ns();
        round_trip(state, number++);
        now = now_ns();
        samples[count++] = (uint32_t)(now - before);
    }
    report(batch_count * BATCH, elapsed, batches, batch_count, samples, count);
    free(batches);
    free(samples);
}

#endif
