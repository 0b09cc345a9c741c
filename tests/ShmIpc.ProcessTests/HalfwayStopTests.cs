// A process is stopped in the middle of what one does at a time: creating, attaching to or deleting a region, making or retiring a group.
// It is alive, so nobody finishes it instead: the others are told so after a while, and when it goes on, so does everything.

using System.Diagnostics;
using ShmIpc.Channels;
using ShmIpc.Interop;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Roles;
using ShmIpc.Regions;

namespace ShmIpc.ProcessTests;

public sealed class HalfwayStopTests(ITestOutputHelper output) : IDisposable
{
    private const string Name = "contested";
    private readonly ITestOutputHelper _output = output;
    private readonly List<IDisposable> _owned = [];

    [Fact]
    public async Task Who_is_stopped_halfway_is_waited_for_with_a_bound_and_goes_on()
    {
        PausedPart[] parts =
            [Creator(), Attacher(), Deleter(), GroupOf("maker", GroupEntry.Joining), GroupOf("retirer", GroupEntry.Retiring)];
        long start = Stopwatch.GetTimestamp();
        await Task.WhenAll(parts.Select(part => Task.Factory.StartNew(part.WhilePaused, TaskCreationOptions.LongRunning)));
        _output.WriteLine($"all were told within {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
        Assert.All(parts, part => part.Child.Continue());
        Assert.All(parts, part => part.Afterwards());
    }

    public void Dispose()
    {
        foreach (IDisposable owned in Enumerable.Reverse(_owned))
        {
            owned.Dispose();
        }
    }

    /// <summary>Between the first byte of the region and its name.</summary>
    private PausedPart Creator() => RegionUser("creator", "creator", IsCreating, options =>
    {
        Assert.Throws<ShmRegionNotFoundException>(() => ShmByteChannel.Open(Name, options));
        ShmByteChannel.Create(Name, options).Dispose(); // what has no name is in nobody's way
    });

    /// <summary>Between its look at the name and the mark that says that somebody is attached.</summary>
    private PausedPart Attacher() => RegionUser("attacher", "opener", IsAttaching, options =>
    {
        ShmByteChannel.Open(Name, options).Dispose();
        ExpectStopped("attaching", () => ShmChannel.Delete(Name, options.Root));
    });

    /// <summary>Between the region's mark and the end of its name.</summary>
    private PausedPart Deleter() => RegionUser("deleter", "creator", IsDeleting, options =>
        ExpectStopped("deleting", () => ShmByteChannel.CreateOrOpen(Name, options).Dispose()));

    private PausedPart RegionUser(string name, string role, Func<string, int, bool> isThere, Action<ShmChannelOptions> whileStopped)
    {
        ScratchRoot root = Own(new ScratchRoot());
        ShmChannelOptions options = new() { Root = root.Path };
        ShmByteChannel.Create(Name, options).Dispose(); // an opener needs one
        ChildProcess child = Own(ChildProcess.StartReady(role, ("root", root.Path), ("channel", Name)));
        child.Send("go");
        StopWhen(child, name, () => isThere(root.FileOf(Name), child.Id));
        return new(name, child, () => whileStopped(options), Afterwards);

        void Afterwards()
        {
            Thread.Sleep(100);
            Assert.False(child.HasExited, $"{child} failed"); // it creates and deletes as before
            child.Kill();
            using (ShmByteChannel channel = ShmByteChannel.CreateOrOpen(Name, options))
            {
                using ByteProducer producer = channel.CreateProducer();
                producer.Write("works"u8, ChildProcess.Patience);
            }

            Assert.True(ShmChannel.Delete(Name, root.Path));
            Assert.Empty(Directory.GetFileSystemEntries(root.Path));
        }
    }

    private PausedPart GroupOf(string name, ulong phase)
    {
        TestChannel test = Own(new TestChannel(4096, maxProducers: 32));
        ChildProcess child = test.Start("group-maker");
        ChannelRegion region = ChannelRegion.Attach(TestChannel.Name, "bytes", 0, test.Options, ChannelOpenMode.Open);
        try
        {
            StopWhen(child, name, () => Enumerable.Range(0, region.Groups.Count)
                .Any(group => GroupEntry.Phase(region.Groups.Entry(group).State) == phase && region.Groups.Entry(group).Name is not null));
        }
        finally
        {
            region.ReleaseReference();
        }

        return new(name, child, WhileStopped, Afterwards);

        void WhileStopped()
        {
            test.Channel.CreateConsumer().Dispose(); // one for itself asks nobody
            ConsumerOptions same = PausedRoles.Options(GroupKind.Exclusive);
            TimeoutException error = Assert.Throws<TimeoutException>(() => test.Channel.CreateConsumer(same));
            Assert.Contains("Is a process stopped there?", error.Message, StringComparison.Ordinal);
        }

        void Afterwards()
        {
            test.Progress[StreamRoles.StopCounter] = 1;
            child.Expect("done");
            child.ExpectEnd();
            Assert.Empty(test.Channel.Groups);
            using ByteProducer producer = test.Channel.CreateProducer();
            using ByteConsumer consumer = test.Channel.CreateConsumer(PausedRoles.Options(GroupKind.Exclusive));
            producer.Write("works"u8, ChildProcess.Patience);
            Assert.True(consumer.Read(ChildProcess.Patience).Payload.SequenceEqual("works"u8));
        }
    }

    private static void ExpectStopped(string what, Action attempt)
    {
        ShmException error = Assert.Throws<ShmException>(attempt);
        Assert.Contains($"somebody has been {what}", error.Message, StringComparison.Ordinal);
        Assert.Contains("Is a process stopped there?", error.Message, StringComparison.Ordinal);
    }

    /// <summary>The process has a file that has no name yet.</summary>
    private static bool IsCreating(string path, int processId) => !File.Exists(path)
        && Directory.GetFileSystemEntries($"/proc/{processId}/fd").Any(link =>
            new FileInfo(link).LinkTarget is { } target && target.StartsWith($"{Path.GetDirectoryName(path)}/#", StringComparison.Ordinal));

    private static bool IsAttaching(string path, int processId) =>
        Lifecycle(path) is (RegionLayout.StateInUse, IsLocked: true, IsExclusive: false);

    private static bool IsDeleting(string path, int processId) =>
        Lifecycle(path) is (RegionLayout.StateDeleted, IsLocked: true, IsExclusive: true);

    private static (uint State, bool IsLocked, bool IsExclusive) Lifecycle(string path)
    {
        if (!File.Exists(path))
        {
            return default;
        }

        using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        byte[] state = new byte[sizeof(uint)];
        file.Position = RegionLayout.StateOffset;
        file.ReadExactly(state);
        bool isLocked = LinuxFile.IsLocked(file.SafeFileHandle, RegionLocks.Lifecycle, 1);
        bool isShared = LinuxFile.TryLock(file.SafeFileHandle, RegionLocks.Lifecycle, 1, exclusive: false);
        return (BitConverter.ToUInt32(state), isLocked, !isShared);
    }

    /// <summary>Stops the process again and again, until it stands where it is wanted.</summary>
    private void StopWhen(ChildProcess child, string name, Func<bool> isThere)
    {
        long start = Stopwatch.GetTimestamp();
        for (int attempt = 1; Stopwatch.GetElapsedTime(start) < 5 * ChildProcess.Patience; attempt++) // hundreds may be needed
        {
            child.Stop();
            if (isThere())
            {
                _output.WriteLine($"{name}: stopped halfway at attempt {attempt}, {Stopwatch.GetElapsedTime(start).TotalSeconds:F2} s");
                return;
            }

            child.Continue();
            _ = Thread.Yield(); // on one processor it would not go on at all
            Thread.SpinWait(Random.Shared.Next(10_000));
        }

        Assert.Fail($"{child} never stood where it was to be stopped.");
    }

    private T Own<T>(T owned)
        where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }
}
