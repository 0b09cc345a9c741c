// The channels' lane protocol in C, in two processes: one-way throughput, single or in batches, and round trips over two lanes.
// `memcpy` is the two copies of each message and nothing else, by one process on one core, through a ring as large as the lane.
//
//   lane oneway|oneway-huge|batch|roundtrip|memcpy PATH CAPACITY_BYTES PAYLOAD_BYTES WARM_UP_MS MEASURE_MS CPU_A CPU_B
//        [BACK_OFF_PAUSES [BALLAST]]
//   lane probe-huge
//
// oneway-huge has the lane in huge pages, which probe-huge tries.
//
// Every message is copied in from private memory (memcpy) and copied out to private memory (memcpy), and carries its number in its
// first 8 bytes, which the reader checks. A consumer that has read something and finds nothing more pauses BACK_OFF_PAUSES times
// (one way only) before it looks again at the line that the producer is filling; after that it looks at every pause. BALLAST instructions
// that do nothing, for each message on each side, tell what the number of instructions alone costs. A batch has 64
// messages, or as many as have 16 KiB; its reader takes runs of at most as many and stores its cursor once a run.
#include "lane.h"

enum { CONTROL_BYTES = HUGE_PAGE_BYTES }; // so that the data can be huge pages; little of it is ever touched

static unsigned char *buffer, *copied_out; // the second one for memcpy only: elsewhere each process has its own
static unsigned payload_bytes, back_off, ballast, batch_length; // batch_length: 0 for single writes

// Ten instructions a turn: the two of the loop, and eight.
static void carry_ballast(void)
{
    for (unsigned i = 0; i < ballast; i += 10) {
        __asm__ volatile("nop; nop; nop; nop; nop; nop; nop; nop");
    }
}

static void write_message(struct producer *lane, uint64_t number, _Atomic uint64_t *stop)
{
    carry_ballast();
    memcpy(buffer, &number, sizeof number);
    while (!lane_try_write(lane, buffer, payload_bytes)) {
        if (atomic_load_explicit(stop, memory_order_relaxed) != 0) {
            exit(0);
        }
        relax();
    }
}

static uint64_t read_message(struct consumer *lane, unsigned back_off_pauses)
{
    uint32_t length;
    const unsigned char *payload = lane_try_read(lane, &length);
    if (payload == NULL) {
        for (unsigned i = 0; i < back_off_pauses; i++) {
            relax();
        }
        while ((payload = lane_try_read(lane, &length)) == NULL) {
            relax();
        }
    }
    carry_ballast();
    memcpy(buffer, payload, length);
    uint64_t number;
    memcpy(&number, buffer, sizeof number);
    return number;
}

static void check(uint64_t number, uint64_t expected)
{
    if (number != expected) {
        fprintf(stderr, "message %llu came in place of %llu\n", (unsigned long long)number, (unsigned long long)expected);
        exit(1);
    }
}

static void write_batch(struct producer *lane, uint64_t number, _Atomic uint64_t *stop)
{
    struct batch batch = { 0 };
    for (unsigned i = 0; i < batch_length; i++, number++) {
        memcpy(buffer, &number, sizeof number);
        while (!lane_try_add(lane, &batch, buffer, payload_bytes)) {
            if (atomic_load_explicit(stop, memory_order_relaxed) != 0) {
                exit(0);
            }
            relax();
        }
    }
    lane_publish(&batch);
}

// Returns the number of the message after the run.
static uint64_t read_run(struct consumer *lane, uint64_t number)
{
    uint32_t length;
    check(read_message(lane, back_off), number++);
    const unsigned char *payload;
    for (unsigned i = 1; i < batch_length && (payload = lane_try_next(lane, &length)) != NULL; i++) {
        memcpy(buffer, payload, length);
        uint64_t received;
        memcpy(&received, buffer, sizeof received);
        check(received, number++);
    }
    lane->position = lane->next;
    lane_release(lane);
    return number;
}

static void send_until_stopped(struct producer *lane, _Atomic uint64_t *stop)
{
    for (uint64_t number = 0; atomic_load_explicit(stop, memory_order_relaxed) == 0;) {
        if (batch_length > 0) {
            write_batch(lane, number, stop);
            number += batch_length;
            continue;
        }
        for (int i = 0; i < BATCH; i++) {
            write_message(lane, number++, stop);
        }
    }
}

// Both copies of a message, in and out of the next place in the ring; nothing may be left out because nobody else looks.
static uint64_t copy_twice(struct consumer *ring, uint64_t number)
{
    for (int i = 0; i < BATCH; i++, number++) {
        unsigned char *place = (unsigned char *)ring->data + (ring->position & (ring->capacity - 1));
        memcpy(buffer, &number, sizeof number);
        memcpy(place + 8, buffer, payload_bytes);
        __asm__ volatile("" ::: "memory");
        memcpy(copied_out, place + 8, payload_bytes);
        __asm__ volatile("" ::: "memory");
        uint64_t received;
        memcpy(&received, copied_out, sizeof received);
        check(received, number);
        ring->position += record_bytes(payload_bytes);
    }
    return number;
}

static uint64_t read_singly(struct consumer *lane, uint64_t number)
{
    for (int i = 0; i < BATCH; i++, number++) {
        check(read_message(lane, back_off), number);
    }
    return number;
}

