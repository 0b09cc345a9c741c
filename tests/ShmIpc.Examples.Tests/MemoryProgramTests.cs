// The program `memory`, run as people run it: what each sub-command says where it can, and how it ends where it cannot.
using System.Diagnostics;
using System.Text;
using ShmIpc.Diagnostics;
using ShmIpc.Examples.Terminal;
using ShmIpc.Memory;
using Xunit;

namespace ShmIpc.Examples.Tests;

public sealed class MemoryProgramTests : IDisposable
{
    private const string Program = "memory";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private readonly string _root = Directory.CreateTempSubdirectory("shmipc-examples-test-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Map_prints_the_bytes_of_the_file()
    {
        byte[] bytes = [.. Enumerable.Range(0, 5000).Select(i => (byte)(i * 7))];
        string path = Write("file", bytes);
        string[] lines = Ok("map", path);
        Assert.StartsWith("5000 bytes of ", lines[0], StringComparison.Ordinal);
        Assert.Equal($"  00000000  {Convert.ToHexStringLower(bytes.AsSpan(0, 16))}", lines[1]);
        Assert.Equal(1 + (256 / 16), lines.Length);

        int page = Environment.SystemPageSize;
        Assert.SkipUnless(page == 4096, "The file is shorter than a page of this machine.");
        lines = Ok("map", path, "--offset", $"{page}", "--length", "3");
        Assert.Equal($"  {page:x8}  {Convert.ToHexStringLower(bytes.AsSpan(page, 3))}", Assert.Single(lines[1..]));
    }

    [Theory]
    [InlineData("--offset", "1", "multiple of the page size")]
    [InlineData("--length", "0", "at least one byte")]
    [InlineData("--length", "1000000", "goes past its end")]
    public void Map_refuses_what_the_file_does_not_have(string option, string value, string reason) =>
        Assert.Contains(reason, Refused("map", Write("file", new byte[100]), option, value), StringComparison.Ordinal);

    [Fact]
    public void Map_refuses_a_file_that_is_not_there() =>
        Assert.Contains("nowhere", Refused("map", Path.Combine(_root, "nowhere")), StringComparison.Ordinal);

    [Fact]
    public void Protect_runs_its_code_and_refuses_the_write()
    {
        string[] lines = Ok("protect");
        Assert.EndsWith("the page is rw-p.", lines[0], StringComparison.Ordinal);
        Assert.Equal("The page is r-xp now, and add(40, 2) says 42.", lines[1]);
        Assert.Equal("A table is r--p.", lines[2]);
        Assert.StartsWith("A write is refused: ", lines[3], StringComparison.Ordinal);
        Assert.Equal(["Inside Writable it is rw-p,", "and afterwards r--p again, with 7 in it."], lines[4..]);
    }

    [Fact]
    public void Sync_finds_what_was_written_to_a_shared_mapping_and_nothing_else()
    {
        string[][] rows = [.. Ok("sync", _root).Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1)
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))];
        Assert.Equal(
            [("private", "lost"), ("none", "there"), ("async", "there"), ("sync", "there"), ("durable", "there")],
            rows.Select(row => (row[1], row[3])));
        Assert.Empty(Directory.GetFileSystemEntries(_root)); // nothing is left of the writers
    }

    [Fact]
    public void Lock_ends_as_its_command_does() =>
        Assert.Equal(7, Run("lock", Path.Combine(_root, "new"), "--", "sh", "-c", "exit 7").ExitCode);

    [Theory]
    [InlineData("0-9", "9-20", false)]
    [InlineData("0-9", "10-", true)]
    public void Lock_keeps_others_out_of_its_range_while_the_command_runs(string range, string other, bool isFree)
    {
        string path = Write("file", []);
        string[] inside = [Path.Combine(AppContext.BaseDirectory, Program), "lock", path, "--range", other, "--wait", "50ms", "--", "true"];
        int exitCode = Run(["lock", path, "--range", range, "--", .. inside]).ExitCode;
        Assert.Equal(isFree ? ExitCode.Ok : ExitCode.Failed, exitCode);
    }

    [Fact]
    public void Lock_says_who_is_in_the_way()
    {
        string path = Write("file", []);
        using (FileLock.Acquire(path, FileLockKind.Shared, _patience))
        {
            Assert.Contains("Waiting: in the way is ", Refused("lock", path, "--wait", "50ms", "--", "true"), StringComparison.Ordinal);
            Ok("lock", path, "--shared", "--wait", "50ms", "--", "true");
        }

        Ok("lock", path, "--wait", "50ms", "--", "true");
    }

    [Theory]
    [InlineData("--range 9-1 -- true", "--range 9-1 is none")]
    [InlineData("--wait soon -- true", "--wait soon is no duration")]
    [InlineData("-- /nowhere/program", "/nowhere/program")]
    public void Lock_refuses_what_means_nothing(string options, string reason) =>
        Assert.Contains(reason, Refused(["lock", Write("file", []), .. options.Split(' ')]), StringComparison.Ordinal);

    [Fact]
    public void Lock_memory_shows_that_the_kernel_counts_it()
    {
        int bytes = Environment.SystemPageSize;
        string[] lines = Ok("lock-memory", $"{bytes}");
        long locked = LastNumber(Assert.Single(lines, line => line.StartsWith($"Locked {bytes} bytes", StringComparison.Ordinal)));
        long unlocked = LastNumber(Assert.Single(lines, line => line.StartsWith("Unlocked", StringComparison.Ordinal)));
        Assert.Equal(bytes, locked - unlocked);

        static long LastNumber(string line) => long.Parse(line.TrimEnd('.').Split(' ')[^1]);
    }

    [Fact]
    public void Lock_memory_says_what_the_kernel_refuses()
    {
        MemoryLimits limits = MemoryLimits.Read();
        Assert.SkipWhen(limits.MayLockBeyondLimit == true, "This user may lock any memory.");
        Assert.SkipWhen(limits.LockedMemory?.Soft is null or > 1L << 30, "The limit is too high to be tried.");
        string refusal = Refused("lock-memory", $"{limits.LockedMemory!.Value.Soft + Environment.SystemPageSize}");
        Assert.Contains("Refused: ", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Lock_memory_refuses_what_is_no_size() =>
        Assert.Contains("not 'much'", Refused("lock-memory", "much"), StringComparison.Ordinal);

    [Fact]
    public void Maps_lists_what_this_process_has_mapped()
    {
        string path = Write("mapped", new byte[3 * Environment.SystemPageSize]);
        using MemoryMapping mapping = MemoryMapping.MapFile(path);
        string line = Assert.Single(Ok("maps", $"{Environment.ProcessId}"), line => line.EndsWith(path, StringComparison.Ordinal));
        ProcessMapping own = Assert.Single(ProcessMaps.Read().Entries, entry => entry.Path == path);
        Assert.Contains($" {own.Start:x}-", line, StringComparison.Ordinal);
        Assert.Contains(" rw-s ", line, StringComparison.Ordinal);
    }

    [Fact]
    public void Maps_refuses_a_process_that_is_not_there() =>
        Assert.Contains("There is no such process", Refused("maps", $"{int.MaxValue}"), StringComparison.Ordinal);

    [Fact]
    public void Limits_are_those_of_this_machine()
    {
        string[] lines = Ok("limits");
        Assert.Contains(lines, line => line.StartsWith("page ", StringComparison.Ordinal)
            && line.EndsWith($" {ByteSize.Format(Environment.SystemPageSize)}", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("mappings ", StringComparison.Ordinal)
            && line.EndsWith($" of {File.ReadAllText("/proc/sys/vm/max_map_count").Trim()}", StringComparison.Ordinal));
    }

    [Fact]
    public void Doctor_ends_with_1_exactly_when_there_is_a_problem()
    {
        (int exitCode, string output, _) = Run("doctor");
        bool isAnyProblem = output.Split('\n').Any(line => line.StartsWith($"{Severity.Problem} ", StringComparison.Ordinal));
        Assert.Equal(isAnyProblem ? 1 : 0, exitCode);
        Assert.Contains(" region root: ", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Memfd_lets_the_child_read_and_nobody_map_for_writing()
    {
        string[] lines = Ok("memfd");
        foreach (string way in (string[])["child, inherited", "child, by /proc", "child, over a socket, read-only"])
        {
            Assert.Contains($"  {way}, a mapping for reading: granted, the value is 43", lines);
            Assert.Single(lines, line => line.StartsWith($"  {way}, a mapping for writing: refused. ", StringComparison.Ordinal));
        }

        Assert.Contains("  parent, the mapping that it had before: granted, the value is 43", lines);
        Assert.Single(lines, line => line.StartsWith("  parent, a new mapping for writing: refused. ", StringComparison.Ordinal));
    }

    [Fact]
    public void Anonymous_takes_what_is_touched_and_gives_it_back()
    {
        MemoryLimits limits = MemoryLimits.Read();
        Assert.SkipWhen(limits.Overcommit == OvercommitMode.Never, "This machine promises only what it has.");
        Assert.SkipWhen(limits.AddressSpace is { Soft: not null }, "The address space is limited.");
        Assert.SkipUnless(limits.AvailableBytes > 256L << 20, "There is not enough memory.");
        string[] lines = Ok("anonymous");
        Assert.Equal("1.00 TiB of address space, 0 B of memory: mapped.", lines[0]);
        Assert.StartsWith("1.00 TiB of address space, 64.0 MiB of memory: ", lines[1], StringComparison.Ordinal);
        Assert.Equal("1.00 TiB of address space, 0 B of memory: given back; the byte in the middle is 0 again.", lines[2]);
    }

    [Fact]
    public void Copy_on_write_counts_every_word_once_and_leaves_the_file_alone()
    {
        string text = string.Join(' ', Enumerable.Range(0, 20_000).Select(number => $"word{number}"));
        string path = Write("text", Encoding.UTF8.GetBytes(text));
        string[] lines = Ok("copy-on-write", path, "--workers", "3");
        Assert.StartsWith("20000 words in ", lines[0], StringComparison.Ordinal);
        Assert.Equal("20000 words in 3 processes; the file is as it was.", lines[^1]);
        Assert.Equal(text, File.ReadAllText(path));
        string[][] workers = [.. lines.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields.Length == 6 && fields.All(field => long.TryParse(field, out _)))];
        Assert.Equal(3, workers.Length);
        Assert.All(workers, fields => Assert.Equal("0", fields[3])); // nothing is its own yet; and then its part
        Assert.All(workers, fields => Assert.InRange(long.Parse(fields[5]), text.Length / 3 / 1024, text.Length / 1024));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("65")]
    public void Copy_on_write_refuses_a_number_of_workers_that_means_nothing(string workers) =>
        Assert.Contains(
            $"from 1 to 64, not {workers}",
            Refused("copy-on-write", Write("text", "a b"u8.ToArray()), "--workers", workers),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("nonsense", "Unrecognized command or argument 'nonsense'. See memory --help.")]
    [InlineData("map", "'FILE' missing for command: 'map'. See memory map --help.")]
    [InlineData("lock file", "'COMMAND' missing")]
    [InlineData("maps 0", "from 1 on")]
    [InlineData("huge-pages --size 0", "--size 0 is none")]
    [InlineData("huge-pages --size -1", "--size -1 is none")]
    [InlineData("huge-pages --rounds 0", "--rounds 0 is none")]
    [InlineData("compare --mib 0", "from 1 to 2047, not 0")]
    [InlineData("compare --directory /proc/self/maps", "There is no directory")]
    [InlineData("sync /proc/self/maps", "There is no directory")]
    public void What_means_nothing_is_refused_in_one_line(string arguments, string reason) =>
        Assert.Contains(reason, ExampleProcess.Refused(Program, arguments.Split(' ')), StringComparison.Ordinal);

    [Theory]
    [InlineData("map FILE")]
    [InlineData("map FILE --length 1")]
    [InlineData("edit FILE 0 text")]
    [InlineData("append FILE text")]
    [InlineData("windows text FILE")]
    [InlineData("copy-on-write FILE")]
    public void What_cannot_be_mapped_is_refused_in_one_line(string arguments)
    {
        (string File, string Reason)[] files =
        [
            (_root, "is a directory"), (ExampleProcess.MakePipe(Path.Combine(_root, "pipe")), "a pipe"), ("/dev/null", "a device"),
            ("/proc/self/comm", "made up"), // its owner may write to it
        ];
        foreach ((string file, string reason) in files)
        {
            string errors = ExampleProcess.Refused(Program, [.. arguments.Split(' ').Select(word => word == "FILE" ? file : word)]);
            Assert.Contains(reason, errors, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Grep_goes_on_behind_a_file_that_it_cannot_map()
    {
        string pipe = ExampleProcess.MakePipe(Path.Combine(_root, "pipe"));
        string text = Write("text", "a needle\nand hay\n"u8.ToArray());
        (int exitCode, string output, string errors) = Run("grep", "needle", pipe, text);
        Assert.Equal((2, $"{text}:a needle\n"), (exitCode, output));
        Assert.StartsWith($"memory grep: {pipe}: ", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Parameter", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sync DIR")]
    [InlineData("compare --directory DIR")]
    public void A_signal_leaves_neither_a_process_nor_a_file(string arguments)
    {
        using Process program = ExampleProcess.Start(Program, arguments.Replace("DIR", _root, StringComparison.Ordinal).Split(' '));
        ExampleProcess.WaitUntil(program, () => Directory.GetFiles(_root) is [var file] && new FileInfo(file).Length > 0);
        ExampleProcess.Signal(program, "TERM");
        ExampleProcess.WaitForEnd(program);
        Assert.Equal(128 + 15, program.ExitCode);
        Assert.True(SpinWait.SpinUntil(() => ExampleProcess.With(_root).Count == 0, _patience), "A writer is left.");
        Assert.Empty(Directory.GetFileSystemEntries(_root));
    }

    [Fact]
    public void Lock_ends_its_command_when_it_is_ended()
    {
        string path = Write("file", []);
        using Process program = ExampleProcess.Start(Program, "lock", path, "--", "sh", "-c", "sleep 300; : $1", "sh", path);
        ExampleProcess.WaitUntil(program, () => ExampleProcess.With(path).Count > 1); // the program and its command
        ExampleProcess.Signal(program, "TERM");
        ExampleProcess.WaitForEnd(program);
        Assert.True(SpinWait.SpinUntil(() => ExampleProcess.With(path).Count == 0, _patience), "The command runs on without the lock.");
    }

    [Theory]
    [InlineData("maps")]
    [InlineData("grep line FILE")]
    [InlineData("windows line FILE")]
    public void A_reader_that_goes_away_is_no_error(string arguments)
    {
        string path = Write("lines", Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 100_000).Select(i => $"line {i}\n"))));
        using Process program = ExampleProcess.Start(Program, arguments.Replace("FILE", path, StringComparison.Ordinal).Split(' '));
        program.StandardOutput.Close();
        string errors = program.StandardError.ReadToEnd();
        ExampleProcess.WaitForEnd(program);
        Assert.Equal((0, ""), (program.ExitCode, errors));
    }

    /// <summary>Runs it and expects that all goes well; gives its lines.</summary>
    private static string[] Ok(params string[] arguments)
    {
        (int exitCode, string output, string errors) = Run(arguments);
        Assert.True(exitCode == ExitCode.Ok, $"memory {string.Join(' ', arguments)} ended with {exitCode}: {output}{errors}");
        return output.TrimEnd('\n').Split('\n');
    }

    /// <summary>Runs it and expects a refusal in a sentence, without a stack trace; gives what it says.</summary>
    private static string Refused(params string[] arguments)
    {
        (int exitCode, string output, string errors) = Run(arguments);
        Assert.True(exitCode == ExitCode.Failed, $"memory {string.Join(' ', arguments)} ended with {exitCode}: {output}{errors}");
        Assert.Contains("memory: ", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
        return errors;
    }

    private static (int ExitCode, string Output, string Errors) Run(params string[] arguments) => ExampleProcess.Run(Program, arguments);

    private string Write(string name, byte[] bytes)
    {
        string path = Path.Combine(_root, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
