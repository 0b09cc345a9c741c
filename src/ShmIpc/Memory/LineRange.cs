namespace ShmIpc.Memory;

/// <summary>Where a line lies; the line feed that ends it is not part of it, a carriage return before that is.</summary>
/// <param name="Offset">Its first byte.</param>
/// <param name="LengthBytes">How many bytes it has; none is possible.</param>
public readonly record struct LineRange(long Offset, long LengthBytes);
