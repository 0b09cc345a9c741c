/* Publishes each line of standard input as a message of a channel of raw bytes, then completes.
 *
 *     send NAME [ROOT]
 */
#define SHMIPC_IMPLEMENTATION
#include "../shmipc.h"

static int failed(const char *what, int error)
{
    fprintf(stderr, "send: cannot %s: %s\n", what, shmipc_message(error));
    return 1;
}

int main(int count, char **arguments)
{
    if (count < 2 || count > 3) {
        fputs("usage: send NAME [ROOT] < LINES\n", stderr);
        return 2;
    }

    shmipc_channel *channel;
    shmipc_producer *producer;
    int error = shmipc_open(&channel, count > 2 ? arguments[2] : NULL, arguments[1], "bytes", 0);
    if (error != 0) return failed("open the channel", error);
    error = shmipc_producer_open(&producer, channel);
    if (error != 0) return failed("take a lane", error);

    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    while (error == 0 && (length = getline(&line, &room, stdin)) > 0) {
        if (line[length - 1] == '\n') length--;
        error = shmipc_write(producer, line, (size_t)length, -1); /* waits for as long as the lane is full */
    }
    free(line);
    if (error == 0) error = shmipc_complete(producer, NULL, NULL);
    shmipc_producer_close(producer);
    shmipc_close(channel);
    return error == 0 ? 0 : failed("publish", error);
}
