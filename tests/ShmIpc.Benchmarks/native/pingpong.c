// The two floors of a round trip between processes: `line` bounces cache lines, spinning; `futex` parks for each message.
//
//   pingpong line|futex PATH PAYLOAD_BYTES WARM_UP_MS MEASURE_MS CPU_A CPU_B
//
// A ball is a turn word followed directly by the payload, 256-aligned: 56 bytes of payload fill exactly one cache line, 64 bytes
// (what the channels carry) take two. Each turn copies the payload out to private memory and the next copies it back in, as the
// channels' echo does. One round trip is: A writes ball 0, B reads it and writes ball 1, A reads it.
#include "bench.h"
#include <linux/futex.h>
#include <sys/syscall.h>

struct ball {
    _Alignas(256) _Atomic uint32_t turn;
    uint32_t unused;
    unsigned char payload[256 - 8];
};

struct court {
    struct ball balls[2];
};

static bool use_futex;
static size_t payload_bytes;
static unsigned char buffer[256];
static const uint32_t last_turn = UINT32_MAX;

static void futex(_Atomic uint32_t *word, int operation, uint32_t value)
{
    syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

static void throw_ball(struct ball *ball, uint32_t turn)
{
    memcpy(ball->payload, buffer, payload_bytes);
    atomic_store_explicit(&ball->turn, turn, memory_order_release);
    if (use_futex) {
        futex(&ball->turn, FUTEX_WAKE, 1);
    }
}

// Returns the new turn, once it is another than `before`.
static uint32_t catch_ball(struct ball *ball, uint32_t before)
{
    uint32_t turn;
    while ((turn = atomic_load_explicit(&ball->turn, memory_order_acquire)) == before) {
        if (use_futex) {
            futex(&ball->turn, FUTEX_WAIT, before);
        } else {
            relax();
        }
    }
    memcpy(buffer, ball->payload, payload_bytes);
    return turn;
}

static void round_trip(void *state, uint64_t number)
{
    struct court *court = state;
    uint32_t turn = (uint32_t)number + 1;
    memcpy(buffer, &number, sizeof number);
    throw_ball(&court->balls[0], turn);
    catch_ball(&court->balls[1], turn - 1);
    if (memcmp(buffer, &number, sizeof number) != 0) {
        fprintf(stderr, "the wrong ball came back\n");
        exit(1);
    }
}

static void echo(struct court *court)
{
    uint32_t turn = 0;
    while ((turn = catch_ball(&court->balls[0], turn)) != last_turn) {
        throw_ball(&court->balls[1], turn);
    }
}

int main(int argc, char **argv)
{
    if (argc != 8) {
        fprintf(stderr, "usage: pingpong line|futex PATH PAYLOAD_BYTES WARM_UP_MS MEASURE_MS CPU_A CPU_B\n");
        return 2;
    }
    use_futex = strcmp(argv[1], "futex") == 0;
    payload_bytes = strtoul(argv[3], NULL, 10);
    uint64_t warm_up_ns = strtoull(argv[4], NULL, 10) * 1000000, measure_ns = strtoull(argv[5], NULL, 10) * 1000000;
    if (payload_bytes < 8 || payload_bytes > sizeof ((struct ball *)0)->payload) {
        fprintf(stderr, "8 to %zu bytes of payload\n", sizeof ((struct ball *)0)->payload);
        return 2;
    }
    struct court *court = map_shared(open_shared(argv[2], sizeof *court), sizeof *court);
    pid_t peer = start_peer((unsigned)((warm_up_ns + 2 * measure_ns) / 1000000000u) + 10);
    if (peer == 0) {
        pin(atoi(argv[7]));
        echo(court);
        return 0;
    }
    pin(atoi(argv[6]));
    measure_round_trips(round_trip, court, warm_up_ns, measure_ns);
    throw_ball(&court->balls[0], last_turn);
    finish_peer(peer);
    return 0;
}
