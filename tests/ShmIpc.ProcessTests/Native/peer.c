// The C side of CPeerTests.cs: the roles of Roles/StreamRoles.cs once more, over interop/c/shmipc.h, and one that does as it is told.
//
//     peer child <role> key=value ...       as ChildProcess.cs starts it
//
// The messages are those of Harness/Message.cs, the counters those of Harness/ProgressFile.cs.

#define SHMIPC_IMPLEMENTATION
#include "shmipc.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>

enum { MAX_BYTES = 6000, HEAD_BYTES = 16, COUNTERS = 512, COUNTER_BYTES = 128, LANES = 32 };

static int arguments_count;
static char **arguments;

static void fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    exit(1);
}

static void check(const char *what, int error)
{
    if (error != 0) fail("%s: %d, %s", what, error, shmipc_message(error));
}

static const char *text(const char *key)
{
    size_t length = strlen(key);
    for (int i = 3; i < arguments_count; i++)
        if (strncmp(arguments[i], key, length) == 0 && arguments[i][length] == '=') return arguments[i] + length + 1;
    fail("There is no argument %s.", key);
    return NULL;
}

static int64_t number(const char *key) { return strtoll(text(key), NULL, 10); }

static void say(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    putchar('\n');
    fflush(stdout);
}

static void await_go(void)
{
    char line[16];
    if (fgets(line, sizeof line, stdin) == NULL || strcmp(line, "go\n") != 0) fail("Expected \"go\".");
}

static int64_t *counter(int64_t index)
{
    int fd = open(text("progress"), O_RDWR | O_CLOEXEC);
    if (fd < 0 || index < 0 || index >= COUNTERS) fail("No counter %" PRId64 ".", index);
    void *map = mmap(NULL, COUNTERS * COUNTER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) fail("The progress file cannot be mapped.");
    close(fd);
    return (int64_t *)map + index * (COUNTER_BYTES / 8);
}

// ---- Messages ----

