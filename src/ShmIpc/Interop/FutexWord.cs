namespace ShmIpc.Interop;

/// <summary>One word of a wait on several: where it is, what it is expected to hold, and whether only this process uses it.</summary>
internal readonly record struct FutexWord(nint Address, uint Expected, bool IsPrivate);
