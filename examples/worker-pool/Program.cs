// Worker pools by example: two kinds of work on a large file, one in memory that forked workers share, and a table of what the start modes
// cost.
using System.CommandLine;
using ShmIpc.Examples.Pool;
using ShmIpc.Examples.Pool.Commands;
using ShmIpc.Examples.Terminal;
using ShmIpc.Workers;

WorkerPool.RunIfWorker(args);
if (PoolSettings.AsksForFork(args))
    ForkSupport.EnsureForkable(args);

var root = new RootCommand(
    "Shows worker pools of ShmIpc: processes that share the work on a large file, or in shared memory; docs/workers.md explains them.")
{
    WordsCommand.Create(),
    CompressCommand.Create(),
    SieveCommand.Create(),
    TableCommand.Create(),
    ProbeCommand.Create(),
};

return CommandLine.Run(root, args);
