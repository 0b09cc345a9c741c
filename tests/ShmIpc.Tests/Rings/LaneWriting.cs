// Writes one message to a lane as a producer does: the short way where it leads, and otherwise the long one.

using ShmIpc.Rings;

namespace ShmIpc.Tests.Rings;

internal static class LaneWriting
{
    /// <summary>Copies one message in and publishes it; false when the lane is full.</summary>
    public static bool TryWrite(this LaneWriter writer, ReadOnlySpan<byte> payload)
    {
        if (writer.TryAppend(payload))
        {
            return true;
        }

        if (!writer.TryReserve(payload.Length))
        {
            return false;
        }

        writer.Write(payload);
        return true;
    }
}
