// Huge pages for a shared mapping. The kernel's setting for tmpfs is "never" on most machines, so they are not merely advised but asked
// for with MADV_COLLAPSE (Linux 6.1), and what the kernel gave is read back.
#ifndef HUGE_H
#define HUGE_H
#include "bench.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

enum { HUGE_PAGE_BYTES = 2 * 1024 * 1024, COLLAPSE_ATTEMPTS = 100, ATTEMPT_PAUSE_US = 10000 };

// Shared memory of this process that is mapped by huge pages.
static size_t huge_bytes(void)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    char line[256];
    size_t kib = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "ShmemPmdMapped: %zu", &kib) == 1) {
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kib * 1024;
}

// False, and errno, when the kernel refuses. Others may hold a page for a moment, or memory be short until it is compacted.
static bool make_huge(void *memory, size_t bytes)
{
    for (int attempt = 0; attempt < COLLAPSE_ATTEMPTS; attempt++) {
        if (madvise(memory, bytes, MADV_COLLAPSE) == 0) {
            return true;
        }
        if (errno == EINVAL || errno == EPERM) {
            return false;
        }
        usleep(ATTEMPT_PAUSE_US);
    }
    return false;
}

// An address at which that much can be mapped by huge pages.
static unsigned char *reserve_aligned(size_t bytes)
{
    unsigned char *memory = mmap(NULL, bytes + HUGE_PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        fail("mmap");
    }
    return memory + (HUGE_PAGE_BYTES - (uintptr_t)memory % HUGE_PAGE_BYTES) % HUGE_PAGE_BYTES;
}

// 0 when one huge page of shared memory can be had here; else 1, and the reason on standard error.
static int probe_huge(void)
{
    alarm(10);
    int file = memfd_create("probe", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, HUGE_PAGE_BYTES) != 0) {
        fail("memfd_create");
    }
    unsigned char *memory = reserve_aligned(HUGE_PAGE_BYTES);
    if (mmap(memory, HUGE_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) == MAP_FAILED) {
        fail("mmap");
    }
    memset(memory, 1, HUGE_PAGE_BYTES);
    if (!make_huge(memory, HUGE_PAGE_BYTES)) {
        fprintf(stderr, "the kernel refuses huge pages for shared memory (MADV_COLLAPSE: %s)\n", strerror(errno));
        return 1;
    }
    if (huge_bytes() < HUGE_PAGE_BYTES) {
        fprintf(stderr, "the kernel grants MADV_COLLAPSE, but maps no huge page\n");
        return 1;
    }
    return 0;
}

#endif
