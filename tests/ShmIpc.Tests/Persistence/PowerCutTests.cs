using System.Diagnostics;
using System.Globalization;
using ShmIpc.Channels;
using Xunit;

namespace ShmIpc.Tests.Persistence;

/// <summary>Power cuts, simulated (PowerCutDisk.cs): whatever mixture of old and new sectors is left, the channel offers a stretch of what
/// was published, with everything in it that was promised to be durable, and goes on from there to the next cut.</summary>
public sealed class PowerCutTests(ITestOutputHelper output)
{
    private const int Machines = 8;
    private const int MostMachines = 80; // eight may happen not to: with Sync, few messages are there that were not promised
    private const int CutsPerMachine = 12;
    private const int ImagesPerCut = 4;

    /// <summary>Every record stands in a sector of its own, and at the places of those before it: whatever was not cleared fits.</summary>
    private const int RecordOfOneSector = 512 - 16;

    [Theory]
    [InlineData(ShmFlushMode.Sync, 4096, 2024)]
    [InlineData(ShmFlushMode.Sync, 8192, 900)]
    [InlineData(ShmFlushMode.Sync, 16384, 8168)]
    [InlineData(ShmFlushMode.Async, 4096, 2024)]
    [InlineData(ShmFlushMode.Async, 8192, 100)]
    [InlineData(ShmFlushMode.Async, 16384, 8168)]
    [InlineData(ShmFlushMode.None, 4096, 2024)]
    [InlineData(ShmFlushMode.None, 8192, 900)]
    [InlineData(ShmFlushMode.Sync, 4096, RecordOfOneSector, true)]
    [InlineData(ShmFlushMode.Async, 4096, RecordOfOneSector, true)]
    [InlineData(ShmFlushMode.Async, 16384, RecordOfOneSector, true)]
    public void What_was_promised_survives_a_power_cut_and_nothing_else_comes_back(
        ShmFlushMode mode, int capacityBytes, int largestBytes, bool hasOneSize = false)
    {
        string? given = Environment.GetEnvironmentVariable("SHMIPC_SEED");
        int seed = int.TryParse(given, CultureInfo.InvariantCulture, out int value) ? value : Random.Shared.Next();
        output.WriteLine($"SHMIPC_SEED={seed}");
        Random random = new(seed);
        long start = Stopwatch.GetTimestamp();
        long images = 0;
        long offered = 0;
        long takenBack = 0;
        for (int i = 0; i < Machines || (takenBack == 0 && i < MostMachines); i++)
        {
            using DiskRoot root = new();
            using PowerCutMachine machine = new(random, root.Path, mode, capacityBytes, largestBytes, hasOneSize);
            for (int cut = 0; cut < CutsPerMachine; cut++)
            {
                try
                {
                    machine.Live(operations: 120);
                    machine.Restart(ImagesPerCut);
                }
                catch (Exception error)
                {
                    throw new InvalidOperationException($"SHMIPC_SEED={seed}, machine {i}, cut {cut}: {error.Message}", error);
                }
            }

            images += machine.Images;
            offered += machine.Offered;
            takenBack += machine.TakenBack;
        }

        output.WriteLine($"{images} images in {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s: {offered} messages offered, "
            + $"{takenBack} taken back that had not been promised");
        Assert.True(offered > 0);
        Assert.True(takenBack > 0, "No cut took anything back: these cuts prove nothing.");
    }
}
