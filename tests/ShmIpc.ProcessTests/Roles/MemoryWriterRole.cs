// Writes to a mapped file in one of the ways that there are, and is killed.

using ShmIpc.Memory;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Roles;

internal static class MemoryWriterRole
{
    public const int SlotBytes = 10_000;
    public const int FirstSlot = 8;

    public static void Once(RoleArguments arguments)
    {
        string way = arguments.Text("way");
        MappingSharing sharing = way == "private" ? MappingSharing.Private : MappingSharing.Shared;
        MemoryMapping mapping = MemoryMapping.MapFile(arguments.Text("file"), new() { Sharing = sharing });
        mapping.WriteAt(0, "written"u8);
        if (way == "async") mapping.Flush(MemoryFlush.Async);
        if (way == "sync") mapping.Flush();
        RoleArguments.Say("ready");
        Thread.Sleep(Timeout.Infinite);
    }

    /// <summary>Payload after payload, each in the slot that the last word does not vouch for.</summary>
    public static void Durably(RoleArguments arguments)
    {
        MemoryMapping mapping = MemoryMapping.MapFile(arguments.Text("file"));
        byte[] payload = new byte[SlotBytes];
        RoleArguments.Say("ready");
        for (ulong number = mapping.Read<ulong>(0) + 1; ; number++)
        {
            Array.Fill(payload, (byte)number);
            Durable.Write(mapping, SlotOf(number), payload, 0, number);
        }
    }

    public static int SlotOf(ulong number) => FirstSlot + (int)(number % 2) * SlotBytes;
}
