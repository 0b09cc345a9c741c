// How a job stands in shared memory: its number (u64), then what its own serializer writes. Reading it begins it: should already the
// reading end the worker, the pool knows which job it was.

using System.Buffers;
using System.Buffers.Binary;
using ShmIpc.Serialization;

namespace ShmIpc.Workers;

/// <param name="jobs">Writes and reads the job itself.</param>
/// <param name="tryBegin">Told the number of each job that is read; false when nobody waits for it any more.</param>
internal sealed class JobPayload<TJob>(IPayloadSerializer<TJob> jobs, Func<ulong, bool>? tryBegin = null)
    : IPayloadSerializer<JobEnvelope<TJob>>
{
    public string Format => jobs.Format;

    public ulong Schema => jobs.Schema;

    public void Serialize(IBufferWriter<byte> destination, JobEnvelope<TJob> value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(destination.GetSpan(sizeof(ulong)), value.Number);
        destination.Advance(sizeof(ulong));
        jobs.Serialize(destination, value.Job!);
    }

    public JobEnvelope<TJob> Deserialize(ReadOnlyMemory<byte> payload)
    {
        ulong number = BinaryPrimitives.ReadUInt64LittleEndian(payload.Span);
        if (tryBegin?.Invoke(number) == false)
        {
            return new JobEnvelope<TJob>(number, default, IsWanted: false);
        }

        try
        {
            return new JobEnvelope<TJob>(number, jobs.Deserialize(payload[sizeof(ulong)..]));
        }
        catch (Exception error)
        {
            return new JobEnvelope<TJob>(number, default, Error: error);
        }
    }
}
