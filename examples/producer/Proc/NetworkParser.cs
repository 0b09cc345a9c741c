// /proc/net/dev: two lines of heading, then `name: bytes packets errs drop fifo frame compressed multicast`, and the same eight for
// sending.
using System.Text;
using ShmIpc.Examples.Messages;

namespace ShmIpc.Examples.Producer.Proc;

internal static class NetworkParser
{
    public static NetworkCounters[] Parse(ReadOnlySpan<byte> text)
    {
        var networks = new List<NetworkCounters>();
        foreach (Range range in text.Split((byte)'\n'))
        {
            ReadOnlySpan<byte> line = text[range];
            // Old kernels leave no space behind the colon.
            int colon = line.LastIndexOf((byte)':');
            if (colon > 0)
                networks.Add(ParseNetwork(Encoding.UTF8.GetString(line[..colon].Trim((byte)' ')), new Fields(line[(colon + 1)..])));
        }
        return [.. networks];
    }

    private static NetworkCounters ParseNetwork(string name, Fields fields)
    {
        long receivedBytes = fields.TakeNumber();
        fields.Skip(1);
        long lostReceiving = fields.TakeNumber() + fields.TakeNumber();
        fields.Skip(4);
        long sentBytes = fields.TakeNumber();
        fields.Skip(1);
        long lostSending = fields.TakeNumber() + fields.TakeNumber();
        return new NetworkCounters(name, receivedBytes, sentBytes, lostReceiving + lostSending);
    }
}
