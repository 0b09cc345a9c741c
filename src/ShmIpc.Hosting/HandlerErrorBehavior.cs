namespace ShmIpc.Hosting;

/// <summary>What a hosted consumer does when its handler throws. The exception is logged in either case.</summary>
public enum HandlerErrorBehavior
{
    /// <summary>The consumer fails as a <c>BackgroundService</c> does: the host stops, unless its
    /// <c>HostOptions.BackgroundServiceExceptionBehavior</c> says otherwise.</summary>
    Stop,

    /// <summary>The message is given up and the consumer goes on with the next one.</summary>
    Continue,
}
