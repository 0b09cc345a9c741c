namespace ShmIpc.AotSmoke;

/// <summary>A message that is sent as the bytes it has in memory.</summary>
internal record struct Quote(long Id, double Price, bool IsBid);
