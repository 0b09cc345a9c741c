// What a launch is made of: messages with descriptors, methods by name, and what cannot be had.

using System.Text;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using ShmIpc.Tests.Memory;
using ShmIpc.Workers;
using Xunit;

namespace ShmIpc.Tests.Workers;

[Collection(nameof(MemoryMappingLeakTests))] // alone: a process that another test starts has a copy of a closed end for a moment
public sealed class LaunchTests
{
    [Fact]
    public void Messages_arrive_whole_with_descriptors_of_the_same_files()
    {
        (SafeFileHandle ours, SafeFileHandle theirs) = LinuxPipe.CreateSockets();
        using SafeFileHandle first = LinuxFile.CreateInMemory("first");
        using SafeFileHandle second = LinuxFile.CreateInMemory("second");
        Assert.True(LinuxMessage.TrySend(ours, "one"u8, first, second));
        Assert.True(LinuxMessage.TrySend(ours, "two"u8));
        byte[] buffer = new byte[100];
        Assert.Equal(3, LinuxMessage.Receive(theirs, buffer, out SafeFileHandle[] files));
        Assert.Equal("one"u8, buffer.AsSpan(0, 3));
        Assert.Equal(
            [LinuxFile.Status(first).Inode, LinuxFile.Status(second).Inode], files.Select(file => LinuxFile.Status(file).Inode).ToArray());
        Array.ForEach(files, file => file.Dispose());
        Assert.Equal(3, LinuxMessage.Receive(theirs, buffer, out files));
        Assert.Empty(files);
        theirs.Dispose();
        Assert.False(LinuxMessage.TrySend(ours, "three"u8));
        Assert.Equal(0, LinuxMessage.Receive(ours, buffer, out _));
        ours.Dispose();
    }

    [Fact]
    public void A_launch_reads_as_it_was_written()
    {
        using SafeFileHandle region = LinuxFile.CreateInMemory("region");
        using SafeFileHandle more = LinuxFile.CreateInMemory("more");
        WorkerLaunch launch = new(3, 4, "body", "name", region, new Dictionary<string, string> { ["ä\n"] = "\"=\0" })
        {
            MoreRegions = [more],
            Entry = "entry",
            Preload = "preload",
        };
        SafeFileHandle[] handles = LaunchMessage.Handles(launch);
        WorkerLaunch read = LaunchMessage.Read(LaunchMessage.Write(launch, 77), number => handles[number], out int parent);
        Assert.Equal(77, parent);
        Assert.Equal(launch.Settings, read.Settings);
        Assert.Equal(launch.MoreRegions, read.MoreRegions);
        Assert.Equal(launch with { Settings = read.Settings, MoreRegions = read.MoreRegions, Shared = read.Shared }, read);
    }

    [Fact]
    public void A_static_method_is_found_by_its_name_and_nothing_else_has_one()
    {
        Assert.Equal(5, StaticMethod.Find(StaticMethod.NameOf(Five)).CreateDelegate<Func<int>>()());
        int captured = 5;
        Assert.Throws<ArgumentException>(() => StaticMethod.NameOf(() => captured));
        Assert.Throws<ArgumentException>(() => StaticMethod.NameOf(static () => 5));
        Assert.Throws<ArgumentException>(() => StaticMethod.NameOf(ToString));
        Assert.Equal(10, StaticMethod.Find(StaticMethod.NameOf((Func<int, int>)Twice)).Invoke(null, [5]));
        Assert.Equal(10d, StaticMethod.Find(StaticMethod.NameOf((Func<double, double>)Twice)).Invoke(null, [5d])); // which one is in the name
        foreach (string name in (string[])["", "x", "No.Such.Type\nMethod", $"{typeof(LaunchTests).AssemblyQualifiedName}\nNone", "a\nb\nc"])
        {
            Assert.Contains("has no method", Assert.Throws<ShmException>(() => StaticMethod.Find(name)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Nobody_can_say_how_a_process_ended_that_somebody_else_reaped()
    {
        using System.Diagnostics.Process process = System.Diagnostics.Process.Start("/bin/true");
        int id = process.Id;
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(60)));
        Assert.False(LinuxChild.TryReap(id, out _)); // the runtime has
        Assert.Null(LinuxChild.TryOpen(id));
        Assert.False(LinuxChild.TryReap(Environment.ProcessId, out _));
    }

    [Fact]
    public async Task A_program_whose_Main_does_not_ask_starts_no_worker()
    {
        InvalidOperationException refused = await Assert.ThrowsAsync<InvalidOperationException>(
            () => WorkerLauncher.CreateAsync(WorkerStartMode.Spawn, null, (_, _, _) => { }, CancellationToken.None).AsTask());
        Assert.Contains("RunIfWorker", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Memory_is_shared_under_one_name_at_a_time()
    {
        using (SharedRegion region = SharedRegion.Create("once", 10))
        {
            Assert.Throws<ShmRegionExistsException>(() => SharedRegion.Create("once", 10));
            Assert.Same(region, SharedRegion.Open("once"));
            Assert.Equal(10, region.Mapping.LengthBytes);
            string[] maps = File.ReadAllLines("/proc/self/maps");
            Assert.Contains(maps, line => line.Contains("/memfd:shmipc-once", StringComparison.Ordinal) && line.Contains("rw-s", StringComparison.Ordinal));
        }

        Assert.Throws<ShmRegionNotFoundException>(() => SharedRegion.Open("once"));
        Assert.DoesNotContain(File.ReadLines("/proc/self/maps"), line => line.Contains("shmipc-once", StringComparison.Ordinal));
        Assert.Throws<ArgumentOutOfRangeException>(() => SharedRegion.Create("none", 0));
        Assert.Throws<ArgumentException>(() => SharedRegion.Create("a/b", 10));
        SharedRegion.Create("once", 10).Dispose();
    }

    private static int Five() => 5;

    private static int Twice(int number) => 2 * number;

    private static double Twice(double number) => 2 * number;
}
