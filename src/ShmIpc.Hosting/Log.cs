// Everything this assembly logs: one method an event. The numbers are stable; new events get new numbers.

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ShmIpc.Hosting;

internal static partial class Log
{
    /// <summary>The logger of everything here; it drops what it gets where the application has no logging.</summary>
    public static ILogger CreateLogger(IServiceProvider services) =>
        services.GetService<ILoggerFactory>()?.CreateLogger("ShmIpc.Hosting") ?? NullLogger.Instance;

    [LoggerMessage(1, LogLevel.Information, "Channel {Channel} is open: {MessageType}, lanes of {LaneCapacityBytes} bytes.")]
    public static partial void ChannelOpened(ILogger logger, string channel, Type messageType, long laneCapacityBytes);

    [LoggerMessage(2, LogLevel.Debug, "A consumer joined channel {Channel}.")]
    public static partial void ConsumerJoined(ILogger logger, string channel);

    [LoggerMessage(3, LogLevel.Debug, "A consumer left channel {Channel} after {MessageCount} messages.")]
    public static partial void ConsumerLeft(ILogger logger, string channel, long messageCount);

    [LoggerMessage(4, LogLevel.Error,
        "The handler of channel {Channel} failed on message {MessageNumber} of this consumer. The consumer stops.")]
    public static partial void HandlerFailed(ILogger logger, Exception exception, string channel, long messageNumber);

    [LoggerMessage(5, LogLevel.Error,
        "The handler of channel {Channel} failed on message {MessageNumber} of this consumer. The message is given up.")]
    public static partial void MessageGivenUp(ILogger logger, Exception exception, string channel, long messageNumber);

    [LoggerMessage(6, LogLevel.Error,
        "A message of channel {Channel} cannot be decoded and is skipped (lane {Lane}, position {Position}).")]
    public static partial void MessageSkipped(ILogger logger, Exception exception, string channel, int lane, long position);

    [LoggerMessage(7, LogLevel.Information, "Channel {Channel} is complete. The consumer waits for new producers.")]
    public static partial void WaitsForNewProducers(ILogger logger, string channel);

    [LoggerMessage(8, LogLevel.Information, "Channel {Channel} is complete. The consumer ends.")]
    public static partial void ConsumerEnds(ILogger logger, string channel);

    [LoggerMessage(9, LogLevel.Error, "Channel {Channel} was completed with an error. The consumer waits for new producers.")]
    public static partial void CompletedWithError(ILogger logger, Exception exception, string channel);

    [LoggerMessage(10, LogLevel.Critical, "Channel {Channel} was deleted while it was in use. The consumer stops; start the host again to "
        + "open or create the channel anew.")]
    public static partial void RegionDeleted(ILogger logger, Exception exception, string channel);

    [LoggerMessage(11, LogLevel.Warning, "The handler of channel {Channel} did not finish message {MessageNumber} of this consumer before "
        + "the host's shutdown timeout and was cancelled.")]
    public static partial void HandlerCancelled(ILogger logger, string channel, long messageNumber);

    [LoggerMessage(12, LogLevel.Warning, "Message {MessageNumber} of this consumer of channel {Channel} was handed out before, to a member "
        + "of its group that did not finish it: delivery {DeliveryCount}.")]
    public static partial void MessageRedelivered(ILogger logger, string channel, long messageNumber, int deliveryCount);
}
