// Files that are no regions, or hostile ones, opened by every public way, and used when they open: documented exceptions, in time, and no
// crash. SHMIPC_FUZZ sets the number of cases. A case is repeated by hand with
//     ShmIpc.ProcessTests child hostile-files root=DIRECTORY disk=0 systematic=0 seed=SEED first=CASE cases=1 progress=FILE \
//         parent=0

using System.Globalization;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Hostile;
using ShmIpc.ProcessTests.Roles;

namespace ShmIpc.ProcessTests;

public sealed class MalformedRegionTests(ITestOutputHelper output)
{
    private readonly ITestOutputHelper _output = output;

    [Fact]
    public void Every_word_of_a_header_with_every_bound_in_it_and_every_length() =>
        Run("each header word, each bound, each length", ScratchRoot.Memory, isSystematic: true, FuzzRole.SystematicCases);

    [Fact]
    public void Random_malformed_files() => Run("random, in memory", ScratchRoot.Memory, isSystematic: false, Cases(9_000, 900_000));

    [Fact]
    public void Random_malformed_files_on_a_disk_some_of_them_to_be_recovered() =>
        Run("random, on a disk", ScratchRoot.Disk, isSystematic: false, Cases(1_000, 100_000));

    private static long Cases(long few, long many) =>
        long.TryParse(Environment.GetEnvironmentVariable("SHMIPC_FUZZ"), CultureInfo.InvariantCulture, out long asked) ? asked
            : Campaign.Rounds(1) > 1 ? many : few;

    private void Run(string campaignName, string parent, bool isSystematic, long cases)
    {
        Campaign campaign = new(_output);
        using ScratchRoot root = new(parent);
        using ScratchRoot aside = new();
        using ProgressFile progress = new(aside.FileOf("progress"));
        using ChildProcess child = ChildProcess.Start(
            "hostile-files",
            ("root", root.Path), ("disk", parent == ScratchRoot.Memory ? 0 : 1), ("systematic", isSystematic ? 1 : 0),
            ("seed", campaign.Seed), ("first", 0), ("cases", cases), ("progress", progress.Path));
        string[] said = HostileFigures.Await(child, () => $"seed {campaign.Seed}, case {progress[0]}");
        _output.WriteLine(string.Join(' ', said));
        long opened = 0;
        foreach (string[] way in said[1].Split('=')[1].Split(';').Select(way => way.Split(':')))
        {
            (long count, long fine) = (Figure(way[1]), Figure(way[2]));
            opened += fine;
            HostileFigures.AddFiles(campaignName, campaign.Seed, way[0].Replace('_', ' '), count, fine);
        }

        HostileFigures.AddFilesTotal(campaignName, campaign.Seed, cases, said[2..]);
        Assert.InRange(opened, cases / 20, cases * 19 / 20); // it tries both: what refuses, and what stands behind that
    }

    private static long Figure(string number) => long.Parse(number, CultureInfo.InvariantCulture);
}
