using ShmIpc.Values;

namespace ShmIpc.CrashTests.Operations;

/// <summary>A shared value's region.</summary>
internal sealed class CreateSharedValue : Creation
{
    public override string What => "creates a shared value";

    protected override string Whole => "the whole shared value";

    protected override bool Exists => SharedValue.Exists(Name, Root);

    private SharedValueOptions Options => new() { Root = Root, MaxValueBytes = 64, MaxParticipants = 2 };

    public override void Act() => SharedValue.Create<int>(Name, Options).Dispose();

    protected override void Open() => Use(SharedValue.Open<int>(Name, Options));

    protected override void OpenOrCreate() => Use(SharedValue.CreateOrOpen<int>(Name, Options));

    protected override bool Delete() => SharedValue.Delete(Name, Root);

    private static void Use(SharedValue<int> opened)
    {
        using SharedValue<int> value = opened;
        using SharedValueWriter<int> writer = value.CreateWriter();
        writer.Write(42);
        Assert.Equal(42, value.Read(Patience));
    }
}
