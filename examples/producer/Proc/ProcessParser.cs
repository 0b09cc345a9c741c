// /proc/[pid]/stat: `pid (name) state ppid ...`, 52 fields on one line. The name is anything, also `) R 1 (` or a line feed, so the fields
// are counted from the last closing parenthesis.
using System.Buffers.Text;
using System.Text;
using ShmIpc.Examples.Messages;

namespace ShmIpc.Examples.Producer.Proc;

internal static class ProcessParser
{
    /// <summary>False when <paramref name="text"/> is none: the process ended before it could be read.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, int pageBytes, out ProcessCounters process)
    {
        process = default;
        int open = text.IndexOf((byte)'(');
        int close = text.LastIndexOf((byte)')');
        if (open < 0 || close < open || !Utf8Parser.TryParse(text, out int processId, out _))
            return false;

        var fields = new Fields(text[(close + 1)..].TrimEnd((byte)'\n'));
        ReadOnlySpan<byte> state = fields.Take();
        if (state.Length != 1)
            return false;
        fields.Skip(10);
        long cpuTicks = fields.TakeNumber() + fields.TakeNumber();
        fields.Skip(4);
        int threads = (int)fields.TakeNumber();
        fields.Skip(1);
        long startTicks = fields.TakeNumber();
        fields.Skip(1);
        long residentBytes = fields.TakeNumber() * pageBytes;
        string name = Encoding.UTF8.GetString(text[(open + 1)..close]);
        process = new ProcessCounters(processId, startTicks, name, (char)state[0], cpuTicks, residentBytes, threads);
        return true;
    }
}
