// Worker pools by example: two kinds of work on a large file, and a table of what the start modes cost.
using System.CommandLine;
using ShmIpc.Examples.Pool;
using ShmIpc.Examples.Pool.Commands;
using ShmIpc.Examples.Terminal;
using ShmIpc.Workers;

WorkerPool.RunIfWorker(args);
if (PoolSettings.AsksForFork(args))
    ForkSupport.EnsureForkable(args);

var root = new RootCommand("Shows worker pools of ShmIpc: processes that share the work on a large file; docs/workers.md explains them.")
{
    WordsCommand.Create(),
    CompressCommand.Create(),
    TableCommand.Create(),
    ProbeCommand.Create(),
};

try
{
    // Not InvokeAsync: a process that has used the thread pool cannot be forked any more.
    return root.Parse(args).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (Exception e) when (ExampleException.ExitCodeOf(e) is int exitCode)
{
    ExampleException.Report(e);
    return exitCode;
}