// take: reads some messages, the first with that number, and returns the number of the next.
static inline void receive(uint64_t (*take)(struct consumer *, uint64_t), struct consumer *lane, uint64_t warm_up_ns, uint64_t measure_ns)
{
    double *rates = calloc(measure_ns / SLICE_NS + 1, sizeof *rates);
    size_t slices = 0;
    uint64_t number = 0, start = now_ns(), now = start;
    while (now - start < warm_up_ns) {
        number = take(lane, number);
        now = now_ns();
    }
    uint64_t first_number = number, slice_number = number, slice_start = start = now;
    while (now - start < measure_ns) {
        number = take(lane, number);
        now = now_ns();
        if (now - slice_start >= SLICE_NS) {
            rates[slices++] = (double)(number - slice_number) * 1e9 / (double)(now - slice_start);
            slice_number = number;
            slice_start = now;
        }
    }
    report_rates(number - first_number, now - start, rates, slices);
    free(rates);
}

struct two_lanes {
    struct producer out;
    struct consumer in;
    _Atomic uint64_t *stop;
};

static void round_trip(void *state, uint64_t number)
{
    struct two_lanes *lanes = state;
    write_message(&lanes->out, number, lanes->stop);
    check(read_message(&lanes->in, 0), number);
}

static void echo(struct two_lanes *lanes)
{
    for (uint64_t number; (number = read_message(&lanes->in, 0)) != UINT64_MAX;) {
        write_message(&lanes->out, number, lanes->stop);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "probe-huge") == 0) {
        return probe_huge();
    }
    if (argc < 9) {
        fprintf(stderr,
                "usage: lane oneway|oneway-huge|batch|roundtrip|memcpy PATH CAPACITY_BYTES PAYLOAD_BYTES WARM_UP_MS MEASURE_MS CPU_A CPU_B "
                "[BACK_OFF_PAUSES [BALLAST]]\n");
        return 2;
    }
    bool copies = strcmp(argv[1], "memcpy") == 0, batches = strcmp(argv[1], "batch") == 0, huge = strcmp(argv[1], "oneway-huge") == 0;
    bool one_way = batches || huge || strcmp(argv[1], "oneway") == 0;
    size_t capacity = strtoul(argv[3], NULL, 10);
    payload_bytes = (unsigned)strtoul(argv[4], NULL, 10);
    uint64_t warm_up_ns = strtoull(argv[5], NULL, 10) * 1000000, measure_ns = strtoull(argv[6], NULL, 10) * 1000000;
    back_off = argc > 9 ? (unsigned)strtoul(argv[9], NULL, 10) : 0;
    ballast = argc > 10 ? (unsigned)strtoul(argv[10], NULL, 10) : 0;
    if (payload_bytes < 8 || payload_bytes > capacity / 2 - 16 || (capacity & (capacity - 1)) != 0) {
        fprintf(stderr, "8 bytes to half the capacity of payload, and a power of two of capacity\n");
        return 2;
    }
    if (batches) {
        size_t fitting = (16u << 10) / payload_bytes;
        batch_length = fitting == 0 ? 1 : fitting < BATCH ? (unsigned)fitting : BATCH;
    }
    buffer = calloc(1, payload_bytes);
    copied_out = calloc(1, payload_bytes);
    int file = open_shared(argv[2], CONTROL_BYTES + 2 * capacity);
    struct lane_control *control = map_shared(file, CONTROL_BYTES);
    if (copies) {
        pin(atoi(argv[7]));
        struct consumer ring = { .data = lane_map(file, CONTROL_BYTES, capacity, PROT_READ | PROT_WRITE), .capacity = capacity };
        limit_life((unsigned)((warm_up_ns + measure_ns) / 1000000000u) + 10);
        receive(copy_twice, &ring, warm_up_ns, measure_ns);
        return 0;
    }
    if (huge) { // in one process, before the other is there to hold pages
        unsigned char *data = lane_map(file, CONTROL_BYTES, capacity, PROT_READ | PROT_WRITE);
        lane_make_huge(data, capacity);
        munmap(data, 2 * capacity);
    }
    pid_t peer = start_peer((unsigned)((warm_up_ns + 2 * measure_ns) / 1000000000u) + 10);
    pin(atoi(argv[peer == 0 ? 8 : 7]));

    // One way: the second process writes lane 0 and the first reads it, and measures. Round trip: the first writes lane 0 and reads lane 1.
    struct two_lanes lanes = { .stop = &control[0].stop };
    bool first = peer != 0;
    int written = !one_way && !first, read = !one_way && first;
    if (!one_way || !first) {
        lanes.out.data = lane_map(file, CONTROL_BYTES + (off_t)written * (off_t)capacity, capacity, PROT_READ | PROT_WRITE);
        lanes.out.cursor = &control[written].cursor;
        lanes.out.capacity = lanes.out.limit = capacity;
    }
    if (!one_way || first) {
        lanes.in.data = lane_map(file, CONTROL_BYTES + (off_t)read * (off_t)capacity, capacity, PROT_READ);
        lanes.in.cursor = &control[read].cursor;
        lanes.in.capacity = capacity;
    }

    if (huge) {
        lane_make_huge(first ? (unsigned char *)lanes.in.data : lanes.out.data, capacity);
    }
    if (!first) {
        one_way ? send_until_stopped(&lanes.out, lanes.stop) : echo(&lanes);
        return 0;
    }
    if (one_way) {
        receive(batches ? read_run : read_singly, &lanes.in, warm_up_ns, measure_ns);
        atomic_store_explicit(lanes.stop, 1, memory_order_relaxed);
    } else {
        measure_round_trips(round_trip, &lanes, warm_up_ns, measure_ns);
        write_message(&lanes.out, UINT64_MAX, lanes.stop);
    }
    finish_peer(peer);
    return 0;
}
