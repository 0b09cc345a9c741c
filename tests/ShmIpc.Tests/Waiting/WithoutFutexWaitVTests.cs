// The whole async suite again, in a process that has no futex_waitv.

using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ShmIpc.Interop;
using Xunit;

namespace ShmIpc.Tests.Waiting;

public sealed partial class WithoutFutexWaitVTests(ITestOutputHelper output)
{
    private static readonly TimeSpan _bound = TimeSpan.FromMinutes(10);
    private readonly ITestOutputHelper _output = output;

    [Fact]
    public void The_call_is_there_unless_this_run_forbids_it() =>
        Assert.Equal(!ForbiddenFutexWaitV.IsAsked && HasFutexWaitV(), Futex.IsWaitAnySupported);

    [Theory]
    [InlineData(38, "ENOSYS")] // an old kernel
    [InlineData(1, "EPERM")] // a sandbox
    public async Task Everything_works_without_the_call(int errno, string name)
    {
        Assert.SkipWhen(ForbiddenFutexWaitV.IsAsked, "This is the run without the call.");
        Assert.SkipUnless(Directory.Exists("/proc/sys/kernel/seccomp"), "This kernel has no seccomp to forbid the call with.");
        ProcessStartInfo start = new(Environment.ProcessPath!, ["-noColor", "-parallelMode", "none"])
        {
            RedirectStandardOutput = true,
            Environment = { [ForbiddenFutexWaitV.Variable] = errno.ToString(CultureInfo.InvariantCulture) },
        };
        Type[] suite = [typeof(WithoutFutexWaitVTests), typeof(AsyncHubTests), typeof(WaitAnyTests), typeof(AsyncHubAllocationTests)];
        foreach (Type tests in errno == 1 ? suite[..2] : suite)
        {
            start.ArgumentList.Add("-class");
            start.ArgumentList.Add(tests.FullName!);
        }

        using Process run = Process.Start(start)!;
        try
        {
            StringBuilder lines = new();
            using CancellationTokenSource end = new(_bound);
            try
            {
                while (await run.StandardOutput.ReadLineAsync(end.Token) is { } line)
                {
                    lines.AppendLine(line);
                }

                await run.WaitForExitAsync(end.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"{name}: not over within {_bound}. It said:\n{lines}");
            }

            string said = lines.ToString();
            _output.WriteLine($"{name}:\n{said}");
            Assert.True(run.ExitCode == 0, said);
            Assert.True(int.Parse(Total().Match(said).Groups[1].Value, CultureInfo.InvariantCulture) > 8, said);
        }
        finally
        {
            if (!run.HasExited)
            {
                run.Kill();
            }
        }
    }

    private static bool HasFutexWaitV() => Environment.OSVersion.Version >= new Version(5, 16);

    [GeneratedRegex(@"Total: (\d+)")]
    private static partial Regex Total();
}
