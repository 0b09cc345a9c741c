using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>Where the root directory has to be made, too.</summary>
internal sealed class CreateChannelAndRoot : ChannelCreation
{
    private const string EmptyRoot = "an empty root directory";

    public override string What => "creates a channel by `CreateOrOpen`, and the root directory";

    public override string[] Outcomes => [Nothing, EmptyRoot, Whole];

    public override void SetStage(string root) => base.SetStage(Path.Combine(root, "made"));

    public override void Prepare(string root) => base.Prepare(Path.Combine(root, "made"));

    public override void Act() => ShmByteChannel.CreateOrOpen(Name, Options).Dispose();

    protected override string Look()
    {
        if (!Directory.Exists(Root))
        {
            Assert.False(Exists);
            return Nothing;
        }

        return base.Look() == Nothing ? EmptyRoot : Whole;
    }
}
