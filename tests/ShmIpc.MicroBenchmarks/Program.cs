// What the parts of a message cost within one process and on one thread, with BenchmarkDotNet: its arguments are those of the package
// (--filter, --list, --disasm ...). It starts a process for each benchmark; what these create stands in one directory under /dev/shm,
// whose name they find in the environment, and which is removed here, whatever became of them.

using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using ShmIpc.MicroBenchmarks;

// An iteration is one call, of thousands of operations: a lane has to be emptied, or filled, before the next. The runtime compiles for
// good what was called 30 times, without its usual delay, which is longer than such a benchmark.
Job job = Job.Default.WithInvocationCount(1).WithUnrollFactor(1).WithWarmupCount(20).WithIterationCount(200)
    .WithEnvironmentVariable("DOTNET_TC_CallCountingDelayMs", "0");
IConfig config = DefaultConfig.Instance.AddJob(job).AddDiagnoser(MemoryDiagnoser.Default);
const string Prefix = "/dev/shm/shmipc-micro-";
foreach (string left in Directory.EnumerateDirectories("/dev/shm", Path.GetFileName(Prefix) + "*"))
{
    if (!Directory.Exists("/proc/" + left[Prefix.Length..]))
    {
        Directory.Delete(left, recursive: true); // of one that was killed
    }
}

string root = Prefix + Environment.ProcessId;
Directory.CreateDirectory(root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
try
{
    Environment.SetEnvironmentVariable(PrivateChannel.RootVariable, root);
    BenchmarkSwitcher.FromAssembly(typeof(PrivateChannel).Assembly).Run(args, config);
}
finally
{
    Directory.Delete(root, recursive: true);
}
