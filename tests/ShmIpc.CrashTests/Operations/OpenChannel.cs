using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>Attaches, and detaches.</summary>
internal sealed class OpenChannel : ChannelOperation
{
    private string? _root;

    public override string Role => "opener";

    public override string What => "opens a channel, and disposes it";

    public override string[] Outcomes => ["the others go on"];

    public override void Prepare(string root) => _root = root;

    public override void Act() => ShmByteChannel.Open(Name, OptionsIn(_root!)).Dispose();

    protected override void Prepare()
    {
    }

    protected override string Look() => Outcomes[0];
}
