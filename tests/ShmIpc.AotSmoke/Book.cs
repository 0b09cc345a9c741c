namespace ShmIpc.AotSmoke;

/// <summary>A message with structs in it, whose fields native code has to be told to keep.</summary>
internal unsafe struct Book
{
    public DateTime Time;
    public Levels Levels;
    public (byte Depth, Side Side) Key;
    public fixed bool Flags[3];
}
