// Starts that fail: each says why, and lets go at once of every descriptor and mapping that it had, with no help of a finalizer.

using ShmIpc.ProcessTests.Harness;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Workers;

public sealed class PoolFailureTests : PoolTest
{
    [Theory]
    [InlineData("body", 50, "ArgumentException")]
    [InlineData("option", 50, "ArgumentOutOfRangeException Workers must be from 1 to 32")]
    [InlineData("serializer", 50, "JobSerializer")]
    [InlineData("not-forkable", 50, "ShmForkException")]
    [InlineData("too-long", 20, "E2BIG")]
    [InlineData("gone", 50, "its file is not there any more")]
    [InlineData("not-executable", 50, "EACCES")]
    [InlineData("late-worker", 50, "TimeoutException")]
    [InlineData("late-server", 10, "TimeoutException")]
    [InlineData("server-too-long", 2, "131072 are allowed")]
    [InlineData("server-refuses", 2, "E2BIG")] // it falls back to Spawn
    [InlineData("fork", 50, "RLIMIT_NPROC")]
    public void A_failed_start_lets_go_of_all_that_it_had(string kind, int times, string why)
    {
        DirectoryInfo? copy = kind is "gone" or "not-executable" ? CopyOfThisProgram() : null;
        try
        {
            Expect(kind, times, why, copy);
        }
        finally
        {
            copy?.Delete(recursive: true);
        }
    }

    private static void Expect(string kind, int times, string why, DirectoryInfo? copy)
    {
        List<(string, object)> arguments = [("kind", kind), ("times", times)];
        if (copy is not null)
        {
            string program = Path.Combine(copy.FullName, Path.GetFileName(Environment.ProcessPath!));
            arguments.AddRange([(ChildProcess.ProgramKey, program), ("copy", program)]);
        }
        else if (kind == "fork")
        {
            arguments.AddRange(Users.Ordinary()); // root may have as many processes as it likes
            arguments.AddRange(ForkEnvironment.Names.Select(name => (name, (object)0)));
        }

        using ChildProcess child = ChildProcess.Start("pool-failing", arguments);
        string failed = string.Join(' ', child.Expect("failed", 3 * ChildProcess.Patience));
        TestContext.Current.TestOutputHelper?.WriteLine(failed);
        Assert.Contains(why, failed, StringComparison.Ordinal);
        Assert.Equal("0", Assert.Single(child.Expect("started")));
        Assert.Equal("0", Assert.Single(child.Expect("collections")));
        Assert.Equal("", string.Join(' ', child.Expect("left")));
        child.ExpectEnd();
    }

    /// <summary>A program that can be removed, with links to everything that it needs.</summary>
    private static DirectoryInfo CopyOfThisProgram()
    {
        DirectoryInfo copy = Directory.CreateTempSubdirectory("shmipc-program-");
        string program = Path.ChangeExtension(typeof(PoolFailureTests).Assembly.Location, null);
        foreach (string entry in Directory.GetFileSystemEntries(AppContext.BaseDirectory).Where(entry => entry != program))
        {
            File.CreateSymbolicLink(Path.Combine(copy.FullName, Path.GetFileName(entry)), entry);
        }

        File.Copy(program, Path.Combine(copy.FullName, Path.GetFileName(program)));
        return copy;
    }
}
