/* Prints every message of a channel of raw bytes as a line, until its producers have completed.
 *
 *     receive NAME [ROOT]
 */
#define SHMIPC_IMPLEMENTATION
#include "../shmipc.h"

static int failed(const char *what, int error)
{
    fprintf(stderr, "receive: cannot %s: %s\n", what, shmipc_message(error));
    return 1;
}

int main(int count, char **arguments)
{
    if (count < 2 || count > 3) {
        fputs("usage: receive NAME [ROOT]\n", stderr);
        return 2;
    }

    shmipc_channel *channel;
    shmipc_consumer *consumer;
    shmipc_record record;
    int error = shmipc_open(&channel, count > 2 ? arguments[2] : NULL, arguments[1], "bytes", 0);
    if (error != 0) return failed("open the channel", error);
    error = shmipc_consumer_open(&consumer, channel);
    if (error != 0) return failed("join", error);

    while ((error = shmipc_read(consumer, &record, -1)) == 0) { /* the record lies in shared memory until the next call */
        fwrite(record.payload, 1, record.length, stdout);
        putchar('\n');
        fflush(stdout);
    }
    if (error == -EREMOTEIO) fprintf(stderr, "receive: a producer failed: %s\n", shmipc_fault(consumer));
    shmipc_consumer_close(consumer);
    shmipc_close(channel);
    return error == -EPIPE ? 0 : failed("go on", error);
}
