// The lane protocol of the channels in plain C, one producer and one consumer, with nothing around it: no claims, floors,
// participants, doorbells or version word. It is what the language and the library are measured against.
//
//   record, 8-aligned: u64 header = present:1 (bit 63) | flags:7 | sequence:24 (bits 32..55) | length:32 ; payload ; padding
//
// SYNC: the payload and the 0 at the following header are stored before the header is release-stored; the consumer
// acquire-loads the header at its own position. The consumer's cursor goes back by a release store, every capacity / 8 bytes
// and whenever nothing is left to read; the producer caches limit = cursor + capacity and reads the cursor only when that is used up.
#ifndef LANE_H
#define LANE_H
#include "bench.h"
#include "huge.h"

#define PRESENT (1ull << 63)

// Each on cache lines of its own; the data follows on the next page.
struct lane_control {
    _Alignas(128) _Atomic uint64_t cursor;
    _Alignas(128) _Atomic uint64_t stop;
};

struct producer {
    unsigned char *data;
    _Atomic uint64_t *cursor;
    uint64_t capacity, position, limit;
    uint32_t sequence;
};

struct consumer {
    const unsigned char *data;
    _Atomic uint64_t *cursor;
    uint64_t capacity, position, next, released;
    uint32_t sequence;
};

static inline uint64_t record_bytes(uint32_t length)
{
    return (8 + (uint64_t)length + 7) & ~7ull;
}

// The header of a batch's first record, held back until the batch is published.
struct batch {
    _Atomic uint64_t *first;
    uint64_t header;
};

// Puts a message and its header into the lane, but for the first of a batch: that header waits.
static inline bool lane_try_add(struct producer *lane, struct batch *batch, const void *payload, uint32_t length)
{
    uint64_t size = record_bytes(length);
    if (lane->position + size + 8 > lane->limit) {
        lane->limit = atomic_load_explicit(lane->cursor, memory_order_acquire) + lane->capacity;
        if (lane->position + size + 8 > lane->limit) {
            return false;
        }
    }
    unsigned char *record = lane->data + (lane->position & (lane->capacity - 1));
    memcpy(record + 8, payload, length);
    atomic_store_explicit((_Atomic uint64_t *)(record + size), 0, memory_order_relaxed);
    uint64_t header = PRESENT | (uint64_t)(lane->sequence & 0xffffff) << 32 | length;
    if (batch->first == NULL) {
        batch->first = (_Atomic uint64_t *)record;
        batch->header = header;
    } else {
        atomic_store_explicit((_Atomic uint64_t *)record, header, memory_order_relaxed);
    }
    lane->position += size;
    lane->sequence++;
    return true;
}

static inline void lane_publish(struct batch *batch)
{
    atomic_store_explicit(batch->first, batch->header, memory_order_release);
}

static inline bool lane_try_write(struct producer *lane, const void *payload, uint32_t length)
{
    struct batch single = { 0 };
    if (!lane_try_add(lane, &single, payload, length)) {
        return false;
    }
    lane_publish(&single);
    return true;
}

static inline void lane_release(struct consumer *lane)
{
    if (lane->released != lane->position) {
        atomic_store_explicit(lane->cursor, lane->position, memory_order_release);
        lane->released = lane->position;
    }
}

// The next message of a run, which gives back no room: the payload stays readable until lane_release.
static inline const unsigned char *lane_try_next(struct consumer *lane, uint32_t *length)
{
    lane->position = lane->next;
    const unsigned char *record = lane->data + (lane->position & (lane->capacity - 1));
    uint64_t header = atomic_load_explicit((const _Atomic uint64_t *)record, memory_order_acquire);
    if (header == 0) {
        return NULL;
    }
    *length = (uint32_t)header;
    if ((header & PRESENT) == 0 || (header >> 32 & 0xffffff) != (lane->sequence & 0xffffff) || *length > lane->capacity / 2) {
        fprintf(stderr, "corrupt record at %llu\n", (unsigned long long)lane->position);
        exit(1);
    }
    lane->next = lane->position + record_bytes(*length);
    lane->sequence++;
    return record + 8;
}

// The payload stays readable until the next call.
static inline const unsigned char *lane_try_read(struct consumer *lane, uint32_t *length)
{
    const unsigned char *payload = lane_try_next(lane, length);
    if (payload == NULL || lane->position - lane->released >= lane->capacity / 8) {
        lane_release(lane);
    }
    return payload;
}

// Maps a lane's data twice in a row, so that a record that wraps is contiguous.
static inline unsigned char *lane_map(int file, off_t offset, size_t capacity, int protection)
{
    unsigned char *data = reserve_aligned(2 * capacity);
    for (int half = 0; half < 2; half++) {
        if (mmap(data + (size_t)half * capacity, capacity, protection, MAP_SHARED | MAP_FIXED | MAP_POPULATE, file, offset) == MAP_FAILED) {
            fail("mmap");
        }
    }
    return data;
}

// Makes all of that mapping one of huge pages, and ends the program when the kernel does not.
static inline void lane_make_huge(unsigned char *data, size_t capacity)
{
    if (!make_huge(data, 2 * capacity)) {
        fail("MADV_COLLAPSE");
    }
    if (huge_bytes() < 2 * capacity) {
        fprintf(stderr, "only %zu of %zu bytes are in huge pages\n", huge_bytes(), 2 * capacity);
        exit(1);
    }
}

#endif
