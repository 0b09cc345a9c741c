namespace ShmIpc.AotSmoke;

/// <summary>An enum, which travels as its number.</summary>
internal enum Side : short
{
    Buy,
    Sell,
}
