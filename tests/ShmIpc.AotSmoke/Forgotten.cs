namespace ShmIpc.AotSmoke;

/// <summary>A message with a struct in it whose fields nobody told the native compiler to keep.</summary>
internal record struct Forgotten(Forgotten.Inner First)
{
    internal record struct Inner(int Number);
}
