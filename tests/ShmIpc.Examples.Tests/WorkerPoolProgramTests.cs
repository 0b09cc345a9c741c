// The program `worker-pool`, run as people run it, on a small file.
using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Xunit;

namespace ShmIpc.Examples.Tests;

public sealed class WorkerPoolProgramTests : IDisposable
{
    private const string Program = "worker-pool";

    private readonly string _root = Directory.CreateTempSubdirectory("shmipc-examples-test-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("spawn", true)]
    [InlineData("fork-server", false)]
    [InlineData("fork", false)]
    public void Words_counts_what_is_there(string mode, bool measuresStarts)
    {
        string path = Write(string.Concat(Enumerable.Range(0, 5000).Select(i => $"line {i}\tof  the text\n")) + "unfinished" + new string('x', 90));
        (int exitCode, string output, string errors) = Run(
            ["words", path, "--workers", "2", "--mode", mode, "--json", .. measuresStarts ? Array.Empty<string>() : ["--quick"]]);
        Assert.True(exitCode == 0, errors);
        using var report = JsonDocument.Parse(output);
        Assert.True(report.RootElement.GetProperty("isSame").GetBoolean());
        Assert.Equal(mode, report.RootElement.GetProperty("mode").GetString());
        JsonElement counts = report.RootElement.GetProperty("counts");
        Assert.Equal(5000, counts.GetProperty("lines").GetInt64());
        Assert.Equal(25001, counts.GetProperty("words").GetInt64());
        Assert.Equal(100, counts.GetProperty("longestLineBytes").GetInt64());
        Assert.Equal(100, counts.GetProperty("longestWordBytes").GetInt64());
        JsonElement starts = report.RootElement.GetProperty("startUpMilliseconds");
        Assert.Equal(measuresStarts ? ["spawn", "fork-server", "fork"] : [], starts.EnumerateObject().Select(start => start.Name));
        Assert.All(starts.EnumerateObject(), start => Assert.True(start.Value.GetDouble() > 0));
    }

    [Fact]
    public void Words_copies_the_pages_that_its_workers_write_to_and_no_others()
    {
        int page = Environment.SystemPageSize;
        string line = new string('a', 63) + "\n";
        string small = string.Concat(Enumerable.Repeat(line, 64 * page / line.Length));
        string path = Write(small + small.ToUpperInvariant()); // 64 pages without a capital letter, and 64 of nothing else
        (int exitCode, string output, string errors) = Run("words", path, "--workers", "2", "--json", "--quick");
        Assert.True(exitCode == 0, errors);
        using var report = JsonDocument.Parse(output);
        (long read, long sharedRead) = Pages("read");
        long written = Pages("written").PrivateDirty;
        Assert.Equal(64 * page, written - read);
        Assert.Equal(small + small.ToUpperInvariant(), File.ReadAllText(path));
        // Pages that a file system in memory has are always dirty, and others may be until they are on the disk.
        Assert.SkipUnless(new DriveInfo(_root).DriveFormat is "ext4" or "xfs" or "btrfs", "The pages of this file system may be dirty.");
        Assert.Equal(0, read);
        Assert.True(sharedRead >= 128 * page, $"{sharedRead} bytes are shared and clean after reading.");

        (long PrivateDirty, long SharedClean) Pages(string when)
        {
            JsonElement pages = report.RootElement.GetProperty(when);
            return (pages.GetProperty("privateDirtyBytes").GetInt64(), pages.GetProperty("sharedCleanBytes").GetInt64());
        }
    }

    [Fact]
    public void A_file_that_changes_between_the_pool_and_the_one_process_is_a_mismatch()
    {
        string path = Write(string.Concat(Enumerable.Range(0, 50_000).Select(i => $"{i:d10}\n")));
        (int exitCode, string output, string errors) = WhileChanging(path, () => Run("words", path, "--workers", "2", "--quick"));
        Assert.True(exitCode == 2, $"{exitCode}: {output}{errors}");
        Assert.Contains("MISMATCH", output, StringComparison.Ordinal);

        (exitCode, output, errors) = WhileChanging(path, () => Run("compress", path, "--workers", "2", "--json", "--quick"));
        Assert.True(exitCode == 2, $"{exitCode}: {output}{errors}");
        using var report = JsonDocument.Parse(output);
        Assert.False(report.RootElement.GetProperty("isSame").GetBoolean());
        Assert.Equal([path], Directory.GetFileSystemEntries(_root)); // a wrong archive is none
    }

    [Theory]
    [InlineData("spawn")]
    [InlineData("fork-server")]
    [InlineData("fork")]
    public void Compress_writes_a_gzip_file_of_the_same_content(string mode)
    {
        string path = Write(string.Concat(Enumerable.Range(0, 60_000).Select(i => $"{i * 7919L % 1000003} ")));
        (int exitCode, string _, string errors) = Run("compress", path, "--workers", "2", "--mode", mode, "--quick");
        Assert.True(exitCode == 0, errors);
        Assert.Equal([path, path + ".gz"], Directory.GetFileSystemEntries(_root).Order());
        using var text = new StreamReader(new GZipStream(File.OpenRead(path + ".gz"), CompressionMode.Decompress));
        Assert.Equal(File.ReadAllText(path), text.ReadToEnd());

        (exitCode, _, errors) = Run("compress", path);
        Assert.Equal(1, exitCode);
        Assert.Contains("is there already", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Sieve_shares_anonymous_memory_between_the_parent_and_its_forked_workers()
    {
        (int exitCode, string output, string errors) = Run("sieve", "--numbers", "5000000", "--workers", "2");
        Assert.True(exitCode == 0, errors);
        string[] lines = output.TrimEnd().Split('\n');
        Assert.StartsWith("348513 primes below 5000000, found by 2 workers", lines[0], StringComparison.Ordinal);
        string parent = lines[0].Split(' ')[^1];
        string[][] mapped = [.. lines.Where(line => line.Contains("/dev/zero", StringComparison.Ordinal))
            .Select(line => line.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries))];
        Assert.Equal(parent, mapped[0][0]);
        Assert.Equal(3, mapped.Select(fields => fields[0]).Distinct().Count());
        Assert.All(mapped, fields => Assert.Equal(["rw-s", "/dev/zero", "inode", mapped[0][4]], fields[1..5]));
        Assert.Equal("  checked: the same as in one process", lines[^1]);
        // Each page is counted once, however many have it: the table is 4.77 MiB, and the kernel rounds to pages and KiB.
        double shares = mapped.Sum(fields => double.Parse(fields[^2], CultureInfo.InvariantCulture) * (fields[^1] == "MiB" ? 1024 : 1));
        Assert.InRange(shares, 4.7 * 1024, 4.9 * 1024);
    }

    [Fact]
    public void Table_has_every_column_for_every_mode()
    {
        var clock = Stopwatch.StartNew();
        (int exitCode, string output, string errors) = Run("table", "--runs", "1", "--workers", "2");
        Assert.True(exitCode == 0, errors);
        string[] columns =
        [
            "mode", "a pool of 1 is ready", "its first job is answered", "its killed worker is replaced after", "a pool of 2 is ready",
            "each further worker", "a worker of 2 took", "processor time until all are ready", "PSS of a worker", "private",
        ];
        string[][] rows = [.. output.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal))
            .Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries))];
        Assert.Equal(columns, rows[0]);
        Assert.Equal(["`spawn`", "`fork-server`", "`fork`"], rows[1..].Select(row => row[0]));
        foreach (string[] row in rows[1..])
        {
            double[] times = [.. row[1..8].Select(text =>
                double.Parse(text.Replace(" ms", "", StringComparison.Ordinal), CultureInfo.InvariantCulture))];
            Assert.True(times[1] >= times[0] && times[0] > 0 && times[2] > 0 && times[3] >= times[5] && times[5] > 0, string.Join(' ', row));
            Assert.Equal(times[3] - times[0], times[4], tolerance: 0.2);
            // Three processes of .NET at least have started, and no processor can have worked longer than the whole took.
            Assert.InRange(times[6], 10, clock.Elapsed.TotalMilliseconds * Environment.ProcessorCount);
            double[] sizes = [.. row[8..].Select(text => Bytes(text))];
            Assert.True(sizes[0] >= sizes[1] && sizes[1] > 0, string.Join(' ', row));
            // What such a worker keeps for itself is about what the kernel says of this process, which is a larger one, and never more.
            Assert.InRange(sizes[0], 1 << 20, Process.GetCurrentProcess().PeakWorkingSet64);
        }

        static double Bytes(string text) => double.Parse(text.Split(' ')[0], CultureInfo.InvariantCulture)
            * (text.EndsWith("MiB", StringComparison.Ordinal) ? 1 << 20 : 1 << 10);
    }

    [Theory]
    [InlineData("words", "nowhere", "nowhere")]
    [InlineData("words", "folder", "is a directory")]
    [InlineData("words", "pipe", "a pipe")]
    [InlineData("words", "empty", "is empty")]
    [InlineData("words", "/proc/self/maps", "made up")]
    [InlineData("words", "text --workers 0", "from 1 to 32, not 0")]
    [InlineData("words", "text --mode thread", "'fork-server'")]
    [InlineData("compress", "pipe", "a pipe")]
    [InlineData("compress", "empty", "is empty")]
    [InlineData("compress", "text --output folder", "is there already")]
    [InlineData("compress", "text --output nowhere/x", "There is no directory")]
    [InlineData("sieve", "--numbers 5", "from 100 to")]
    [InlineData("table", "--runs 0", "1 or more")]
    [InlineData("nonsense", "", "'nonsense'")]
    public void What_cannot_be_is_refused_in_one_line(string command, string arguments, string reason)
    {
        Write("some text");
        Directory.CreateDirectory(Path.Combine(_root, "folder"));
        File.WriteAllText(Path.Combine(_root, "empty"), "");
        ExampleProcess.MakePipe(Path.Combine(_root, "pipe"));
        string[] before = Directory.GetFileSystemEntries(_root);
        string[] words = [.. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word =>
            word is "nowhere" or "nowhere/x" or "folder" or "empty" or "pipe" or "text" ? Path.Combine(_root, word) : word)];
        Assert.Contains(reason, ExampleProcess.Refused(Program, [command, .. words]), StringComparison.Ordinal);
        Assert.Equal(before.Order(), Directory.GetFileSystemEntries(_root).Order());
    }

    [Theory]
    [InlineData("spawn")]
    [InlineData("fork")]
    public void A_signal_leaves_neither_a_process_nor_a_file(string mode)
    {
        string path = Write(string.Concat(Enumerable.Range(0, 3_000_000).Select(i => $"{i * 7919L % 1000003} ")));
        using Process program = ExampleProcess.Start(Program, "compress", path, "--workers", "2", "--mode", mode);
        ExampleProcess.WaitUntil(program, () => File.Exists(path + ".gz.unfinished"));
        ExampleProcess.Signal(program, "TERM");
        ExampleProcess.WaitForEnd(program);
        Assert.Equal(128 + 15, program.ExitCode);
        Assert.True(SpinWait.SpinUntil(() => ExampleProcess.With(_root).Count == 0, TimeSpan.FromMinutes(1)), "A worker is left.");
        Assert.Equal([path], Directory.GetFileSystemEntries(_root));
    }

    [Fact]
    public void A_reader_that_goes_away_is_no_error()
    {
        using Process program = ExampleProcess.Start(Program, "words", Write("some text"), "--workers", "1", "--quick");
        program.StandardOutput.Close();
        string errors = program.StandardError.ReadToEnd();
        ExampleProcess.WaitForEnd(program);
        Assert.Equal((0, ""), (program.ExitCode, errors));
    }

    private string Write(string text)
    {
        string path = Path.Combine(_root, "text");
        File.WriteAllText(path, text);
        return path;
    }

    // Every process of the pool has the directory of this test on its command line; none may be there when the program has ended.
    private (int ExitCode, string Output, string Errors) Run(params string[] arguments)
    {
        var result = ExampleProcess.Run(Program, arguments);
        Assert.Empty(ExampleProcess.With(_root));
        return result;
    }

    // Changes bytes of a file, never its length, for as long as something else runs; each change is another one than all before.
    private static T WhileChanging<T>(string path, Func<T> function)
    {
        using var stop = new CancellationTokenSource();
        var writer = new Thread(() =>
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            for (int change = 0; !stop.IsCancellationRequested; change++)
                RandomAccess.Write(file, Encoding.ASCII.GetBytes($"{change:d10}"), 0);
        });
        writer.Start();
        try
        {
            return function();
        }
        finally
        {
            stop.Cancel();
            writer.Join();
        }
    }
}
