using ShmIpc.Rings;

namespace ShmIpc.Tests.Channels;

/// <summary>A lane as a list of all messages that were ever published in it.</summary>
internal sealed class ModelLane(int number)
{
    public int Number { get; } = number;

    public List<ModelMessage> Messages { get; } = [];

    /// <summary>Where the next message will stand.</summary>
    public long Position { get; private set; }

    public ModelProducer? Owner { get; set; }

    public bool IsAllocated { get; set; }

    /// <summary>Message of the error with which its last completed producer completed.</summary>
    public string? Fault { get; set; }

    /// <summary>Nothing at or above this position can have been given up: how far the floor has moved is the library's freedom, up to
    /// here.</summary>
    public long FloorBound { get; private set; }

    public long End => Messages.Count;

    public static long RecordBytes(long payloadBytes) => RecordHeader.RecordBytes(0, payloadBytes);

    public long PositionOf(long sequence) => sequence < End ? Messages[(int)sequence].Position : Position;

    /// <summary>Number of the first message at or behind a position.</summary>
    public long SequenceAt(long position)
    {
        long sequence = End;
        while (sequence > 0 && Messages[(int)sequence - 1].Position >= position)
        {
            sequence--;
        }

        return sequence;
    }

    public void RaiseFloorBound(long position) => FloorBound = Math.Max(FloorBound, position);

    public void Append(byte[] payload)
    {
        Messages.Add(new ModelMessage(Number, End, Position, payload));
        Position += RecordBytes(payload.Length);
    }
}
