// Every reason not to fork is provoked in a process of its own, and found; and a process can be brought to where there is none.

using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests;

public sealed class ForkSupportTests
{
    private static readonly string[] _variables =
    [
        "DOTNET_EnableWriteXorExecute", "DOTNET_gcConcurrent", "DOTNET_gcServer", "DOTNET_TieredCompilation", "DOTNET_EnableDiagnostics",
    ];

    [Fact]
    public void A_quiet_process_with_the_settings_has_no_reason() => Assert.Equal([], Reasons(deed: ""));

    [Theory]
    [InlineData("DOTNET_EnableWriteXorExecute", "1", "compiled code is mapped twice")]
    [InlineData("DOTNET_gcConcurrent", "1", "works in the background (concurrent)")]
    [InlineData("DOTNET_gcServer", "1", "the server garbage collector")]
    [InlineData("DOTNET_TieredCompilation", "1", "tiered compilation")]
    [InlineData("DOTNET_EnableDiagnostics", "1", "the diagnostics server is on")]
    public void A_setting_that_is_missing_is_found_and_named(string variable, string value, string reason)
    {
        Assert.SkipWhen(
            variable == "DOTNET_gcServer" && Environment.ProcessorCount == 1, "On one processor the runtime has no server garbage collector.");
        List<string> reasons = Reasons(deed: "", (variable, value));
        Assert.Contains(reasons, found => found.Contains(reason, StringComparison.Ordinal) && found.Contains($"{variable}=0", StringComparison.Ordinal));
        foreach (string other in _variables.Where(other => other != variable))
        {
            Assert.DoesNotContain(reasons, found => found.Contains($"{other}=0.", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("thread", "a user's", "another thread runs")]
    [InlineData("pool", ".NET TP", "the thread pool has been used")]
    [InlineData("signal", ".NET SigHandler", "signals are handled")]
    public void A_thread_that_runs_is_found_and_named(string deed, string thread, string reason)
    {
        List<string> reasons = Reasons(deed);
        Assert.Contains(reasons, found => found.Contains(thread, StringComparison.Ordinal) && found.Contains(reason, StringComparison.Ordinal));
    }

    [Fact]
    public void A_process_as_it_is_started_by_default_has_several_reasons()
    {
        using ChildProcess child = ChildProcess.Start("fork-check", ("DOTNET_EnableDiagnostics", 1));
        int count = int.Parse(child.Expect("reasons")[0]);
        Assert.True(count >= 4, $"{count}");
        child.ExpectEnd();
    }

    [Fact]
    public void A_program_starts_anew_with_the_settings_in_the_same_process_and_with_the_same_arguments()
    {
        using ChildProcess child = ChildProcess.Start("fork-ensure", ("word", "a=b"), ("DOTNET_TieredCompilation", 1));
        Assert.Equal(["0", $"{child.Id}", "1", "unset", "a=b"], child.Expect("forkable")); // the variables are what they were
        child.ExpectEnd();
    }

    [Fact]
    public void A_program_that_dotnet_runs_starts_anew_too()
    {
        string assembly = typeof(ForkSupportTests).Assembly.Location;
        using ChildProcess child = ChildProcess.Start(
            "fork-ensure", ("word", "x"), (ChildProcess.ProgramKey, assembly), (ChildProcess.ViaKey, (string[])[DotNet(), "exec"]));
        Assert.Equal(["0", $"{child.Id}", "unset", "unset", "x"], child.Expect("forkable"));
        child.ExpectEnd();
    }

    [Fact]
    public void It_does_not_start_anew_for_ever()
    {
        // As if something between took the settings away again.
        using ChildProcess child = ChildProcess.Start(
            "fork-ensure", (ChildProcess.ViaKey, (string[])["env", "SHMIPC_FORK_ORIGINAL="]), ("word", "x"));
        Assert.Contains("does not have them", string.Join(' ', child.Expect("refused")), StringComparison.Ordinal);
        child.ExpectEnd();
    }

    private static string DotNet() =>
        Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));

    private static List<string> Reasons(string deed, params (string Name, string Value)[] settings)
    {
        List<(string, object)> arguments = [("deed", deed)];
        arguments.AddRange(_variables.Select(name => (name, (object)(settings.FirstOrDefault(setting => setting.Name == name).Value ?? "0"))));
        using ChildProcess child = ChildProcess.Start("fork-check", arguments);
        int count = int.Parse(child.Expect("reasons")[0]);
        List<string> reasons = [.. Enumerable.Range(0, count).Select(_ => string.Join(' ', child.Expect("reason")))];
        child.ExpectEnd();
        return reasons;
    }
}
