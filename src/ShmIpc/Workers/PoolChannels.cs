// The two channels of a pool, in memory files without a name: answers (a lane for each worker, read by the pool) and jobs (one lane of the
// pool, read by a durable shared group, so that nothing is lost while all workers are dead).

using Microsoft.Win32.SafeHandles;
using ShmIpc.Channels;

namespace ShmIpc.Workers;

internal static class PoolChannels
{
    public const string AnswersName = "pool-answers";
    public const string JobsName = "pool-jobs";
    public const string ControlName = "pool-control";
    private const string Group = "workers";

    public static ShmChannelOptions Answers(SafeFileHandle memory, WorkerPoolOptions options) => new()
    {
        Memory = memory,
        LaneCapacityBytes = options.ResultBufferBytes,
        MaxProducers = options.Workers,
        MaxGroups = 1,
        MaxParticipants = (2 * options.Workers) + 2, // a worker's successor comes while its own slot may not be free yet
    };

    public static ShmChannelOptions Jobs(SafeFileHandle memory, WorkerPoolOptions options) => new()
    {
        Memory = memory,
        LaneCapacityBytes = options.JobBufferBytes,
        MaxProducers = 1,
        MaxGroups = 1,
        MaxParticipants = (2 * options.Workers) + 2,
        RequiredGroups = [new RequiredGroup { Name = Group, Kind = GroupKind.Shared }],
    };

    public static ShmChannelOptions Existing(SafeFileHandle memory) => new() { Memory = memory };

    /// <summary>The pool alone: what it has taken is given back at once, and not when it asks for the next.</summary>
    public static ConsumerOptions Reader() => new() { Acknowledge = AcknowledgeMode.Manual };

    public static ConsumerOptions Member() =>
        new() { Group = Group, Kind = GroupKind.Shared, Durable = true, Acknowledge = AcknowledgeMode.Manual };
}
