using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.CrashTests.Operations;

/// <summary>A member whose group was ended while it had a message in hand. When it dies, its slot stays taken until somebody takes the
/// group's place, who forgets what it held.</summary>
internal sealed class LeaveEvicted : GroupEntryOperation
{
    private ByteConsumer? _member;

    public override string Role => "member of a shared group";

    public override string What => "is disposed, a message in hand, evicted and not knowing it";

    public override string[] Outcomes => ["the others, who go on"];

    public override void Ready()
    {
        using ByteProducer producer = Channel.CreateProducer();
        Eventually.True(
            () =>
            {
                producer.TryWrite(new byte[100]);
                return Phase == GroupEntry.Free;
            },
            "the group is evicted");
    }

    public override void Act() => _member!.Dispose();

    protected override ShmChannelOptions OptionsIn(string root) =>
        base.OptionsIn(root) with { EvictAfter = TimeSpan.FromMilliseconds(100) };

    protected override void Prepare()
    {
        _member = Channel.CreateConsumer(new() { Group = "workers", Kind = GroupKind.Shared });
        Write(0, 1);
        _member.Read(Patience);
    }

    protected override string Look()
    {
        WriteLaps();
        return Outcomes[0];
    }
}
