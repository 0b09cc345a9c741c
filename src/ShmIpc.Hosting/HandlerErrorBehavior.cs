namespace ShmIpc.Hosting;

/// <summary>What a hosted consumer does when its handler throws. The exception is logged in either case.</summary>
public enum HandlerErrorBehavior
{
    /// <summary>The consumer fails as a <c>BackgroundService</c> does: the host stops, unless its
    /// <c>HostOptions.BackgroundServiceExceptionBehavior</c> says otherwise. In a named group the message was not handled: it is delivered
    /// again, to another member, or, in a durable group, to the next one that comes. A message that no handler survives so stops one
    /// host after the other; a handler can tell by its delivery count.</summary>
    Stop,

    /// <summary>The message is given up (acknowledged, in a named group) and the consumer goes on with the next one.</summary>
    Continue,
}
