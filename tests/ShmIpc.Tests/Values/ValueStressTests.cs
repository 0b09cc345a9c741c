using ShmIpc.Memory;
using ShmIpc.Values;
using Xunit;

namespace ShmIpc.Tests.Values;

/// <summary>One writer that never pauses, readers that check every byte: never torn, never back.</summary>
public sealed class ValueStressTests : IDisposable
{
    private const int Readers = 4;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private readonly ScratchRoot _root = new();

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(1_000)]
    [InlineData(100_000)]
    public void Four_readers_see_whole_values_only_and_none_goes_back(int length)
    {
        SharedValueOptions options = new() { Root = _root.Path, MaxValueBytes = length };
        using SharedValue<Pattern> value = SharedValue.Create("stress", new PatternSerializer(), options);
        using SharedValueWriter<Pattern> writer = value.CreateWriter();
        long[] changes = new long[Readers];
        bool isDone = false;
        Concurrently.Run(Readers + 1, _patience, number =>
        {
            if (number == Readers)
            {
                long start = Environment.TickCount64;
                while (Environment.TickCount64 - start < 400 || changes.Min() < 5)
                {
                    long next = writer.Version + 1;
                    Assert.Equal(next, writer.Write(new Pattern(next, length)));
                }

                Atomics.Release(ref isDone, true);
                return;
            }

            long last = 0;
            while (!Atomics.Acquire(ref isDone))
            {
                if (!value.TryRead(out Pattern read, out long version))
                {
                    continue;
                }

                Assert.True(version >= last, $"went back from {last} to {version}");
                Assert.True(read.Length == length && PatternSerializer.Matches(read, version), $"version {version} is {read}");
                changes[number] += version == last ? 0 : 1;
                last = version;
            }
        });

        Assert.True(value.TryRead(out Pattern latest, out long final));
        Assert.True(final == writer.Version && PatternSerializer.Matches(latest, final));
        Assert.All(changes, seen => Assert.True(seen >= 5));
    }

    [Fact]
    public void Values_whose_lengths_change_are_whole_too()
    {
        const int MaxBytes = 3_000;
        SharedValueOptions options = new() { Root = _root.Path, MaxValueBytes = MaxBytes };
        using SharedValue<Pattern> value = SharedValue.Create("lengths", new PatternSerializer(), options);
        using SharedValueWriter<Pattern> writer = value.CreateWriter();
        bool isDone = false;
        Concurrently.Run(3, _patience, number =>
        {
            if (number == 2)
            {
                long start = Environment.TickCount64;
                for (long version = 1; version <= 200_000 && Environment.TickCount64 - start < 20_000; version++) // fewer on a busy machine
                {
                    writer.Write(new Pattern(version, Length(version)));
                }

                Atomics.Release(ref isDone, true);
                return;
            }

            while (!Atomics.Acquire(ref isDone))
            {
                if (value.TryRead(out Pattern read, out long version))
                {
                    Assert.Equal(Length(version), read.Length);
                    Assert.True(PatternSerializer.Matches(read, version), $"version {version} is {read}");
                }
            }
        });

        static int Length(long version) => (int)(version * 7_919 % (MaxBytes + 1));
    }

    public void Dispose() => _root.Dispose();
}
