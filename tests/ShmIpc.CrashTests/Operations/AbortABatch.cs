using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>Three messages that are taken back. With checksums, what they left is cleared, so that no recovery finds it.</summary>
internal sealed class AbortABatch : PublishABatch
{
    public override string What => "aborts a batch of three, with checksums";

    public override string[] Outcomes { get; } = ["no trace of it"];

    protected override ShmChannelOptions OptionsIn(string root) => base.OptionsIn(root) with { Checksums = true };

    public override void Act()
    {
        using Batch batch = Producer.BeginBatch();
        Add(batch);
        batch.Abort();
    }

    protected override string Look() => base.Look() == Outcomes[0] ? Outcomes[0] : "messages of an aborted batch";
}
