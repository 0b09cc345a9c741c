namespace ShmIpc.Channels;

/// <summary>How the members of a named group share its messages.</summary>
public enum GroupKind
{
    /// <summary>One member reads, the others stand by: when it leaves or dies, one of them continues at the last acknowledged message. The
    /// order of each producer is kept.</summary>
    Exclusive = 1,

    /// <summary>The members compete: each message goes to one of them, and to another when that one dies before it acknowledged.</summary>
    Shared = 2,
}
