namespace ShmIpc;

/// <summary>What stands under the name is not a region that can be used as asked: not a region at all, damaged, of another layout version,
/// or of another geometry or payload format. The message holds both values, the one found and the one expected.</summary>
public sealed class ShmRegionFormatException(string message) : ShmException(message);
