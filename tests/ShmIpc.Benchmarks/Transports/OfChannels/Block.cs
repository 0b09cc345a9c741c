using System.Runtime.CompilerServices;

namespace ShmIpc.Benchmarks.Transports.OfChannels;

/// <summary>A message of 64 bytes that is sent as it is. Its number comes first.</summary>
[InlineArray(8)]
internal struct Block
{
    private ulong _number;

    public ulong Number
    {
        readonly get => _number;
        set => _number = value;
    }
}
