// The program `worker-pool`, run as people run it, on a small file.
using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Xunit;

namespace ShmIpc.Examples.Tests;

public sealed class WorkerPoolProgramTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(90);
    private readonly string _root = Directory.CreateTempSubdirectory("shmipc-examples-test-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("spawn")]
    [InlineData("fork-server")]
    [InlineData("fork")]
    public void Words_counts_what_is_there(string mode)
    {
        string path = Write(string.Concat(Enumerable.Range(0, 5000).Select(i => $"line {i}\tof  the text\n")) + "unfinished" + new string('x', 90));
        (int exitCode, string output, string errors) = Run("words", path, "--workers", "2", "--mode", mode, "--json");
        Assert.True(exitCode == 0, errors);
        using var report = JsonDocument.Parse(output);
        Assert.True(report.RootElement.GetProperty("isSame").GetBoolean());
        Assert.Equal(mode, report.RootElement.GetProperty("mode").GetString());
        JsonElement counts = report.RootElement.GetProperty("counts");
        Assert.Equal(5000, counts.GetProperty("lines").GetInt64());
        Assert.Equal(25001, counts.GetProperty("words").GetInt64());
        Assert.Equal(100, counts.GetProperty("longestLineBytes").GetInt64());
        Assert.Equal(100, counts.GetProperty("longestWordBytes").GetInt64());
    }

    [Theory]
    [InlineData("spawn")]
    [InlineData("fork-server")]
    public void Compress_writes_a_gzip_file_of_the_same_content(string mode)
    {
        string path = Write(string.Concat(Enumerable.Range(0, 60_000).Select(i => $"{i * 7919L % 1000003} ")));
        (int exitCode, string _, string errors) = Run("compress", path, "--workers", "2", "--mode", mode);
        Assert.True(exitCode == 0, errors);
        Assert.Equal([path, path + ".gz"], Directory.GetFileSystemEntries(_root).Order());
        using var text = new StreamReader(new GZipStream(File.OpenRead(path + ".gz"), CompressionMode.Decompress));
        Assert.Equal(File.ReadAllText(path), text.ReadToEnd());

        (exitCode, _, errors) = Run("compress", path);
        Assert.Equal(1, exitCode);
        Assert.Contains("is there already", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_or_empty_is_refused()
    {
        (int exitCode, _, string errors) = Run("words", Path.Combine(_root, "nowhere"));
        Assert.Equal(1, exitCode);
        Assert.Contains("There is no file", errors, StringComparison.Ordinal);
        (exitCode, _, errors) = Run("compress", Write(""));
        Assert.Equal(1, exitCode);
        Assert.Contains("is empty", errors, StringComparison.Ordinal);
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
        using var program = Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "worker-pool"), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> output = program.StandardOutput.ReadToEndAsync();
        Task<string> errors = program.StandardError.ReadToEndAsync();
        if (!program.WaitForExit(_patience))
        {
            program.Kill();
            Assert.Fail($"worker-pool {string.Join(' ', arguments)} did not end.");
        }
        Assert.DoesNotContain(Directory.GetDirectories("/proc"), IsOfThisTest);
        return (program.ExitCode, output.Result, errors.Result);
    }

    private bool IsOfThisTest(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline"), Encoding.UTF8).Contains(_root, StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
