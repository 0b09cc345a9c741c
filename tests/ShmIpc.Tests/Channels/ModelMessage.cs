namespace ShmIpc.Tests.Channels;

/// <summary>A message that was published.</summary>
/// <param name="Lane">The lane in which it stands.</param>
/// <param name="Sequence">Its number there.</param>
/// <param name="Position">Its position there, in bytes.</param>
/// <param name="Payload">Its content.</param>
internal sealed record ModelMessage(int Lane, long Sequence, long Position, byte[] Payload);
