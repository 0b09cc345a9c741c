namespace ShmIpc.Channels;

/// <summary>Where a new group, or an observer, starts to read. A named group that exists continues where it left off.</summary>
public enum StartPosition
{
    /// <summary>At the oldest message that is still there. The default.</summary>
    Earliest,

    /// <summary>Behind the newest message.</summary>
    Latest,
}
