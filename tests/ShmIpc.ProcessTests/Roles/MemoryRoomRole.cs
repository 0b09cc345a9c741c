// A child in a control group that has room for some memory and not for twice as much. It asks for the second half in a way that takes it
// without a word of the kernel: only a check before keeps it alive.

using ShmIpc.Memory;

namespace ShmIpc.ProcessTests.Roles;

internal static class MemoryRoomRole
{
    public const long LimitBytes = 384 * MiB;

    private const long MiB = 1 << 20;
    private const long HalfBytes = 256 * MiB; // the runtime has some, too

    private static readonly MemoryMappingOptions _private = new() { Sharing = MappingSharing.Private, NoReserve = true };

    public static void Run(RoleArguments arguments)
    {
        RoleArguments.Say("ready");
        RoleArguments.Await("go");
        try
        {
            Ask(arguments.Text("what"));
            RoleArguments.Say("granted");
        }
        catch (ShmNoSpaceException refusal)
        {
            RoleArguments.Say($"refused {refusal.Message}");
        }
    }

    private static void Ask(string what)
    {
        switch (what)
        {
            case "lock-copy":
                using (MemoryFile file = MemoryFile.Create("original", HalfBytes))
                using (MemoryMapping copy = file.Map(_private))
                using (copy.Lock())
                {
                    break;
                }

            case "open-locked-copy":
                using (MemoryFile file = MemoryFile.Create("original", HalfBytes))
                using (MemoryMapping copy = file.Map(new() { Sharing = MappingSharing.Private, Access = MemoryAccess.ReadOnly }))
                using (copy.Lock()) // takes nothing: the pages are the file's
                {
                    copy.Protect(0, HalfBytes, MemoryAccess.ReadWrite);
                    break;
                }

            case "window":
                using (MemoryFile file = MemoryFile.Create("sparse", HalfBytes, new() { Seals = MemorySeals.None }))
                {
                    RandomAccess.SetLength(file.Handle, 8 * HalfBytes);
                    using MemoryMapping window = file.Map(4 * HalfBytes, HalfBytes);
                    break;
                }

            case "locked-future":
                using (MemoryLock.LockAll(MemoryLockScope.Future, onFault: false))
                using (MemoryMapping.MapAnonymous(2 * HalfBytes, _private))
                {
                    break;
                }

            case "lock-all":
                using (MemoryFile file = MemoryFile.Create("original", HalfBytes))
                using (MemoryMapping copy = file.Map(_private))
                {
                    _ = copy.IndexOf([1]); // all pages are mapped by now, and none is a copy
                    using MemoryLock all = MemoryLock.LockAll(MemoryLockScope.Current, onFault: false);
                    break;
                }

            default: throw new ArgumentException($"There is no way {what}.");
        }
    }
}
