namespace ShmIpc;

/// <summary>A peer wrote something into shared memory that no correct peer writes. Nothing was read out of bounds; the reader stays
/// usable.</summary>
public sealed class ShmCorruptionException(string message) : ShmException(message);
