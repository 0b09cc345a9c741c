// An operation on a shared value. The test's process creates it, and looks at it afterwards; whatever died, the value must then be as good
// as new: whole, writable, numbered without gaps, and its changes wake those who wait for them.

using ShmIpc.ProcessTests.Harness;
using ShmIpc.Serialization;
using ShmIpc.Values;

namespace ShmIpc.CrashTests.Operations;

internal abstract class ValueOperation : Operation
{
    private const string Name = "crash";
    protected static readonly byte[] Old = [.. Enumerable.Repeat((byte)1, 100)];
    protected static readonly byte[] New = [.. Enumerable.Repeat((byte)2, 200)];
    private string? _root;
    private SharedValue<byte[]>? _value;
    private ValueRegion? _inside;

    public override string Role => "writer of a shared value";

    public override string[] Outcomes { get; } = ["the value before", "the new value, whole"];

    protected SharedValue<byte[]> Value => _value!;

    protected string Root => _root!;

    /// <summary>What users of the value do not see: who is asleep.</summary>
    protected ValueRegion Inside => _inside ??= ValueRegion.Open(Name, "bytes", 0, OptionsIn(Root));

    public override void SetStage(string root)
    {
        _root = root;
        _value = SharedValue.Create(Name, new BytesPayload(), OptionsIn(root));
        using (SharedValueWriter<byte[]> writer = _value.CreateWriter())
        {
            writer.Write(Old);
        }

        SetStage();
    }

    public override void Prepare(string root)
    {
        _value = SharedValue.Open(Name, new BytesPayload(), OptionsIn(root));
        Prepare();
    }

    /// <summary>Readers see one value or the other.</summary>
    public override string Observe()
    {
        Assert.False(Value.HasWriter);
        Assert.True(Value.TryRead(out byte[]? value, out long version));
        Assert.InRange(version, 1, 2);
        Assert.Equal(version == 1 ? Old : New, value);
        Look(version);
        CheckValue();
        return Outcomes[version - 1];
    }

    public override void Dispose()
    {
        _inside?.ReleaseReference();
        _value?.Dispose();
    }

    /// <summary>Who else is there, in the test's process.</summary>
    protected virtual void SetStage()
    {
    }

    /// <summary>What the victim needs for the operation.</summary>
    protected virtual void Prepare()
    {
    }

    /// <summary>What must be so besides.</summary>
    protected virtual void Look(long version)
    {
    }

    private static SharedValueOptions OptionsIn(string root) => new() { Root = root, MaxValueBytes = 1000, MaxParticipants = 3 };

    /// <summary>Every participant's place can be taken: by a writer, and by two who wait.</summary>
    private void CheckValue()
    {
        long version = Value.Version;
        using SharedValueWriter<byte[]> writer = Value.CreateWriter();
        using SharedValue<byte[]> other = SharedValue.Open(Name, new BytesPayload(), OptionsIn(Root));
        Assert.False(Value.WaitForChange(version, TimeSpan.FromMilliseconds(1)));
        Assert.False(other.WaitForChange(version, TimeSpan.FromMilliseconds(1)));
        for (int i = 0; i < 9; i++) // each buffer twice
        {
            byte[] value = [(byte)i, 3, 4];
            Assert.Equal(++version, writer.Write(value));
            Assert.True(other.WaitForChange(version - 1, ChildProcess.Patience));
            Assert.True(Value.TryRead(out byte[]? read, out long readVersion));
            Assert.Equal(value, read);
            Assert.Equal(version, readVersion);
        }
    }
}
