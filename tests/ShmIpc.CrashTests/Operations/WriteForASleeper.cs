using ShmIpc.ProcessTests.Harness;
using ShmIpc.Values;

namespace ShmIpc.CrashTests.Operations;

/// <summary>A thread of the test's process sleeps until the value changes.</summary>
internal sealed class WriteForASleeper : WriteAValue
{
    private Task<bool>? _waiting;

    public override string What => "writes a value for which a reader sleeps";

    public override bool IsAlone => false; // the sleeper wakes and looks

    public override string[] Outcomes { get; } =
        ["the value before; the reader sleeps on", "the reader has the new value within its 50 ms"];

    public override void Ready()
    {
        _waiting = Task.Factory.StartNew(() => Value.WaitForChange(1, ChildProcess.Patience), TaskCreationOptions.LongRunning);
        Eventually.True(() => Inside.Readers.AnyParked, "the reader sleeps");
    }

    protected override void Look(long version)
    {
        if (version == 1)
        {
            Assert.False(_waiting!.IsCompleted);
            using SharedValueWriter<byte[]> next = Value.CreateWriter();
            Assert.Equal(2, next.Write([9]));
        }

        Assert.True(_waiting!.Wait(Soon) && _waiting.Result, "The value is there, and the reader sleeps.");
    }
}
