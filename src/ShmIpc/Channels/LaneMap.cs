// The lanes of a channel as a consumer sees them: mapped, read-only, as producers take them.

using System.Numerics;
using ShmIpc.Memory;

namespace ShmIpc.Channels;

internal sealed class LaneMap(ChannelRegion channel) : IDisposable
{
    private readonly ChannelRegion _channel = channel;
    private readonly MemoryMapping?[] _data = new MemoryMapping?[channel.Geometry.MaxProducers];

    /// <summary>Bit l: lane l is mapped.</summary>
    public ulong Mapped { get; private set; }

    /// <summary>The memory of a mapped lane, mirrored.</summary>
    public MemoryMapping this[int lane] => _data[lane]!;

    /// <summary>Maps the lanes that were taken since the last call.</summary>
    public void MapNew()
    {
        ulong added = _channel.AllocatedLanes() & ~Mapped; // SYNC: lane allocated, visible to readers
        for (; added != 0; added &= added - 1)
        {
            int lane = BitOperations.TrailingZeroCount(added);
            _data[lane] = _channel.MapLane(lane, MemoryAccess.ReadOnly);
            Mapped |= 1UL << lane;
        }
    }

    public void Dispose()
    {
        foreach (MemoryMapping? data in _data)
        {
            data?.Dispose();
        }
    }
}
