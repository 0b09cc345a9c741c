using ShmIpc.Benchmarks.Transports.OfChannels;
using ShmIpc.Benchmarks.Transports.Rings;

namespace ShmIpc.Benchmarks.Transports;

/// <summary>What the messages of a pair travel through.</summary>
internal enum Transport
{
    /// <summary>A byte channel, written with <c>TryWrite</c>.</summary>
    Channel,

    /// <summary>A byte channel, written in place with <c>TryClaim</c> and <c>Commit</c>.</summary>
    ChannelClaim,

    /// <summary>A byte channel, written and read in batches.</summary>
    ChannelBatch,

    /// <summary>A Unix stream socket, each message behind a 4-byte length.</summary>
    UnixSocket,

    /// <summary>A named pipe, each message behind a 4-byte length.</summary>
    Pipe,

    /// <summary>NetMQ, a pair of sockets over TCP on the loopback interface: what it has on Linux.</summary>
    NetMq,

    /// <summary>A ring of fixed slots in shared memory, in the way of the LMAX Disruptor.</summary>
    SequenceRing,

    /// <summary><c>System.Threading.Channels</c>: two threads of one process.</summary>
    ThreadingChannel,

    /// <summary>A channel of <see cref="Block"/>, a struct sent as it is.</summary>
    Block,

    /// <summary>The same, read with <c>await foreach</c>.</summary>
    BlockAsync,

    /// <summary>A channel of <see cref="Order"/>, sent as MessagePack.</summary>
    Order,

    /// <summary>MessagePack alone: into a buffer and back, nothing sent.</summary>
    MessagePackAlone,
}
