// A process that keeps a mapping from its forked children. In the place of the missing pages the child has something of its own by the time
// it disposes what it inherited.

using System.Text;
using ShmIpc.Memory;
using ShmIpc.ProcessTests.Harness;
using Tmds.Linux;

namespace ShmIpc.ProcessTests.Roles;

internal static unsafe class ForkMemoryRole
{
    private const byte Mark = 77;

    // Far below where the kernel looks first for room, so that nothing of the runtime comes into the hole.
    private static readonly long _lowAddress = 0x2000_0000_0000;

    public static void Run(RoleArguments arguments)
    {
        _ = arguments;
        int page = Environment.SystemPageSize;
        nuint lengthBytes = 4 * (nuint)page;
        MemoryMapping withheld = MemoryMapping.MapAnonymous((long)lengthBytes, new() { Address = (nint)_lowAddress, AddressIsRequired = true });
        MemoryMapping shared = MemoryMapping.MapAnonymous((long)lengthBytes);
        withheld.Write(0, 1);
        byte* start = (byte*)withheld.Whole.Address(0);
        withheld.Advise(0, (long)lengthBytes, MemoryAdvice.DontFork);
        shared.Advise(0, (long)lengthBytes, MemoryAdvice.DontFork);
        shared.Advise(0, (long)lengthBytes, MemoryAdvice.DoFork);
        MemoryLock held = withheld.Lock();

        int code = Linux.RunForked(() =>
        {
            List<string> wrong = [];
            void* own = LibC.mmap(
                start, (size_t)lengthBytes, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS | LibC.MAP_FIXED_NOREPLACE, -1, 0);
            if (own != start)
            {
                Linux.WriteRaw("child has the pages\n"u8);
                return 1;
            }

            new Span<byte>(own, (int)lengthBytes).Fill(Mark);
            Refused(wrong, "Read", () => withheld.Read<int>(0));
            Refused(wrong, "Write", () => withheld.Write(0, 2));
            Refused(wrong, "Protect", () => withheld.Protect(0, page, MemoryAccess.ReadOnly));
            Refused(wrong, "Advise", () => withheld.Advise(0, page, MemoryAdvice.DontNeed));
            Refused(wrong, "Lock", () => withheld.Lock());
            Refused(wrong, "IndexOf", () => withheld.IndexOf([1]));
            held.Dispose();
            withheld.Dispose();
            if (new Span<byte>(own, (int)lengthBytes).ContainsAnyExcept(Mark))
            {
                wrong.Add("the child's own memory was changed");
            }

            shared.Write(0, (int)Mark); // the child has this one
            shared.Dispose();
            Linux.WriteRaw(Encoding.UTF8.GetBytes($"child {string.Join("; ", wrong).ReplaceLineEndings(" ")}\n"));
            return wrong.Count;
        });
        bool works = withheld.Read<int>(0) == 1 && shared.Read<int>(0) == Mark;
        held.Dispose();
        withheld.Dispose();
        shared.Dispose();
        Linux.WriteRaw(Encoding.UTF8.GetBytes($"parent {code} {works}\n"));
    }

    private static void Refused(List<string> wrong, string what, Action use)
    {
        try
        {
            use();
            wrong.Add($"{what} went through");
        }
        catch (ShmForkedProcessException)
        {
            // as it should be
        }
        catch (Exception error)
        {
            wrong.Add($"{what}: {error.GetType().Name} {error.Message}");
        }
    }
}
