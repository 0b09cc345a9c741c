namespace ShmIpc.Interop;

/// <summary>Whole mapped pages that are to be brought into memory.</summary>
/// <param name="Start">The address of the first.</param>
/// <param name="LengthBytes">How many bytes.</param>
/// <param name="There">Which of them are there already.</param>
internal readonly record struct PageRange(nint Start, long LengthBytes, PagesThere There);
