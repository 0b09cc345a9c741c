// Touches mapped memory as no public member lets one, by a pointer: what happens then is for the parent to see.

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
        using (WritableView all = mapping.OpenWrite())
        {
            all.Span[0] = 1;
        }

        mapping.Protect(0, page, MemoryAccess.ReadOnly);
        using ReadableView view = mapping.OpenRead();
        byte* start = (byte*)view.Address;
        RoleArguments.Say("ready");
        RoleArguments.Await("go");
        switch (arguments.Text("touch"))
        {
            case "before": GC.KeepAlive(*(start - 1)); break;
            case "behind": GC.KeepAlive(*(start + mapping.LengthBytes)); break;
            case "write-read-only": *start = 2; break;
            case "copy-over-guard": new Span<byte>(start, page).CopyTo(new Span<byte>(start + mapping.LengthBytes - 16, page)); break;
            case "execute": ((delegate* unmanaged<void>)start)(); break;
            case "span-of-a-copied-view": GC.KeepAlive(ReadPastItsView()); break;
            case "truncated": GC.KeepAlive(view.Span[page]); break; // the parent has made the file shorter
            default: return;
        }

        RoleArguments.Say("survived");
    }

    // The one way to it without a pointer: `using` on a variable closes a copy of the view, and the variable's span lives on.
    private static byte ReadPastItsView()
    {
        MemoryMapping mapping = MemoryMapping.MapAnonymous(Environment.SystemPageSize);
        ReadableView view = mapping.OpenRead();
        ReadOnlySpan<byte> span = view.Span;
        using (view)
        {
        }

        mapping.Dispose();
        return span[0];
    }
}
