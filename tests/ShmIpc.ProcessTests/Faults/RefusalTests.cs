// What a refused call of the mmap family says under limits that only a process of its own can have.

using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Faults;

public sealed class RefusalTests
{
    private static readonly (string Key, object Value)[] _quietRuntime =
    [
        ("DOTNET_TieredCompilation", 0), ("DOTNET_gcConcurrent", 0), ("DOTNET_EnableWriteXorExecute", 0), ("DOTNET_GCgen0size", "4000000"),
        ("DOTNET_EnableDiagnostics", 0),
    ];

    [Fact]
    public void The_limit_of_addresses_of_private_memory_and_of_mappings_is_named() => Done("refused-memory", _quietRuntime);

    // The kernel says EAGAIN for good: whoever tried again until it said something else would do so for ever.
    [Fact]
    public void Advice_that_takes_one_mapping_too_many_is_refused_at_once()
    {
        Assert.SkipWhen(
            Environment.GetEnvironmentVariable("SHMIPC_COVERAGE") is not null,
            "The marks of coverage.sh make the code longer, and the runtime has no mapping left to compile it into.");
        Done("refused-advice", _quietRuntime);
    }

    [Fact]
    public void The_limit_of_locked_memory_is_named() => Done("refused-locking", Users.Ordinary());

    [Fact]
    public void The_limit_of_descriptors_is_named() => Done("refused-descriptors", _quietRuntime);

    private static void Done(string role, (string Key, object Value)[] arguments)
    {
        using ChildProcess child = ChildProcess.Start(role, arguments);
        child.Expect("done");
        child.ExpectEnd();
    }
}
