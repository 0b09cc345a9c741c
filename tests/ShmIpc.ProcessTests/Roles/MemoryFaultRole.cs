// Touches mapped memory as no public member lets one, by a pointer, or after its file was made shorter: what happens then is for the parent
// to see.

using ShmIpc.Memory;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Roles;

internal static unsafe class MemoryFaultRole
{
    public static void Run(RoleArguments arguments)
    {
        Linux.DisableCoreDump();
        using MemoryMapping mapping = MemoryMapping.MapFile(arguments.Text("file"));
        int page = Environment.SystemPageSize;
        mapping.Write(0, (byte)1);
        mapping.Protect(0, page, MemoryAccess.ReadOnly);
        RoleArguments.Say("ready");
        RoleArguments.Await("go");
        mapping.Read(bytes =>
        {
            fixed (byte* start = bytes)
            {
                switch (arguments.Text("touch"))
                {
                    case "before": GC.KeepAlive(*(start - 1)); break;
                    case "behind": GC.KeepAlive(*(start + bytes.Length)); break;
                    case "write-read-only": *start = 2; break;
                    case "copy-over-guard": new Span<byte>(start, page).CopyTo(new Span<byte>(start + bytes.Length - 16, page)); break;
                    case "execute": ((delegate* unmanaged<void>)start)(); break;
                    case "truncated": GC.KeepAlive(bytes[page]); break; // the parent has made the file shorter
                    default: return;
                }
            }

            RoleArguments.Say("survived");
        });
    }
}
