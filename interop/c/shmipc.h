/* shmipc.h: reads and writes the channels of ShmIpc from C, in one header. For Linux on 64-bit little-endian machines.
 *
 *     #define SHMIPC_IMPLEMENTATION      in exactly one source file, before any other header
 *     #include "shmipc.h"
 *
 * Written from docs/memory-layout.md (layout 2.0), whose words it uses; read that first. It opens channels that exist, publishes, reads in
 * place as an ephemeral exclusive group, sleeps and wakes, and continues the lanes of the dead. It creates no channels, joins no named
 * groups, and refuses what it does not know. Compiles as C11 and as C++11, with gcc and clang.
 *
 * Every function returns 0 or more when it succeeds, and a negative error (-EAGAIN, ...) when not; shmipc_message() says what it means.
 * A channel with everything made from it belongs to one thread at a time, but for this: once made, each producer and each consumer may
 * have a thread of its own. After fork() the child must open the channel anew.
 *
 * MIT License
 *
 * Copyright (c) 2026 The ShmIpc authors
 *
 * Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
 * "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
 * distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to
 * the following conditions: The above copyright notice and this permission notice shall be included in all copies or substantial portions
 * of the Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
 * WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS
 * BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
 * CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE. */
#ifndef SHMIPC_H
#define SHMIPC_H

#if defined(SHMIPC_IMPLEMENTATION) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* open file description locks, syscall() */
#endif
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct shmipc_channel shmipc_channel;
typedef struct shmipc_producer shmipc_producer;
typedef struct shmipc_consumer shmipc_consumer;

/* A message where it lies in the lane. */
typedef struct shmipc_record {
    const void *payload; /* not aligned beyond 8 bytes; may be written to by a peer that breaks the rules, so copy what you check */
    size_t length;       /* bytes */
    unsigned lane;       /* order holds within a lane */
    uint64_t position;   /* of the record in its lane, in bytes ever written */
    uint64_t number;     /* of the message in its lane, from 0 */
} shmipc_record;

/* Opens the channel `name`. root: the directory, or NULL for $SHMIPC_ROOT or else /dev/shm/shmipc-UID. format and schema: of the payload,
 * must equal the channel's; NULL is "bytes". -ENOENT: there is none; -EPROTO, -EPROTONOSUPPORT, -EMEDIUMTYPE: it is no such channel. */
int shmipc_open(shmipc_channel **channel, const char *root, const char *name, const char *format, uint64_t schema);
int shmipc_close(shmipc_channel *channel); /* -EBUSY: close its producers and consumers first */
size_t shmipc_max_length(const shmipc_channel *channel); /* of a message, in bytes */

/* Takes a free lane, or one whose producer died. -EUSERS: none is free; -ENOTSUP: the channel has settings that this peer does not keep. */
int shmipc_producer_open(shmipc_producer **producer, shmipc_channel *channel);
void shmipc_producer_close(shmipc_producer *producer); /* leaves, which completes nothing */

/* Publishes one message. timeout_ms: 0 does not wait, below 0 waits for ever. -EAGAIN: no room in that time; -EMSGSIZE. */
int shmipc_write(shmipc_producer *producer, const void *payload, size_t length, int timeout_ms);

/* The same in place: room for up to `length` bytes, then commit what was filled of it. Another claim forgets an uncommitted one. */
int shmipc_claim(shmipc_producer *producer, size_t length, void **payload, int timeout_ms);
int shmipc_commit(shmipc_producer *producer, size_t length);

/* Says that no more will come; readers end when every living producer has. With an error when error_message is not NULL. */
int shmipc_complete(shmipc_producer *producer, const char *error_type, const char *error_message);

/* Joins as a group of its own, which sees every message from the oldest on. -EUSERS: no group is free; -ENOTSUP: messages can be lost. */
int shmipc_consumer_open(shmipc_consumer **consumer, shmipc_channel *channel);
void shmipc_consumer_close(shmipc_consumer *consumer);

/* The next message of some lane, in place and valid until the next call for this consumer, which gives it back. -EAGAIN: none in that
 * time; -EPIPE: completed and all is read; -EREMOTEIO: the same, and a producer completed with an error, see shmipc_fault(). */
int shmipc_read(shmipc_consumer *consumer, shmipc_record *record, int timeout_ms);
int shmipc_release(shmipc_consumer *consumer);               /* gives it back now */
const char *shmipc_fault(const shmipc_consumer *consumer);   /* "type: message", empty before -EREMOTEIO */

const char *shmipc_message(int error);

#ifdef __cplusplus
}
#endif
#endif

#if defined(SHMIPC_IMPLEMENTATION) && !defined(SHMIPC_IMPLEMENTED)
#define SHMIPC_IMPLEMENTED
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef F_OFD_SETLK
#error "Include shmipc.h before any other header where SHMIPC_IMPLEMENTATION is defined, or compile with -D_GNU_SOURCE."
#endif
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ || !defined(__LP64__)
#error "ShmIpc regions are for 64-bit little-endian machines."
#endif

#ifndef SHMIPC_SPINS
#define SHMIPC_SPINS 500 /* looks before a wait goes to sleep */
#endif
#ifndef SHMIPC_PARK_MS
#define SHMIPC_PARK_MS 50 /* no sleep is longer without a look */
#endif

enum {
    SHMI_HEADER_BYTES = 4096, SHMI_STATE = 2048, SHMI_IN_USE = 1, SHMI_DELETED = 2,
    SHMI_SLOT_BYTES = 256, SHMI_PID = 8, SHMI_ROLE = 12, SHMI_JOINED = 16, SHMI_PLACE = 24, SHMI_INTENTS = 128, SHMI_MAX_INTENTS = 8,
    SHMI_READERS = 0, SHMI_WRITERS = 128, SHMI_BELLS = 256, SHMI_BELL_BYTES = 64, SHMI_DOORBELL_BYTES = 16640,
    SHMI_CONTROL_BYTES = 4096, SHMI_VERSION = 0, SHMI_ACTIVE = 128, SHMI_LANE_SET = 256, SHMI_COMPLETIONS = 384, SHMI_CLAIMANTS = 512, SHMI_JOINS = 640,
    SHMI_LANE_BYTES = 1024, SHMI_OWNER = 0, SHMI_COMMITTED = 128, SHMI_FLOOR = 256,
    SHMI_COMPLETION = 512, SHMI_FAULT = 520, SHMI_ERROR_TYPE = 528, SHMI_ERROR_TEXT = 592,
    SHMI_GROUP_BYTES = 256, SHMI_KIND = 8, SHMI_FLAGS = 12, SHMI_NAME = 128,
    SHMI_DURABLE = 1, SHMI_COMPLETE = 2, SHMI_EXCLUSIVE = 1, SHMI_SHARED = 2,
    SHMI_CURSOR_BYTES = 64,
    SHMI_JOINING = 1, SHMI_ACTIVE_STATE = 2, SHMI_RETIRING = 3,
    SHMI_PARTICIPANTS = 0, SHMI_DOORBELLS, SHMI_CONTROL, SHMI_LANE_CONTROLS, SHMI_GROUPS, SHMI_CURSORS, SHMI_LANE_DATA, SHMI_SECTIONS,
    /* sections: kind - 1 */ SHMI_MAX_LANES = 32, SHMI_MAX_SLOTS = 256, SHMI_SETTINGS = 32,
    SHMI_PRODUCER = 1, SHMI_CONSUMER = 2,
    SHMI_COMMITTED_INTERVAL = 64, SHMI_TURN = 32, SHMI_ATTEMPTS = 1000, SHMI_BUSY_MS = 5
};
#define SHMI_LIFECYCLE ((UINT64_C(1) << 62) - 2)
#define SHMI_ATTACHED ((UINT64_C(1) << 62) - 1)
#define SHMI_STAMPS (UINT64_C(1) << 62)
#define SHMI_MAX_EPOCH ((UINT64_C(1) << 54) - 1)
#define SHMI_PRESENT (UINT64_C(1) << 63)
#define SHMI_NUMBER_MASK UINT64_C(0xFFFFFF)

