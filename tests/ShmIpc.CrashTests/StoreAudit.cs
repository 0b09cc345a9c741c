// Finds stores that no crash point announces, and at which therefore nobody is made to die: at each step, what has changed in shared memory
// since the step before must be what that step said it would change. Only in a victim that is alone with its memory while it acts.

using System.Globalization;
using System.Runtime.CompilerServices;

namespace ShmIpc.CrashTests;

internal sealed unsafe class StoreAudit
{
    private const int PageBytes = 4096;
    private Dictionary<(string File, long Page), byte[]> _pages = []; // those that are mapped now
    private readonly string _root;
    private readonly List<string> _unannounced = [];
    private ulong _address;
    private int _lengthBytes;
    private string _step = "the start";

    /// <param name="root">The directory of the files that count; the runtime shares memory with itself, too.</param>
    public StoreAudit(string root)
    {
        _root = root;
        Compare();
    }

    public IReadOnlyList<string> Unannounced => _unannounced;

    /// <summary>A step is reached: nothing but what the last one announced has changed; it announces its own.</summary>
    [MethodImpl(MethodImplOptions.Synchronized)]
    public void Pass(string step, ulong address, int lengthBytes)
    {
        Compare();
        (_step, _address, _lengthBytes) = (step, address, lengthBytes);
    }

    private void Compare()
    {
        List<(ulong Start, ulong End, string File, long Offset)> mappings = [.. File.ReadLines("/proc/self/maps")
            .Select(line => line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields[1] == "rw-s" && fields.Length > 5 && fields[5].Contains(_root, StringComparison.Ordinal))
            .Select(fields => (Hex(fields[0].Split('-')[0]), Hex(fields[0].Split('-')[1]), fields[3] + fields[4], (long)Hex(fields[2])))];
        ulong announcedEnd = _address + (ulong)_lengthBytes;
        (string File, long From, long To)[] announced = [.. mappings // several: what is mapped twice in a row goes on at its start
            .Where(mapping => _address < mapping.End && announcedEnd > mapping.Start)
            .Select(mapping => (mapping.File, mapping.Offset + (long)(Math.Max(_address, mapping.Start) - mapping.Start),
                mapping.Offset + (long)(Math.Min(announcedEnd, mapping.End) - mapping.Start)))];
        Dictionary<(string File, long Page), byte[]> pages = [];
        foreach ((ulong start, ulong end, string file, long offset) in mappings)
        {
            for (ulong page = start; page < end; page += PageBytes)
            {
                long at = offset + (long)(page - start);
                ReadOnlySpan<byte> now = new((void*)page, PageBytes);
                if (!_pages.TryGetValue((file, at), out byte[]? before))
                {
                    pages[(file, at)] = now.ToArray();
                    continue;
                }

                for (int i = now.CommonPrefixLength(before); i < PageBytes; i++)
                {
                    if (now[i] != before[i] && !announced.Any(range => range.File == file && at + i >= range.From && at + i < range.To))
                    {
                        _unannounced.Add($"byte {at + i} behind {_step}");
                        break;
                    }
                }

                now.CopyTo(before);
                pages[(file, at)] = before;
            }
        }

        _pages = pages;
    }

    private static ulong Hex(string digits) => ulong.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
