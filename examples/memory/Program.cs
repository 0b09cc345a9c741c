// The memory toolkit by example: one sub-command for each thing it can do, each in a file of its own under Commands/. This is the list.
using System.CommandLine;
using ShmIpc.Examples.Memory.Commands;
using ShmIpc.Examples.Terminal;

var root = new RootCommand("Shows what the memory toolkit of ShmIpc can do, one sub-command for each; docs/memory.md explains them.")
{
    MapCommand.Create(),
    GrepCommand.Create(),
    EditCommand.Create(),
    AppendCommand.Create(),
    WindowsCommand.Create(),
    CompareCommand.Create(),
    AnonymousCommand.Create(),
    MemfdCommand.Create(),
    ProtectCommand.Create(),
    LockCommand.Create(),
    LockMemoryCommand.Create(),
    HugePagesCommand.Create(),
    MapsCommand.Create(),
    LimitsCommand.Create(),
    DoctorCommand.Create(),
};
foreach (var command in SyncCommand.Create().Concat(CopyOnWriteCommand.Create())) root.Add(command);

return CommandLine.Run(root, args);
