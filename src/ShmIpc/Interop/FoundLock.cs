// What the kernel says of a lock that is in the way (F_OFD_GETLK): the process id is -1 for a lock that belongs to an open file
// description, and 0 for a process of another PID namespace.

namespace ShmIpc.Interop;

internal readonly record struct FoundLock(bool IsExclusive, long Offset, long LengthBytes, int ProcessId);
