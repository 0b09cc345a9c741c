// The one entry point of two programs: `ShmIpc.ProcessTests child <role> key=value ...` is a child process that a test started (Roles/),
// anything else is the test runner, exactly as xunit would have generated it.

using System.Runtime.CompilerServices;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Roles;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests;

internal static class Program
{
    public static int Main(string[] arguments)
    {
        WorkerPool.RunIfWorker(arguments); // returns at once, but in workers
        return arguments is [ChildProcess.Verb, ..] ? RunChild(arguments) : RunTests(arguments);
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // a child never loads xunit
    private static int RunTests(string[] arguments) =>
        arguments.Any(argument => argument is "--server" or "--internal-msbuild-node")
            ? Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework
                .RunAsync(arguments, SelfRegisteredExtensions.AddSelfRegisteredExtensions).GetAwaiter().GetResult()
            : Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(arguments).GetAwaiter().GetResult();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int RunChild(string[] arguments)
    {
        RoleArguments role = new(arguments[2..]);
        if (role.TryText("user") is not null)
        {
            Linux.BecomeUser((uint)role.Number("user"), (uint)role.Number("group"));
        }

        Linux.DieWithParent((int)role.Number(ChildProcess.ParentKey));
        using IDisposable? stall = CollectionStall.OnSignal(role);
        switch (arguments[1])
        {
            case "burst-writer": BurstRoles.Write(role); break;
            case "burst-reader": BurstRoles.Read(role); break;
            case "stream-writer": StreamRoles.Write(role); break;
            case "stream-reader": StreamRoles.Read(role); break;
            case "stream-awaiter": StreamRoles.ReadAsync(role).GetAwaiter().GetResult(); break;
            case "claimant": PausedRoles.Claim(role); break;
            case "member": PausedRoles.Member(role); break;
            case "group-maker": PausedRoles.MakeGroups(role); break;
            case "claim-holder": HolderRoles.HoldClaim(role); break;
            case "consumer-holder": HolderRoles.HoldConsumer(role); break;
            case "silent": SilentRole.Run(role); break;
            case "awaiter": AwaiterRole.Run(role); break;
            case "forker": ForkRole.Run(role); break;
            case "echo": EchoRole.Run(role); break;
            case "creator": CreatorRole.Run(role); break;
            case "opener": CreatorRole.Open(role); break;
            case "order-writer": OrderRoles.Write(role); break;
            case "order-reader": OrderRoles.Read(role); break;
            case "scribbler": ScribblerRole.Run(role); break;
            case "hostile-rounds": HostileRoles.Rounds(role); break;
            case "memory-writer": MemoryWriterRole.Once(role); break;
            case "durable-writer": MemoryWriterRole.Durably(role); break;
            case "memory-fault": MemoryFaultRole.Run(role); break;
            case "mapped-reader": MappedReaderRole.Run(role); break;
            case "hostile-files": FuzzRole.Run(role); break;
            case "hostile-scribbler": HostileRoles.Scribble(role); break;
            case "hostile-user": HostileRoles.Use(role); break;
            case "group-writer": GroupRoles.Write(role); break;
            case "group-reader": GroupRoles.Read(role); break;
            case "value-writer": ValueRoles.Write(role); break;
            case "value-reader": ValueRoles.Read(role); break;
            case "value-idler": ValueRoles.Idle(role); break;
            case "value-silent": ValueRoles.Silent(role); break;
            case "stepped-writer": SteppedRoles.Write(role); break;
            case "stepped-member": SteppedRoles.Read(role); break;
            case "lossy-reader": LossyRoles.Read(role); break;
            case "drop-writer": LossyRoles.Write(role); break;
            case "actor": ActorRole.Run(); break;
            case "party": PartyRole.Run(role); break;
            case "full-channel": FullMemoryRoles.Channel(role); break;
            case "full-value": FullMemoryRoles.Value(role); break;
            case "full-race": FullMemoryRoles.Race(role); break;
            case "full-rest": FullMemoryRoles.Rest(role); break;
            case "full-inodes": FullMemoryRoles.Inodes(role); break;
            case "read-only-memory": FullMemoryRoles.ReadOnly(role); break;
            case "small-memory": FullMemoryRoles.Container(role); break;
            case "few-descriptors": LimitRoles.Descriptors(role); break;
            case "few-addresses": LimitRoles.Addresses(role); break;
            case "short-files": LimitRoles.FileSize(role); break;
            case "no-locked-memory": LimitRoles.LockedMemory(role); break;
            case "pool-parent": PoolParentRole.Run(role); break;
            case "pool-compiled": PoolCompiledRole.Run(role); break;
            case "pool-first": FirstProcessRole.Run(role); break;
            case "pool-killed-at-work": PoolKillRoles.AtWork(role); break;
            case "pool-killed-at-any-time": PoolKillRoles.AtAnyTime(role); break;
            case "pool-failing": PoolFailureRole.Run(role); break;
            case "pool-crashes": PoolCrashRoles.Crashes(role); break;
            case "pool-server-killed": PoolCrashRoles.Server(role); break;
            case "pool-copy": PoolCrashRoles.Copy(role); break;
            case "pool-powerless": PoolCrashRoles.Powerless(role); break;
            case "pool": PoolRoles.Start(role); break;
            case "fork-check": PoolRoles.Check(role); break;
            case "fork-ensure": PoolRoles.Ensure(role, arguments); break;
            case "memory-file": MemoryFileRole.Run(role); break;
            case "descriptor-receiver": MemoryFileRole.WithFewDescriptors(role); break;
            case "no-threads": LimitRoles.Threads(role); break;
            case "file-lock-holder": FileLockRoles.Hold(role); break;
            case "file-lock-posix": FileLockRoles.HoldPosix(role); break;
            case "file-lock-starter": FileLockRoles.Start(role); break;
            case "file-lock-counter": FileLockRoles.Count(role); break;
            case "file-lock-forker": FileLockRoles.Fork(role); break;
            case "file-lock-fork-releaser": FileLockRoles.ForkAndRelease(role); break;
            case "refused-memory": RefusalRoles.Memory(role); break;
            case "refused-locking": RefusalRoles.Locking(role); break;
            case "refused-advice": RefusalRoles.Advice(role); break;
            case "memory-room": MemoryRoomRole.Run(role); break;
            case "fork-withheld": ForkMemoryRole.Run(role); break;
            case "refused-descriptors": RefusalRoles.Descriptors(role); break;
            default: throw new ArgumentException($"There is no role {arguments[1]}.");
        }

        return 0;
    }
}