struct shmi_section { uint32_t kind, count; uint64_t offset, length, stride; };

struct shmipc_channel {
    int lock_fd, probe_fd;  /* holds the locks, and also maps; asks about them */
    int users;              /* producers and consumers */
    int is_registered;      /* for membarrier */
    unsigned slots, lanes, groups;
    uint64_t capacity, settings[SHMI_SETTINGS];
    uint64_t at[SHMI_SECTIONS]; /* where the sections begin; the mapping ends where the lane data begins */
    unsigned char *map;
};

struct shmipc_producer {
    shmipc_channel *channel;
    uint64_t stamp, position, number, limit, floor, floor_number, committed_number, claimed;
    unsigned lane;
    int is_completed;
    unsigned char *control, *data;
};

struct shmi_lane { const unsigned char *data; uint64_t position, number, released; };

struct shmipc_consumer {
    shmipc_channel *channel;
    uint64_t stamp, held; /* held: bytes of the record that is out, 0 = none */
    unsigned group, lane, turn;
    char fault[256];
    struct shmi_lane lanes[SHMI_MAX_LANES];
};

/* ---- Memory. Addresses are computed from checked geometry and from nothing that was read later. ---- */

static uint64_t *shmi_word(const unsigned char *base, uint64_t offset) { return (uint64_t *)(void *)(uintptr_t)(base + offset); }
static uint32_t *shmi_half(const unsigned char *base, uint64_t offset) { return (uint32_t *)(void *)(uintptr_t)(base + offset); }
static uint64_t shmi_load(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static void shmi_store(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
static void shmi_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

static int shmi_cas(uint64_t *word, uint64_t expected, uint64_t value)
{
    return __atomic_compare_exchange_n(word, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static uint64_t *shmi_cursor(const shmipc_channel *c, unsigned lane, unsigned group)
{
    return shmi_word(c->map + c->at[SHMI_CURSORS], ((uint64_t)lane * c->groups + group) * SHMI_CURSOR_BYTES);
}

static uint64_t *shmi_slot(const shmipc_channel *c, unsigned slot, unsigned offset)
{
    return shmi_word(c->map + c->at[SHMI_PARTICIPANTS], (uint64_t)slot * SHMI_SLOT_BYTES + offset);
}

static uint64_t *shmi_group(const shmipc_channel *c, unsigned group)
{
    return shmi_word(c->map + c->at[SHMI_GROUPS], (uint64_t)group * SHMI_GROUP_BYTES);
}

static unsigned char *shmi_control(const shmipc_channel *c, unsigned lane)
{
    return c->map + c->at[SHMI_LANE_CONTROLS] + (uint64_t)lane * SHMI_LANE_BYTES;
}

static uint64_t *shmi_channel_word(const shmipc_channel *c, unsigned offset) { return shmi_word(c->map + c->at[SHMI_CONTROL], offset); }

static uint32_t *shmi_bell(const unsigned char *doorbells, unsigned slot)
{
    return shmi_half(doorbells, SHMI_BELLS + (uint64_t)slot * SHMI_BELL_BYTES);
}

static void shmi_cell_write(unsigned char *cell, uint64_t position, uint64_t number)
{
    uint64_t version = shmi_load(shmi_word(cell, 0)) + 1;
    shmi_store(shmi_word(cell, 8 + (version & 1) * 16), position);
    shmi_store(shmi_word(cell, 16 + (version & 1) * 16), number);
    shmi_store(shmi_word(cell, 0), version);
}

static int shmi_cell_read(const unsigned char *cell, uint64_t *position, uint64_t *number)
{
    for (int i = 0; i < SHMI_ATTEMPTS; i++) {
        uint64_t version = shmi_load(shmi_word(cell, 0));
        *position = shmi_load(shmi_word(cell, 8 + (version & 1) * 16));
        *number = shmi_load(shmi_word(cell, 16 + (version & 1) * 16));
        if (shmi_load(shmi_word(cell, 0)) == version) return *position >> 63 || (*position & 7) || *number >> 63 ? -EBADMSG : 0;
    }
    return -EBADMSG;
}

/* A lane twice in a row, so that a record that passes the end is contiguous. */
static unsigned char *shmi_map_lane(const shmipc_channel *c, unsigned lane, int protection)
{
    off_t offset = (off_t)(c->at[SHMI_LANE_DATA] + lane * c->capacity);
    unsigned char *data = (unsigned char *)mmap(NULL, 2 * c->capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == (unsigned char *)MAP_FAILED) return NULL;
    for (unsigned half = 0; half < 2; half++) {
        if (mmap(data + half * c->capacity, c->capacity, protection, MAP_SHARED | MAP_FIXED, c->lock_fd, offset) == MAP_FAILED) {
            munmap(data, 2 * c->capacity);
            return NULL;
        }
    }
    return data;
}

/* ---- Locks and liveness ---- */

/* F_OFD_SETLK or F_OFD_GETLK of one byte: true when it was locked, or is locked by nobody who would keep us out. */
static int shmi_lock(int fd, int command, int type, uint64_t byte)
{
    struct flock lock;
    memset(&lock, 0, sizeof lock);
    lock.l_type = (short)type;
    lock.l_whence = SEEK_SET;
    lock.l_start = (off_t)byte;
    lock.l_len = 1;
    return fcntl(fd, command, &lock) == 0 && (command == F_OFD_SETLK || lock.l_type == F_UNLCK);
}

static int shmi_is_alive(const shmipc_channel *c, uint64_t stamp)
{
    return stamp >> 8 != 0 && stamp >> 8 <= SHMI_MAX_EPOCH && (stamp & 255) < c->slots
        && !shmi_lock(c->probe_fd, F_OFD_GETLK, F_WRLCK, SHMI_STAMPS + stamp);
}

static uint64_t shmi_stamp_of(const shmipc_channel *c, unsigned slot) { return shmi_load(shmi_slot(c, slot, 0)) << 8 | slot; }

static int shmi_join(shmipc_channel *c, uint32_t role, uint64_t *stamp)
{
    for (unsigned slot = 0; slot < c->slots; slot++) {
        uint64_t *epoch_word = shmi_slot(c, slot, 0), epoch = shmi_load(epoch_word), intents = 0;
        if (epoch >= SHMI_MAX_EPOCH || shmi_is_alive(c, epoch << 8 | slot)) continue;
        for (unsigned i = 0; i < SHMI_MAX_INTENTS; i++) intents |= shmi_load(shmi_slot(c, slot, SHMI_INTENTS + 8 * i));
        if (intents != 0) continue; /* behind the holder's death: it leaves no more */
        *stamp = (epoch + 1) << 8 | slot;
        if (!shmi_lock(c->lock_fd, F_OFD_SETLK, F_WRLCK, SHMI_STAMPS + *stamp)) continue;
        if (shmi_load(epoch_word) == epoch) { /* from here on nobody else raises it */
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            shmi_store(shmi_slot(c, slot, SHMI_PLACE), 0); /* before anybody can take the newcomer for a member of the dead one's group */
            __atomic_store_n(shmi_half((unsigned char *)epoch_word, SHMI_PID), (uint32_t)getpid(), __ATOMIC_RELAXED);
            __atomic_store_n(shmi_half((unsigned char *)epoch_word, SHMI_ROLE), role, __ATOMIC_RELAXED);
            shmi_store(shmi_slot(c, slot, SHMI_JOINED), (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
            if (shmi_cas(epoch_word, epoch, epoch + 1)) {
                c->users++;
                return 0;
            }
        }
        shmi_lock(c->lock_fd, F_OFD_SETLK, F_UNLCK, SHMI_STAMPS + *stamp);
    }
    return -EUSERS;
}

static void shmi_leave(shmipc_channel *c, uint64_t stamp)
{
    shmi_lock(c->lock_fd, F_OFD_SETLK, F_UNLCK, SHMI_STAMPS + stamp);
    c->users--;
}

/* ---- Doorbells ---- */

static int shmi_check_state(const shmipc_channel *c)
{
    return __atomic_load_n(shmi_half(c->map, SHMI_STATE), __ATOMIC_ACQUIRE) == SHMI_IN_USE ? 0 : -EIDRM;
}

static int shmi_any_parked(const shmipc_channel *c, unsigned bitmap)
{
    const uint64_t *word = shmi_word(c->map + c->at[SHMI_DOORBELLS], bitmap);
    if (c->is_registered) __atomic_signal_fence(__ATOMIC_SEQ_CST); /* a sleeper's membarrier orders our store before these loads */
    else shmi_fence();
    return (shmi_load(word) | shmi_load(word + 1) | shmi_load(word + 2) | shmi_load(word + 3)) != 0;
}

static void shmi_ring(unsigned char *doorbells, unsigned slot)
{
    uint32_t *bell = shmi_bell(doorbells, slot);
    __atomic_fetch_add(bell, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, bell, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* After the store that sleepers wait for. */
static int shmi_wake(const shmipc_channel *c, unsigned bitmap)
{
    if (!shmi_any_parked(c, bitmap)) return 0;
    if (shmi_check_state(c) != 0) return -EIDRM;
    for (unsigned i = 0; i < SHMI_MAX_SLOTS / 64; i++) {
        uint64_t *word = shmi_word(c->map + c->at[SHMI_DOORBELLS], bitmap + 8 * i), bits = shmi_load(word);
        if (bits == 0) continue;
        bits &= __atomic_fetch_and(word, ~bits, __ATOMIC_SEQ_CST);
        for (; bits != 0; bits &= bits - 1) shmi_ring(c->map + c->at[SHMI_DOORBELLS], i * 64 + (unsigned)__builtin_ctzll(bits));
    }
    return 0;
}

/* Returns the ticket. Look again for what is waited for, then sleep with it, or go on. */
static uint32_t shmi_prepare(const shmipc_channel *c, unsigned bitmap, uint64_t stamp)
{
    unsigned slot = stamp & 255;
    uint32_t ticket = __atomic_load_n(shmi_bell(c->map + c->at[SHMI_DOORBELLS], slot), __ATOMIC_ACQUIRE);
    __atomic_fetch_or(shmi_word(c->map + c->at[SHMI_DOORBELLS], bitmap + slot / 64 * 8), UINT64_C(1) << (slot & 63), __ATOMIC_SEQ_CST);
    syscall(SYS_membarrier, 2 /* MEMBARRIER_CMD_GLOBAL_EXPEDITED */, 0, 0);
    return ticket;
}

static void shmi_sleep(const shmipc_channel *c, uint64_t stamp, uint32_t ticket, int64_t left_ms)
{
    struct timespec time;
    if (left_ms > SHMIPC_PARK_MS) left_ms = SHMIPC_PARK_MS;
    time.tv_sec = left_ms / 1000;
    time.tv_nsec = left_ms % 1000 * 1000000;
    syscall(SYS_futex, shmi_bell(c->map + c->at[SHMI_DOORBELLS], stamp & 255), FUTEX_WAIT, ticket, &time, NULL, 0);
}

static int64_t shmi_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t shmi_left_ms(int64_t start_ms, int timeout_ms)
{
    return timeout_ms < 0 ? SHMIPC_PARK_MS : timeout_ms - (shmi_now_ms() - start_ms);
}

static void shmi_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* ---- Opening and deleting ---- */

static uint32_t shmi_crc32c(const unsigned char *bytes, size_t length)
{
    uint32_t crc = 0xFFFFFFFFu;
    while (length-- > 0) {
        crc ^= *bytes++;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
    }
    return ~crc;
}

static int shmi_check_name(const char *name)
{
    size_t length = strlen(name);
    if (length < 1 || length > 200 || !isalnum((unsigned char)name[0])) return -EINVAL;
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == length ? 0 : -EINVAL;
}

static int shmi_open_root(const char *root)
{
    char standard[64];
    struct stat status;
    snprintf(standard, sizeof standard, "/dev/shm/shmipc-%u", (unsigned)geteuid());
    if (root == NULL) root = getenv("SHMIPC_ROOT");
    if (root == NULL || *root == 0) root = standard;
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (strcmp(root, standard) == 0 ? O_NOFOLLOW : 0));
    if (fd < 0) return -errno;
    int is_shared = strcmp(root, standard) != 0 && fstat(fd, &status) == 0 && (status.st_mode & 02070) == 02070;
    if (fstat(fd, &status) != 0 || (status.st_uid != geteuid() && !is_shared) || status.st_mode & (is_shared ? 0002u : 0022u)) {
        close(fd);
        return -EACCES;
    }
    return fd;
}

/* The file of that name, when it is a region file of ours: its type, owner and mode. */
static int shmi_open_file(int root, const char *name)
{
    struct stat directory, status;
    if (fstat(root, &directory) != 0 || fstatat(root, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return -errno;
    if (!S_ISREG(status.st_mode)) return -EPROTO;
    int fd = openat(root, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return -errno;
    int is_shared = (directory.st_mode & 02070) == 02070 && (directory.st_mode & 0002) == 0;
    int error = fstat(fd, &status) != 0 ? -errno : 0;
    if (error == 0 && !S_ISREG(status.st_mode)) error = -EPROTO;
    if (error == 0 && status.st_uid != geteuid() && !(is_shared && status.st_gid == directory.st_gid)) error = -EACCES;
    if (error == 0 && status.st_mode & (is_shared ? 07u : 077u)) error = -EACCES;
    if (error != 0) close(fd);
    return error != 0 ? error : fd;
}

static int shmi_is_current(int root, const char *name, int fd)
{
    struct stat named, opened;
    return fstatat(root, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &opened) == 0 && named.st_dev == opened.st_dev
        && named.st_ino == opened.st_ino;
}

static uint64_t shmi_up(uint64_t value, uint64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

/* Compares the section table with the one that its four numbers lead to, and takes these over. */
static int shmi_read_geometry(shmipc_channel *c, const unsigned char *header, uint32_t count, uint64_t total, uint64_t page)
{
    struct shmi_section s[32];
    uint64_t end = SHMI_HEADER_BYTES;
    memcpy(s, header + 256, sizeof s);
    if (count < SHMI_SECTIONS) return -EPROTO;
    c->slots = s[0].count;
    c->lanes = s[3].count;
    c->groups = s[4].count;
    c->capacity = s[6].stride;
    if (c->slots < 2 || c->slots > SHMI_MAX_SLOTS || c->lanes < 1 || c->lanes > SHMI_MAX_LANES || c->groups < 1 || c->groups > 64
        || c->capacity < 4096 || c->capacity > UINT64_C(1) << 29 || (c->capacity & (c->capacity - 1)) != 0 || c->capacity % page != 0)
        return -EPROTO;
    const uint32_t counts[SHMI_SECTIONS] = { c->slots, 1, 1, c->lanes, c->groups, c->lanes * c->groups, c->lanes };
    const uint64_t strides[SHMI_SECTIONS] = { SHMI_SLOT_BYTES, SHMI_DOORBELL_BYTES, SHMI_CONTROL_BYTES, SHMI_LANE_BYTES, SHMI_GROUP_BYTES,
        SHMI_CURSOR_BYTES, c->capacity };
    for (uint32_t i = 0; i < count; i++) {
        if (i < SHMI_SECTIONS) {
            uint64_t offset = shmi_up(end, i + 1 < SHMI_SECTIONS ? 128 : page);
            if (s[i].kind != i + 1 || s[i].count != counts[i] || s[i].stride != strides[i] || s[i].offset != offset
                || s[i].length != counts[i] * strides[i] || offset + s[i].length > total)
                return -EPROTO;
            c->at[i] = offset;
        } else {
            for (uint32_t other = 0; other < i; other++) if (s[other].kind == s[i].kind) return -EPROTO;
            if (s[i].offset < end || s[i].offset % 128 != 0 || s[i].offset > total || s[i].length > total - s[i].offset
                || (s[i].stride != 0 ? s[i].length / s[i].stride != s[i].count || s[i].length % s[i].stride != 0 : s[i].length != 0))
                return -EPROTO;
        }
        end = s[i].offset + s[i].length;
    }
    return 0;
}

/* Everything that an opener refuses, in the document's order. */
static int shmi_read_header(shmipc_channel *c, const char *format, uint64_t schema)
{
    static const unsigned char magic[8] = { 0x89, 'S', 'H', 'M', 'I', 'P', 'C', '\n' };
    unsigned char h[SHMI_HEADER_BYTES];
    struct stat status;
    uint16_t major;
    uint32_t endian, header_bytes, page, kind, sections, crc, state;
    uint64_t total, its_schema;
    if (fstat(c->lock_fd, &status) != 0) return -errno;
    if (status.st_size < (off_t)sizeof h || pread(c->lock_fd, h, sizeof h, 0) != (ssize_t)sizeof h) return -EPROTO;
    memcpy(&major, h + 8, 2);
    memcpy(&endian, h + 12, 4);
    memcpy(&header_bytes, h + 16, 4);
    memcpy(&page, h + 20, 4);
    memcpy(&total, h + 24, 8);
    memcpy(&kind, h + 80, 4);
    memcpy(&sections, h + 84, 4);
    memcpy(&its_schema, h + 88, 8);
    memcpy(c->settings, h + 1280, sizeof c->settings);
    memcpy(&crc, h + 2044, 4);
    memcpy(&state, h + SHMI_STATE, 4);
    if (memcmp(h, magic, sizeof magic) != 0 || endian != 0x01020304) return -EPROTO;
    if (major != 2) return -EPROTONOSUPPORT;
    if (crc != shmi_crc32c(h, 2044) || page != (uint32_t)sysconf(_SC_PAGESIZE) || header_bytes != SHMI_HEADER_BYTES || sections > 32
        || total != (uint64_t)status.st_size)
        return -EPROTO;
    int error = kind == 1 ? shmi_read_geometry(c, h, sections, total, page) : -EMEDIUMTYPE;
    if (error != 0) return error;
    if (state != SHMI_IN_USE) return state == SHMI_DELETED ? -EIDRM : -EPROTO; /* its deleter died */
    size_t length = strlen(format);
    return h[96] == length && length <= 159 && memcmp(h + 97, format, length) == 0 && its_schema == schema ? 0 : -EMEDIUMTYPE;
}

/* One attempt. -EAGAIN: start again. */
static int shmi_attach(shmipc_channel *c, int root, const char *name, const char *format, uint64_t schema)
{
    int error;
    if (!shmi_lock(c->lock_fd, F_OFD_SETLK, F_RDLCK, SHMI_LIFECYCLE)) {
        struct timespec pause = { 0, SHMI_BUSY_MS * 1000000 }; /* somebody deletes it */
        nanosleep(&pause, NULL);
        return -EAGAIN;
    }
    if (!shmi_is_current(root, name, c->lock_fd)) return -EAGAIN;
    error = shmi_read_header(c, format, schema);
    if (error != 0) return error;
    c->probe_fd = openat(root, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK); /* the name stays while we hold the lifecycle byte */
    if (c->probe_fd < 0) return -errno;
    if (!shmi_is_current(root, name, c->probe_fd)) return -EAGAIN;
    c->map = (unsigned char *)mmap(NULL, c->at[SHMI_LANE_DATA], PROT_READ | PROT_WRITE, MAP_SHARED, c->lock_fd, 0);
    if (c->map == (unsigned char *)MAP_FAILED) return -errno;
    c->is_registered = syscall(SYS_membarrier, 4 /* MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED */, 0, 0) == 0;
    shmi_lock(c->lock_fd, F_OFD_SETLK, F_RDLCK, SHMI_ATTACHED);
    shmi_lock(c->lock_fd, F_OFD_SETLK, F_UNLCK, SHMI_LIFECYCLE);
    return 0;
}

int shmipc_close(shmipc_channel *c)
{
    if (c == NULL) return 0;
    if (c->users > 0) return -EBUSY;
    if (c->map != NULL && c->map != (unsigned char *)MAP_FAILED) munmap(c->map, c->at[SHMI_LANE_DATA]);
    if (c->probe_fd >= 0) close(c->probe_fd);
    if (c->lock_fd >= 0) close(c->lock_fd); /* the kernel drops the locks */
    free(c);
    return 0;
}

int shmipc_open(shmipc_channel **channel, const char *root, const char *name, const char *format, uint64_t schema)
{
    int error = shmi_check_name(name), root_fd = error == 0 ? shmi_open_root(root) : -1;
    *channel = NULL;
    if (error != 0 || root_fd < 0) return error != 0 ? error : root_fd;
    error = -EAGAIN;
    for (int attempt = 0; error == -EAGAIN && attempt < SHMI_ATTEMPTS; attempt++) {
        shmipc_channel *c = (shmipc_channel *)calloc(1, sizeof *c);
        if (c == NULL) {
            error = -ENOMEM;
            break;
        }
        c->probe_fd = -1;
        c->lock_fd = error = shmi_open_file(root_fd, name);
        if (error >= 0) error = shmi_attach(c, root_fd, name, format == NULL ? "bytes" : format, schema);
        if (error == 0) *channel = c;
        else shmipc_close(c);
    }
    close(root_fd);
    return error == -EAGAIN ? -EBUSY : error;
}

size_t shmipc_max_length(const shmipc_channel *c) { return c->capacity / 2 - 16; }

/* ---- Records ---- */

static uint64_t shmi_record_bytes(uint64_t length) { return (8 + length + 7) & ~UINT64_C(7); }

/* True when a header is message `number`; gives the bytes of its extensions and of the whole record. */
static int shmi_is_record(uint64_t header, uint64_t number, uint64_t capacity, uint64_t *extensions, uint64_t *bytes)
{
    uint64_t length = header & 0xFFFFFFFFu;
    *extensions = (header >> 56 & 1) * 8 + (header >> 57 & 1) * 32 + (header >> 58 & 1) * 8 + (header >> 59 & 1) * 8;
    *bytes = shmi_record_bytes(*extensions + length);
    return (header & SHMI_PRESENT) != 0 && (header >> 60 & 7) == 0 && (header >> 32 & SHMI_NUMBER_MASK) == (number & SHMI_NUMBER_MASK)
        && *extensions + length <= capacity / 2 - 16;
}

static uint64_t *shmi_record(const unsigned char *data, const shmipc_channel *c, uint64_t position)
{
    return shmi_word(data, position & (c->capacity - 1));
}

/* ---- Groups ---- */

static uint32_t shmi_group_half(const shmipc_channel *c, unsigned group, unsigned offset)
{
    return __atomic_load_n(shmi_half((unsigned char *)shmi_group(c, group), offset), __ATOMIC_ACQUIRE);
}

static int shmi_has_members(const shmipc_channel *c, unsigned group)
{
    for (unsigned slot = 0; slot < c->slots; slot++)
        if (shmi_load(shmi_slot(c, slot, SHMI_PLACE)) == group + 1u && shmi_is_alive(c, shmi_stamp_of(c, slot))) return 1;
    return 0;
}

static int shmi_is_lifeless(const shmipc_channel *c, unsigned group, uint64_t state)
{
    int is_durable = (state & 3) == SHMI_ACTIVE_STATE && shmi_group_half(c, group, SHMI_FLAGS) & SHMI_DURABLE;
    return !is_durable && !shmi_is_alive(c, state >> 2) && !shmi_has_members(c, group);
}

/* What dead members of a group that is gone were working on is nobody's any more. */
static void shmi_forget_dead_claims(const shmipc_channel *c, unsigned group)
{
    for (unsigned slot = 0; slot < c->slots; slot++) {
        if (shmi_load(shmi_slot(c, slot, SHMI_PLACE)) != group + 1u || shmi_is_alive(c, shmi_stamp_of(c, slot))) continue;
        for (unsigned i = 0; i < SHMI_MAX_INTENTS; i++) shmi_store(shmi_slot(c, slot, SHMI_INTENTS + 8 * i), 0);
    }
}

static int shmi_retire(shmipc_channel *c, unsigned group, uint64_t state, uint64_t stamp, int by_force)
{
    if (!shmi_cas(shmi_group(c, group), state, stamp << 2 | SHMI_RETIRING)) return 0;
    int may_have_members = (state & 3) != SHMI_JOINING && shmi_group_half(c, group, SHMI_FLAGS) & SHMI_COMPLETE
        && (shmi_group_half(c, group, SHMI_NAME) & 255) != 0;
    if (!by_force && may_have_members && shmi_has_members(c, group)) { /* somebody joined between the look and the CAS */
        shmi_store(shmi_group(c, group), (state & 3) == SHMI_ACTIVE_STATE ? state : (uint64_t)SHMI_ACTIVE_STATE);
        shmi_wake(c, SHMI_READERS);
        return 0;
    }
    __atomic_fetch_and(shmi_channel_word(c, SHMI_ACTIVE), ~(UINT64_C(1) << group), __ATOMIC_SEQ_CST);
    __atomic_fetch_add(shmi_channel_word(c, SHMI_VERSION), 1, __ATOMIC_SEQ_CST);
    shmi_fence();
    shmi_forget_dead_claims(c, group);
    shmi_store(shmi_group(c, group), 0);
    shmi_wake(c, SHMI_WRITERS);
    return 1;
}

/* ---- Producer ---- */

static int shmi_take_over(shmipc_producer *p)
{
    const shmipc_channel *c = p->channel;
    uint64_t extensions, bytes;
    int error = shmi_cell_read(p->control + SHMI_FLOOR, &p->floor, &p->floor_number);
    if (error == 0) error = shmi_cell_read(p->control + SHMI_COMMITTED, &p->position, &p->number);
    if (error != 0) return error;
    if (p->position < p->floor) {
        p->position = p->floor;
        p->number = p->floor_number;
    }
    uint64_t last = p->floor + c->capacity - 8; /* where the last terminator can stand */
    if (p->position > last || p->number < p->floor_number || p->number - p->floor_number > (p->position - p->floor) / 8) return -EBADMSG;
    while (shmi_is_record(shmi_load(shmi_record(p->data, c, p->position)), p->number, c->capacity, &extensions, &bytes)
        && p->position + bytes <= last) {
        p->position += bytes;
        p->number++;
    }
    shmi_store(shmi_record(p->data, c, p->position), 0);
    p->committed_number = p->number;
    shmi_cell_write(p->control + SHMI_COMMITTED, p->position, p->number);
    return 0;
}

static void shmi_give_back_lane(shmipc_producer *p)
{
    if (p->data != NULL) munmap(p->data, 2 * p->channel->capacity);
    p->data = NULL;
    shmi_cas(shmi_word(p->control, SHMI_OWNER), p->stamp, 0);
}

static int shmi_take_lane(shmipc_producer *p)
{
    shmipc_channel *c = p->channel;
    int error = -EUSERS;
    for (p->lane = 0; p->lane < c->lanes; p->lane++) {
        p->control = shmi_control(c, p->lane);
        uint64_t owner = shmi_load(shmi_word(p->control, SHMI_OWNER));
        if (owner != 0 && shmi_is_alive(c, owner)) continue;
        if (!shmi_cas(shmi_word(p->control, SHMI_OWNER), owner, p->stamp)) continue;
        __atomic_fetch_add(shmi_channel_word(c, SHMI_JOINS), 1, __ATOMIC_SEQ_CST);
        error = -posix_fallocate(c->lock_fd, (off_t)(c->at[SHMI_LANE_DATA] + p->lane * c->capacity), (off_t)c->capacity);
        if (error == 0 && (p->data = shmi_map_lane(c, p->lane, PROT_READ | PROT_WRITE)) == NULL) error = -ENOMEM;
        if (error == 0) error = shmi_take_over(p);
        if (error == 0) return 0;
        shmi_give_back_lane(p); /* no space, or damaged: perhaps another one */
    }
    return error;
}

int shmipc_producer_open(shmipc_producer **producer, shmipc_channel *c)
{
    int error = shmi_check_state(c);
    *producer = NULL;
    for (unsigned i = 0; i < SHMI_SETTINGS; i++) if (c->settings[i] != 0) error = -ENOTSUP;
    if (error != 0) return error;
    shmipc_producer *p = (shmipc_producer *)calloc(1, sizeof *p);
    if (p == NULL) return -ENOMEM;
    p->channel = c;
    error = shmi_join(c, SHMI_PRODUCER, &p->stamp);
    if (error == 0) {
        error = shmi_take_lane(p);
        if (error == 0) {
            __atomic_fetch_or(shmi_channel_word(c, SHMI_LANE_SET), UINT64_C(1) << p->lane, __ATOMIC_SEQ_CST);
            shmi_wake(c, SHMI_READERS);
            *producer = p;
            return 0;
        }
        shmi_leave(c, p->stamp);
    }
    free(p);
    return error;
}

void shmipc_producer_close(shmipc_producer *p)
{
    if (p == NULL) return;
    shmi_cell_write(p->control + SHMI_COMMITTED, p->position, p->number);
    shmi_give_back_lane(p);
    shmi_leave(p->channel, p->stamp);
    shmi_wake(p->channel, SHMI_READERS);
    free(p);
}

/* A header has 24 bits of its number: enough to tell whether a record can be there. */
static int shmi_is_record_at(const shmipc_producer *p, uint64_t position)
{
    if (position == p->position) return 1;
    uint64_t header = shmi_load(shmi_record(p->data, p->channel, position));
    uint64_t behind = ((p->number - 1 - (header >> 32 & SHMI_NUMBER_MASK)) & SHMI_NUMBER_MASK) + 1;
    return (header & SHMI_PRESENT) != 0 && behind <= (p->position - position) / 8;
}

static int shmi_is_suspect(const shmipc_producer *p, uint64_t cursor, uint64_t above)
{
    uint64_t end = p->limit > p->position + 8 ? p->limit : p->position + 8;
    return cursor > p->position || (cursor & 7) != 0 || cursor + p->channel->capacity < end
        || (cursor >= above && !shmi_is_record_at(p, cursor));
}

/* Steps over whole records, from the floor to the first one at or above the target. */
static int shmi_walk(const shmipc_producer *p, uint64_t target, uint64_t *position, uint64_t *number)
{
    uint64_t extensions, bytes;
    *position = p->floor;
    for (*number = p->floor_number; *position < target && *position < p->position; ++*number, *position += bytes) {
        uint64_t header = shmi_load(shmi_record(p->data, p->channel, *position));
        if (!shmi_is_record(header, *number, p->channel->capacity, &extensions, &bytes)) return -EBADMSG; /* overwritten by a peer */
    }
    return 0;
}

/* The lowest record of this lane that a member of one of these groups has won and not acknowledged. Behind the loads of the cursors. */
static uint64_t shmi_lowest_intent(const shmipc_producer *p, uint64_t groups)
{
    const shmipc_channel *c = p->channel;
    uint64_t lowest = p->position;
    for (unsigned word = 0; word < SHMI_MAX_SLOTS / 64; word++) {
        for (uint64_t rest = shmi_load(shmi_channel_word(c, SHMI_CLAIMANTS + 8 * word)); rest != 0; rest &= rest - 1) {
            unsigned slot = word * 64 + (unsigned)__builtin_ctzll(rest);
            uint64_t place = slot < c->slots ? shmi_load(shmi_slot(c, slot, SHMI_PLACE)) : 0;
            if (place < 1 || place > 64 || (groups >> (place - 1) & 1) == 0) continue;
            for (unsigned i = 0; i < SHMI_MAX_INTENTS; i++) {
                uint64_t intent = shmi_load(shmi_slot(c, slot, SHMI_INTENTS + 8 * i)), position = ((intent >> 8) - 1) << 3;
                if (intent >> 8 != 0 && (intent & 31) == p->lane && position >= p->floor && position < lowest
                    && shmi_is_record_at(p, position))
                    lowest = position;
            }
        }
    }
    return lowest;
}

/* The floor rule. 1: a record that ends, terminator included, at `end` fits; 0: it does not. */
static int shmi_refresh(shmipc_producer *p, uint64_t end)
{
    const shmipc_channel *c = p->channel;
    uint64_t *version_word = shmi_channel_word(c, SHMI_VERSION), existing = UINT64_MAX >> (64 - c->groups);
    for (int attempt = 0; attempt < SHMI_ATTEMPTS; attempt++) {
        uint64_t version = shmi_load(version_word), lowest = p->position, number = 0;
        uint64_t active = shmi_load(shmi_channel_word(c, SHMI_ACTIVE)) & existing;
        for (uint64_t rest = active; rest != 0; rest &= rest - 1) {
            uint64_t cursor = shmi_load(shmi_cursor(c, p->lane, (unsigned)__builtin_ctzll(rest)));
            if (shmi_is_suspect(p, cursor, p->floor + 1)) return 0;
            if (cursor < lowest) lowest = cursor;
        }
        if (active == 0) { /* nobody to wait for: the oldest make room, an eighth of the lane at a time */
            uint64_t target = end + c->capacity / 8;
            int error = shmi_walk(p, target > c->capacity ? target - c->capacity : 0, &lowest, &number);
            if (error != 0) return error;
        }
        uint64_t intent = shmi_lowest_intent(p, active);
        if (intent < lowest) lowest = intent;
        if (lowest > p->floor) {
            uint64_t position;
            if (lowest == p->position) number = p->number;
            else if (p->number - p->floor_number <= SHMI_NUMBER_MASK)
                number = p->number - ((p->number - (shmi_load(shmi_record(p->data, c, lowest)) >> 32)) & SHMI_NUMBER_MASK);
            else if (shmi_walk(p, lowest, &position, &number) != 0) return -EBADMSG;
            p->floor = lowest;
            p->floor_number = number;
            shmi_cell_write(p->control + SHMI_FLOOR, lowest, number);
        }
        shmi_fence();
        if (shmi_load(version_word) == version) {
            if (lowest + c->capacity > p->limit) p->limit = lowest + c->capacity;
            return end <= p->limit;
        }
    }
    return 0; /* groups come and go without pause: full for now */
}

/* Retires groups that are in the way without right: nobody of theirs lives, or their cursor makes no sense. */
static int shmi_unblock(shmipc_producer *p, uint64_t end)
{
    shmipc_channel *c = p->channel;
    uint64_t active = shmi_load(shmi_channel_word(c, SHMI_ACTIVE)) & UINT64_MAX >> (64 - c->groups);
    int is_any_retired = 0;
    for (; active != 0; active &= active - 1) {
        unsigned group = (unsigned)__builtin_ctzll(active);
        uint64_t cursor = shmi_load(shmi_cursor(c, p->lane, group));
        int is_shared = shmi_group_half(c, group, SHMI_KIND) == SHMI_SHARED; /* an intent alone may be in the way */
        if (cursor + c->capacity >= end && !is_shared && !shmi_is_suspect(p, cursor, p->floor + 1)) continue;
        uint64_t state = shmi_load(shmi_group(c, group)); /* then the cursor again: it is of whoever holds the entry in this state */
        int is_broken = (state & 3) == SHMI_ACTIVE_STATE && shmi_is_suspect(p, shmi_load(shmi_cursor(c, p->lane, group)), 0);
        if (is_broken || shmi_is_lifeless(c, group, state)) is_any_retired |= shmi_retire(c, group, state, p->stamp, is_broken);
    }
    return is_any_retired;
}

int shmipc_claim(shmipc_producer *p, size_t length, void **payload, int timeout_ms)
{
    shmipc_channel *c = p->channel;
    int64_t start_ms = -1;
    int spins = 0, room = 0;
    p->claimed = 0;
    *payload = NULL;
    if (length > shmipc_max_length(c)) return -EMSGSIZE;
    if (p->is_completed) return -EPIPE;
    uint64_t end = p->position + shmi_record_bytes(length) + 8;
    while (end > p->limit && (room = shmi_refresh(p, end)) == 0) {
        if (timeout_ms != 0 && spins++ < SHMIPC_SPINS) {
            shmi_pause();
            continue;
        }
        if (start_ms < 0) start_ms = shmi_now_ms();
        if (shmi_check_state(c) != 0) return -EIDRM;
        if (shmi_unblock(p, end) && shmi_refresh(p, end) > 0) break;
        if (shmi_left_ms(start_ms, timeout_ms) <= 0) return -EAGAIN;
        uint32_t ticket = shmi_prepare(c, SHMI_WRITERS, p->stamp);
        if ((room = shmi_refresh(p, end)) != 0) break;
        shmi_sleep(c, p->stamp, ticket, shmi_left_ms(start_ms, timeout_ms));
    }
    if (room < 0) return room;
    p->claimed = length + 1;
    *payload = p->data + (p->position & (c->capacity - 1)) + 8;
    return 0;
}

int shmipc_commit(shmipc_producer *p, size_t length)
{
    if (p->is_completed) return -EPIPE;
    if (length >= p->claimed) return -EINVAL; /* more than was claimed, or nothing was */
    uint64_t next = p->position + shmi_record_bytes(length);
    uint64_t header = SHMI_PRESENT | (p->number & SHMI_NUMBER_MASK) << 32 | length;
    __atomic_store_n(shmi_record(p->data, p->channel, next), 0, __ATOMIC_RELAXED); /* the terminator, ordered by the header's release */
    shmi_store(shmi_record(p->data, p->channel, p->position), header);
    p->position = next;
    p->claimed = 0;
    if (++p->number - p->committed_number >= SHMI_COMMITTED_INTERVAL) {
        p->committed_number = p->number;
        shmi_cell_write(p->control + SHMI_COMMITTED, p->position, p->number);
    }
    return shmi_wake(p->channel, SHMI_READERS);
}

int shmipc_write(shmipc_producer *p, const void *payload, size_t length, int timeout_ms)
{
    void *room;
    int error = shmipc_claim(p, length, &room, timeout_ms);
    if (error != 0) return error;
    if (length != 0) memcpy(room, payload, length);
    return shmipc_commit(p, length);
}

/* u8 length and UTF-8, cut between characters. */
static void shmi_put_text(unsigned char *place, size_t most, const char *text)
{
    size_t length = strlen(text);
    if (length > most) for (length = most; length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80; length--) { }
    place[0] = (unsigned char)length;
    memcpy(place + 1, text, length);
}

int shmipc_complete(shmipc_producer *p, const char *error_type, const char *error_message)
{
    if (p->is_completed) return -EPIPE;
    p->is_completed = 1;
    shmi_store(shmi_word(p->control, SHMI_COMPLETION), 0); /* the lane's last producer may have left an error: nobody reads half of each */
    shmi_fence();
    if (error_message != NULL) {
        shmi_put_text(p->control + SHMI_ERROR_TYPE, 63, error_type == NULL ? "Error" : error_type);
        shmi_put_text(p->control + SHMI_ERROR_TEXT, 183, error_message);
    }
    __atomic_store_n(shmi_half(p->control, SHMI_FAULT), error_message != NULL, __ATOMIC_RELAXED);
    shmi_store(shmi_word(p->control, SHMI_COMPLETION), p->stamp);
    __atomic_fetch_add(shmi_channel_word(p->channel, SHMI_COMPLETIONS), 1, __ATOMIC_SEQ_CST);
    return shmi_wake(p->channel, SHMI_READERS);
}

/* ---- Consumer ---- */

/* Reads the floors; a lane's cursor moves up to its floor, and never down. */
static int shmi_move_to_floors(shmipc_consumer *r)
{
    for (unsigned lane = 0; lane < r->channel->lanes; lane++) {
        struct shmi_lane *l = &r->lanes[lane];
        uint64_t position, number;
        int error = shmi_cell_read(shmi_control(r->channel, lane) + SHMI_FLOOR, &position, &number);
        if (error != 0) return error;
        if (position < l->position) continue;
        l->position = l->released = position;
        l->number = number;
        shmi_store(shmi_cursor(r->channel, lane, r->group), position);
    }
    return 0;
}

static int shmi_is_group_free(shmipc_channel *c, unsigned group, uint64_t stamp)
{
    uint64_t state = shmi_load(shmi_group(c, group));
    return shmi_is_lifeless(c, group, state) && (state == 0 || shmi_retire(c, group, state, stamp, 0));
}

static int shmi_join_group(shmipc_consumer *r)
{
    shmipc_channel *c = r->channel;
    uint64_t *entry = NULL, joining = r->stamp << 2 | SHMI_JOINING;
    for (r->group = 0; r->group < c->groups; r->group++) {
        entry = shmi_group(c, r->group);
        if (shmi_is_group_free(c, r->group, r->stamp) && shmi_cas(entry, 0, joining)) break;
    }
    if (r->group == c->groups) return -EUSERS;
    shmi_forget_dead_claims(c, r->group);
    __atomic_store_n(shmi_half((unsigned char *)entry, SHMI_KIND), SHMI_EXCLUSIVE, __ATOMIC_RELEASE);
    __atomic_store_n(shmi_half((unsigned char *)entry, SHMI_FLAGS), 0, __ATOMIC_RELEASE);
    memset((unsigned char *)entry + SHMI_NAME, 0, 128);
    shmi_store(shmi_slot(c, r->stamp & 255, SHMI_PLACE), r->group + 1u);
    for (unsigned lane = 0; lane < c->lanes; lane++) memset((unsigned char *)shmi_cursor(c, lane, r->group) + 8, 0, SHMI_CURSOR_BYTES - 8);
    int error = shmi_move_to_floors(r);
    if (error == 0) {
        __atomic_fetch_or(shmi_channel_word(c, SHMI_ACTIVE), UINT64_C(1) << r->group, __ATOMIC_SEQ_CST);
        __atomic_fetch_add(shmi_channel_word(c, SHMI_VERSION), 1, __ATOMIC_SEQ_CST);
        shmi_fence();
        error = shmi_move_to_floors(r);
    }
    __atomic_store_n(shmi_half((unsigned char *)entry, SHMI_FLAGS), SHMI_COMPLETE, __ATOMIC_RELEASE);
    if (error == 0) shmi_store(entry, r->stamp << 2 | SHMI_ACTIVE_STATE);
    else shmi_retire(c, r->group, joining, r->stamp, 1);
    return error;
}

int shmipc_consumer_open(shmipc_consumer **consumer, shmipc_channel *c)
{
    int error = shmi_check_state(c);
    *consumer = NULL;
    /* DropOldest and EvictAfter take records from under a reader in place; what later settings mean, nobody knows here. */
    if (c->settings[0] > 1 || c->settings[1] != 0) error = -ENOTSUP;
    for (unsigned i = 5; i < SHMI_SETTINGS; i++) if (c->settings[i] != 0) error = -ENOTSUP;
    if (error != 0) return error;
    shmipc_consumer *r = (shmipc_consumer *)calloc(1, sizeof *r);
    if (r == NULL) return -ENOMEM;
    r->channel = c;
    error = shmi_join(c, SHMI_CONSUMER, &r->stamp);
    if (error == 0) {
        error = shmi_join_group(r);
        if (error != 0) shmi_leave(c, r->stamp);
    }
    if (error == 0) *consumer = r;
    else free(r);
    return error;
}

void shmipc_consumer_close(shmipc_consumer *r)
{
    if (r == NULL) return;
    for (unsigned lane = 0; lane < r->channel->lanes; lane++)
        if (r->lanes[lane].data != NULL) munmap((void *)(uintptr_t)r->lanes[lane].data, 2 * r->channel->capacity);
    shmi_retire(r->channel, r->group, r->stamp << 2 | SHMI_ACTIVE_STATE, r->stamp, 1);
    shmi_leave(r->channel, r->stamp);
    free(r);
}

/* Stores the cursors that have moved, and wakes the producers that wait for them. */
static int shmi_release_all(shmipc_consumer *r)
{
    int is_any_moved = 0;
    for (unsigned lane = 0; lane < r->channel->lanes; lane++) {
        struct shmi_lane *l = &r->lanes[lane];
        if (l->position == l->released) continue;
        shmi_store(shmi_cursor(r->channel, lane, r->group), l->released = l->position);
        is_any_moved = 1;
    }
    return is_any_moved ? shmi_wake(r->channel, SHMI_WRITERS) : 0;
}

/* Gives the record back that is out; the cursor follows in batches, and at once when a producer sleeps. */
static int shmi_finish(shmipc_consumer *r)
{
    shmipc_channel *c = r->channel;
    struct shmi_lane *l = &r->lanes[r->lane];
    if (r->held != 0) {
        l->position += r->held;
        l->number++;
        r->held = 0;
        if (l->position - l->released >= c->capacity / 8) return shmi_release_all(r);
    }
    if (!shmi_any_parked(c, SHMI_WRITERS)) return 0;
    return shmi_check_state(c) != 0 ? -EIDRM : shmi_release_all(r);
}

int shmipc_release(shmipc_consumer *r)
{
    int error = shmi_finish(r);
    return error != 0 ? error : shmi_release_all(r);
}

/* 1: a record; 0: nothing there. A lane keeps its turn for a few records. */
static int shmi_take(shmipc_consumer *r, shmipc_record *record)
{
    shmipc_channel *c = r->channel;
    uint64_t allocated = shmi_load(shmi_channel_word(c, SHMI_LANE_SET)), extensions, bytes;
    for (unsigned i = 0; i <= c->lanes; i++, r->turn = 0, r->lane = (r->lane + 1) % c->lanes) {
        struct shmi_lane *l = &r->lanes[r->lane];
        if (r->turn >= SHMI_TURN || (allocated >> r->lane & 1) == 0) continue;
        if (l->data == NULL && (l->data = shmi_map_lane(c, r->lane, PROT_READ)) == NULL) return -ENOMEM;
        uint64_t header = shmi_load(shmi_record(l->data, c, l->position));
        if (header == 0) continue;
        if (!shmi_is_record(header, l->number, c->capacity, &extensions, &bytes)) {
            r->lane = (r->lane + 1) % c->lanes; /* the reader stays where it is in this lane, and goes on with the others */
            r->turn = 0;
            return shmi_load(shmi_group(c, r->group)) == (r->stamp << 2 | SHMI_ACTIVE_STATE) ? -EBADMSG : -ECONNABORTED;
        }
        record->payload = l->data + (l->position & (c->capacity - 1)) + 8 + extensions;
        record->length = header & 0xFFFFFFFFu;
        record->lane = r->lane;
        record->position = l->position;
        record->number = l->number;
        r->held = bytes;
        r->turn++;
        return 1;
    }
    return 0;
}

static int shmi_is_completed(const shmipc_channel *c)
{
    uint64_t joins = shmi_load(shmi_channel_word(c, SHMI_JOINS));
    if (shmi_load(shmi_channel_word(c, SHMI_COMPLETIONS)) == 0) return 0;
    for (unsigned lane = 0; lane < c->lanes; lane++) {
        uint64_t owner = shmi_load(shmi_word(shmi_control(c, lane), SHMI_OWNER));
        if (owner != 0 && shmi_load(shmi_word(shmi_control(c, lane), SHMI_COMPLETION)) != owner && shmi_is_alive(c, owner)) return 0;
    }
    return shmi_load(shmi_channel_word(c, SHMI_JOINS)) == joins;
}

/* The error that the first lane with one was completed with. */
static int shmi_read_fault(shmipc_consumer *r)
{
    for (unsigned lane = 0; lane < r->channel->lanes; lane++) {
        const unsigned char *control = shmi_control(r->channel, lane);
        uint64_t stamp = shmi_load(shmi_word(control, SHMI_COMPLETION));
        unsigned type = control[SHMI_ERROR_TYPE], text = control[SHMI_ERROR_TEXT];
        if (stamp == 0 || __atomic_load_n(shmi_half(control, SHMI_FAULT), __ATOMIC_RELAXED) != 1) continue;
        snprintf(r->fault, sizeof r->fault, "%.*s: %.*s", (int)(type > 63 ? 63 : type), (const char *)control + SHMI_ERROR_TYPE + 1,
            (int)(text > 183 ? 183 : text), (const char *)control + SHMI_ERROR_TEXT + 1);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (shmi_load(shmi_word(control, SHMI_COMPLETION)) != stamp) {
            r->fault[0] = 0; /* the lane's next producer completes */
            continue;
        }
        return -EREMOTEIO;
    }
    return -EPIPE;
}

/* Everything that ends a wait: 1 a record, 0 nothing yet, or an error. */
static int shmi_look(shmipc_consumer *r, shmipc_record *record)
{
    int found = shmi_take(r, record);
    if (found != 0) return found;
    if ((found = shmi_release_all(r)) != 0 || (found = shmi_check_state(r->channel)) != 0) return found;
    if (shmi_load(shmi_group(r->channel, r->group)) != (r->stamp << 2 | SHMI_ACTIVE_STATE)) return -ECONNABORTED;
    if (!shmi_is_completed(r->channel)) return 0;
    found = shmi_take(r, record); /* published between the two looks */
    return found != 0 ? found : shmi_read_fault(r);
}

int shmipc_read(shmipc_consumer *r, shmipc_record *record, int timeout_ms)
{
    int64_t start_ms = -1;
    int found = shmi_finish(r);
    if (found == 0) found = shmi_take(r, record);
    for (int spins = 0; found == 0 && timeout_ms != 0 && spins < SHMIPC_SPINS; spins++) {
        shmi_pause();
        found = shmi_take(r, record);
    }
    while (found == 0) {
        if (start_ms < 0) start_ms = shmi_now_ms();
        uint32_t ticket = timeout_ms != 0 ? shmi_prepare(r->channel, SHMI_READERS, r->stamp) : 0;
        found = shmi_look(r, record);
        if (found != 0) break;
        if (shmi_left_ms(start_ms, timeout_ms) <= 0) return -EAGAIN;
        shmi_sleep(r->channel, r->stamp, ticket, shmi_left_ms(start_ms, timeout_ms));
        found = shmi_take(r, record);
    }
    return found > 0 ? 0 : found;
}

const char *shmipc_fault(const shmipc_consumer *r) { return r->fault; }

const char *shmipc_message(int error)
{
    switch (error < 0 ? -error : error) {
    case 0: return "success";
    case EAGAIN: return "no message, or no room for one, within the time";
    case EPIPE: return "completed: nothing more comes, or may be written";
    case EREMOTEIO: return "a producer completed the channel with an error";
    case EIDRM: return "the region was deleted; close what uses it, delete what is left, and open it anew";
    case ECONNABORTED: return "this consumer was evicted: its group's entry or cursor was overwritten by somebody";
    case EMSGSIZE: return "the message is larger than half of a lane less 16 bytes";
    case EUSERS: return "every lane, group or participant's slot belongs to somebody living";
    case EBADMSG: return "damaged: a peer that breaks the rules has overwritten a record or a control block";
    case EPROTO: return "not a region, or one whose header is damaged or does not fit this machine";
    case EPROTONOSUPPORT: return "a region of another layout version than 2; delete it, or use a peer of its version";
    case EMEDIUMTYPE: return "a region of another kind, payload format or schema";
    case ENOTSUP: return "the channel has settings that this peer does not know how to keep";
    case EBUSY: return "still in use, or somebody has been deleting it for 5 seconds";
    case EACCES: return "the directory or file belongs to somebody else, or its mode lets others in";
    case EINVAL: return "a name of other than 1 to 200 letters, digits, '.', '_', '-', or a commit of more than was claimed";
    default: return strerror(error < 0 ? -error : error);
    }
}
#endif
