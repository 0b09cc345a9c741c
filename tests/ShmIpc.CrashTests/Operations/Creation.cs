// Somebody makes a region and dies. Others find nothing or the whole of it, never a half; nothing is left that keeps the next one from
// making it.

using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.CrashTests.Operations;

internal abstract class Creation : Operation
{
    protected const string Name = "crash";
    protected const string Nothing = "nothing";
    private string? _root;

    public override string Role => "creator";

    protected string Root => _root ?? throw new InvalidOperationException("There is no stage yet.");

    protected static TimeSpan Patience => ChildProcess.Patience;

    protected abstract bool Exists { get; }

    protected virtual string Whole => "the whole channel";

    public override string[] Outcomes => [Nothing, Whole];

    public override void SetStage(string root) => _root = root;

    public override void Prepare(string root) => _root = root;

    public override string Observe()
    {
        string outcome = Look();
        OpenOrCreate();
        Assert.Equal([Path.Combine(Root, Name)], Directory.GetFileSystemEntries(Root));
        Assert.True(Delete());
        Assert.Empty(Directory.GetFileSystemEntries(Root));
        return outcome;
    }

    public override void Dispose()
    {
    }

    /// <summary>Looks, and uses what is there.</summary>
    protected virtual string Look()
    {
        if (!Exists)
        {
            Assert.Empty(Directory.GetFileSystemEntries(Root));
            return Nothing;
        }

        Open();
        return Whole;
    }

    protected abstract void Open();

    protected abstract void OpenOrCreate();

    protected abstract bool Delete();
}