static uint64_t mix(uint64_t z)
{
    z += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static uint64_t seed(int64_t producer, int64_t at) { return (uint64_t)producer << 40 ^ (uint64_t)at ^ UINT64_C(0x9E3779B97F4A7C15); }

static size_t message_length(int64_t producer, int64_t at)
{
    uint64_t random = mix(seed(producer, at)), bytes = (random >> 8) % 300;
    if ((random & 15) == 0) bytes = 0;
    else if ((random & 15) <= 2) bytes = (random >> 8) % (MAX_BYTES + 1);
    return at == 0 && bytes < HEAD_BYTES ? HEAD_BYTES : (size_t)bytes;
}

static void message_fill(unsigned char *payload, size_t length, int64_t producer, int64_t at)
{
    uint64_t state = seed(producer, at);
    size_t i = 0;
    if (length >= HEAD_BYTES) {
        memcpy(payload, &producer, 8);
        memcpy(payload + 8, &at, 8);
        i = HEAD_BYTES;
    }
    for (; i + 8 <= length; i += 8) {
        state = mix(state);
        memcpy(payload + i, &state, 8);
    }
    for (; i < length; i++) payload[i] = (unsigned char)(state = mix(state));
}

static int message_is(const shmipc_record *record, int64_t producer, int64_t at)
{
    unsigned char expected[MAX_BYTES];
    size_t length = message_length(producer, at);
    if (record->length != length) return 0;
    message_fill(expected, length, producer, at);
    return memcmp(record->payload, expected, length) == 0;
}

// ---- Roles ----

static shmipc_channel *channel;

static void attach(void) { check("open", shmipc_open(&channel, text("root"), text("channel"), NULL, 0)); }

static void write_stream(void)
{
    int64_t id = number("id"), count = number("count"), *progress = counter(id);
    int in_place = strcmp(text("mode"), "claim") == 0;
    unsigned char copy[MAX_BYTES];
    shmipc_producer *producer;
    void *room;
    attach();
    say("ready");
    await_go();
    check("take a lane", shmipc_producer_open(&producer, channel));
    for (int64_t at = 0; at < count; at++) {
        size_t length = message_length(id, at);
        if (in_place) { // scribbles over the whole claim before the message goes in; now and then a claim is forgotten
            for (int again = at % 5 == 0; again >= 0; again--) {
                check("claim", shmipc_claim(producer, MAX_BYTES, &room, -1));
                memset(room, 0xFF, MAX_BYTES);
            }
            message_fill((unsigned char *)room, length, id, at);
            check("commit", shmipc_commit(producer, length));
        } else {
            message_fill(copy, length, id, at);
            check("write", shmipc_write(producer, copy, length, -1));
        }
        __atomic_store_n(progress, at + 1, __ATOMIC_RELEASE);
    }
    check("complete", shmipc_complete(producer, NULL, NULL));
    shmipc_producer_close(producer);
    check("close", shmipc_close(channel));
    say("done");
}

static struct { int64_t producer, next; uint64_t number; int is_known; } streams[LANES];

// Refuses everything but the next message of the lane's producer, or the first of the producer that took the lane over.
static void check_record(const shmipc_record *record, int is_late)
{
    int64_t producer, at;
    if (streams[record->lane].is_known && record->number != streams[record->lane].number)
        fail("Lane %u: message %" PRIu64 " came instead of %" PRIu64 ".", record->lane, record->number, streams[record->lane].number);
    int was_known = streams[record->lane].is_known;
    streams[record->lane].number = record->number + 1;
    if (was_known == 2 && message_is(record, streams[record->lane].producer, streams[record->lane].next)) {
        streams[record->lane].next++;
        return;
    }
    streams[record->lane].is_known = was_known == 2 ? 2 : 1;
    if (record->length >= HEAD_BYTES) {
        memcpy(&producer, record->payload, 8);
        memcpy(&at, (const unsigned char *)record->payload + 8, 8);
        int is_start = at == 0 ? was_known != 2 || producer != streams[record->lane].producer : is_late && was_known != 2;
        if (is_start && message_is(record, producer, at)) {
            streams[record->lane].is_known = 2;
            streams[record->lane].producer = producer;
            streams[record->lane].next = at + 1;
            return;
        }
    }
    if (!is_late || was_known == 2)
        fail("Lane %u, position %" PRIu64 ", number %" PRIu64 ": not the message that follows.", record->lane, record->position, record->number);
}

static void read_stream(void)
{
    int64_t *progress = counter(number("counter")), total = 0;
    int is_late = number("late") != 0, error;
    shmipc_consumer *consumer;
    shmipc_record record;
    attach();
    check("join", shmipc_consumer_open(&consumer, channel));
    say("ready");
    while ((error = shmipc_read(consumer, &record, -1)) == 0) {
        check_record(&record, is_late);
        __atomic_store_n(progress, ++total, __ATOMIC_RELEASE);
    }
    if (error != -EPIPE) check("read", error);
    shmipc_consumer_close(consumer);
    check("close", shmipc_close(channel));
    say("done %" PRId64, total);
}

// One command a line, one answer a line: its result first. "write LENGTH TIMEOUT", "read TIMEOUT", "complete TYPE TEXT", ...
static void obey(void)
{
    static unsigned char payload[1 << 20];
    char line[400], first[100], second[200];
    shmipc_producer *producer = NULL;
    shmipc_consumer *consumer = NULL;
    shmipc_record record;
    say("ready");
    while (fgets(line, sizeof line, stdin) != NULL) {
        first[0] = second[0] = 0;
        char command[32];
        sscanf(line, "%31s %99s %199s", command, first, second);
        if (strcmp(command, "open") == 0) say("is %d", shmipc_open(&channel, text("root"), text("channel"), NULL, 0));
        else if (strcmp(command, "producer") == 0) say("is %d", shmipc_producer_open(&producer, channel));
        else if (strcmp(command, "consumer") == 0) say("is %d", shmipc_consumer_open(&consumer, channel));
        else if (strcmp(command, "write") == 0) {
            size_t length = strtoul(first, NULL, 10);
            message_fill(payload, length, 1, (int64_t)length);
            say("is %d", shmipc_write(producer, payload, length, atoi(second)));
        } else if (strcmp(command, "read") == 0) {
            int error = shmipc_read(consumer, &record, atoi(first));
            if (error == 0) {
                message_fill(payload, record.length, 1, (int64_t)record.length);
                error = memcmp(payload, record.payload, record.length) == 0 ? 0 : -EIO;
            }
            say("is %d %zu", error, error == 0 ? record.length : 0);
        } else if (strcmp(command, "release") == 0) say("is %d", shmipc_release(consumer));
        else if (strcmp(command, "complete") == 0) say("is %d", shmipc_complete(producer, first[0] ? first : NULL, second[0] ? second : NULL));
        else if (strcmp(command, "fault") == 0) say("is %s", shmipc_fault(consumer));
        else if (strcmp(command, "leave") == 0) {
            shmipc_producer_close(producer);
            shmipc_consumer_close(consumer);
            producer = NULL;
            consumer = NULL;
            say("is %d", shmipc_close(channel));
            channel = NULL;
        } else fail("What is \"%s\"?", command);
    }
}

// Attaches, writes and reads in a region that somebody scribbles over: any error will do, a crash or an endless call will not.
static void survive(void)
{
    int64_t *progress = counter(number("counter")), rounds = number("rounds"), written = 0, read = 0;
    for (int64_t round = 0; round < rounds; round++) {
        shmipc_producer *producer = NULL;
        shmipc_consumer *consumer = NULL;
        shmipc_record record;
        volatile unsigned char sum = 0;
        if (shmipc_open(&channel, text("root"), text("channel"), NULL, 0) == 0) {
            int writes = shmipc_producer_open(&producer, channel) == 0, reads = shmipc_consumer_open(&consumer, channel) == 0;
            for (int i = 0; i < 300; i++) {
                if (writes) written += shmipc_write(producer, "0123456789abcdefghijklmnopqrstuvwxyz", (size_t)(i % 36), i % 3) == 0;
                if (!reads || shmipc_read(consumer, &record, i % 2) != 0) continue;
                read++;
                for (size_t byte = 0; byte < record.length; byte++) sum = (unsigned char)(sum + ((const unsigned char *)record.payload)[byte]);
            }
            shmipc_producer_close(producer);
            shmipc_consumer_close(consumer);
            check("close", shmipc_close(channel));
        }
        __atomic_store_n(progress, round + 1, __ATOMIC_RELEASE);
        if (round == 0) say("ready");
    }
    say("done %" PRId64 " %" PRId64, written, read);
}

int main(int count, char **values)
{
    arguments_count = count;
    arguments = values;
    if (count < 3) fail("usage: peer child ROLE KEY=VALUE ...");
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != (pid_t)number("parent")) return 1;
    if (strcmp(values[2], "stream-writer") == 0) write_stream();
    else if (strcmp(values[2], "stream-reader") == 0) read_stream();
    else if (strcmp(values[2], "obey") == 0) obey();
    else if (strcmp(values[2], "survive") == 0) survive();
    else fail("There is no role %s.", values[2]);
    return 0;
}
