// One message with descriptors, as it came.

using Microsoft.Win32.SafeHandles;

namespace ShmIpc.Memory;

/// <summary>A message that came over a socket, with descriptors, which are the receiver's to close.</summary>
/// <param name="LengthBytes">How many bytes of the message came; 0 when the sender has closed its end.</param>
/// <param name="Handles">The descriptors, in the order in which they were sent. Children do not inherit them.</param>
public readonly record struct ReceivedDescriptors(int LengthBytes, IReadOnlyList<SafeFileHandle> Handles);
