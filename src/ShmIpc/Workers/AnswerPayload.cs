// How an answer stands in shared memory: 16 bytes, then the result as its own serializer writes it, or texts.
//
//    0  kind u8 | worker u8 | zero u16 | restarts u32
//    8  job  u64
//   16  the result; or texts, each u32 length and UTF-8

using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using ShmIpc.Serialization;

namespace ShmIpc.Workers;

internal sealed class AnswerPayload<TResult>(IPayloadSerializer<TResult> results) : IPayloadSerializer<Answer<TResult>>
{
    /// <summary>Longest text, in characters: three of them always fit the smallest lane.</summary>
    public const int MaxTextChars = 4000;
    private const int HeaderBytes = 16;
    private const int MaxTexts = 16;

    public string Format => results.Format;

    public ulong Schema => results.Schema;

    public void Serialize(IBufferWriter<byte> destination, Answer<TResult> value)
    {
        Span<byte> header = destination.GetSpan(HeaderBytes)[..HeaderBytes];
        header.Clear();
        header[0] = (byte)value.Kind;
        header[1] = (byte)value.Worker;
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], value.Restarts);
        BinaryPrimitives.WriteUInt64LittleEndian(header[8..], value.Job);
        destination.Advance(HeaderBytes);
        if (value.Kind == AnswerKind.Result)
        {
            results.Serialize(destination, value.Value!);
            return;
        }

        foreach (string text in value.Texts.Take(MaxTexts))
        {
            string cut = text.Length > MaxTextChars ? text[..MaxTextChars] : text;
            int length = Encoding.UTF8.GetByteCount(cut);
            Span<byte> place = destination.GetSpan(sizeof(int) + length);
            BinaryPrimitives.WriteInt32LittleEndian(place, length);
            Encoding.UTF8.GetBytes(cut, place[sizeof(int)..]);
            destination.Advance(sizeof(int) + length);
        }
    }

    public Answer<TResult> Deserialize(ReadOnlyMemory<byte> payload)
    {
        ReadOnlySpan<byte> header = payload.Span;
        if (header.Length < HeaderBytes)
        {
            throw new InvalidDataException($"An answer has at least {HeaderBytes} bytes.");
        }

        AnswerKind kind = (AnswerKind)header[0];
        ReadOnlyMemory<byte> body = payload[HeaderBytes..];
        int worker = header[1];
        int restarts = BinaryPrimitives.ReadInt32LittleEndian(header[4..]);
        ulong job = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        if (!Enum.IsDefined(kind))
        {
            throw new InvalidDataException($"There is no answer of kind {(int)kind}.");
        }

        if (kind != AnswerKind.Result)
        {
            return new Answer<TResult>(kind, worker, restarts, job, default, ReadTexts(body.Span));
        }

        try
        {
            return new Answer<TResult>(kind, worker, restarts, job, results.Deserialize(body), []);
        }
        catch (Exception error)
        {
            // Whoever waits for the job is to know, so it is an answer all the same.
            string[] texts = [error.GetType().FullName!, $"The result cannot be read: {error.Message}", $"{error}"];
            return new Answer<TResult>(AnswerKind.Failed, worker, restarts, job, default, texts);
        }
    }

    private static List<string> ReadTexts(ReadOnlySpan<byte> bytes)
    {
        List<string> texts = [];
        while (bytes.Length >= sizeof(int) && texts.Count < MaxTexts)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(bytes);
            bytes = bytes[sizeof(int)..];
            if (length < 0 || length > bytes.Length)
            {
                throw new InvalidDataException($"A text of {length} bytes does not fit the {bytes.Length} bytes that are left.");
            }

            texts.Add(Encoding.UTF8.GetString(bytes[..length]));
            bytes = bytes[length..];
        }

        return texts;
    }
}
