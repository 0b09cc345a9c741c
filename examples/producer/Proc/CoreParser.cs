// /proc/stat: one line `cpuN user nice system idle iowait irq softirq steal guest guest_nice` for each core that is online.
using System.Buffers.Text;
using ShmIpc.Examples.Messages;

namespace ShmIpc.Examples.Producer.Proc;

internal static class CoreParser
{
    public static CoreCounters[] Parse(ReadOnlySpan<byte> text)
    {
        var cores = new List<CoreCounters>();
        foreach (Range range in text.Split((byte)'\n'))
        {
            var fields = new Fields(text[range]);
            ReadOnlySpan<byte> name = fields.Take();
            // The line `cpu` without a number is the sum of the others.
            if (name.StartsWith("cpu"u8) && Utf8Parser.TryParse(name[3..], out int index, out int used) && used == name.Length - 3)
                cores.Add(ParseCore(index, fields));
        }
        return [.. cores];
    }

    private static CoreCounters ParseCore(int index, Fields fields)
    {
        long userNiceSystem = fields.TakeNumber() + fields.TakeNumber() + fields.TakeNumber();
        long idleIowait = fields.TakeNumber() + fields.TakeNumber();
        long irqSoftirqSteal = fields.TakeNumber() + fields.TakeNumber() + fields.TakeNumber();
        // guest and guest_nice are contained in user and nice.
        long busy = userNiceSystem + irqSoftirqSteal;
        return new CoreCounters(index, busy, busy + idleIowait);
    }
}
