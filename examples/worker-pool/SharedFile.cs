// The file in a worker: mapped, so that all workers have the same pages of the page cache as long as they only read, or, to compare, in
// memory of its own.
using ShmIpc.Memory;
using ShmIpc.Workers;

namespace ShmIpc.Examples.Pool;

internal static class SharedFile
{
    public const string Argument = "file";

    private const int Portion = 1 << 24;
    private static MemoryMapping? _mapped;
    private static MemoryMapping? _copied;

    /// <summary>What a worker reads from; it maps or copies when it is asked for the first time, and a worker runs one job at a time.</summary>
    public static MemoryMapping Of(WorkerContext context, bool isCopied)
    {
        string path = context.Arguments[Argument];
        if (!isCopied)
            return _mapped ??= Map(path);
        Unmap();
        return _copied ??= Copy(path);
    }

    /// <summary>From now on this worker does without the mapped file.</summary>
    public static void Unmap()
    {
        _mapped?.Dispose();
        _mapped = null;
    }

    /// <summary>Copy-on-write: what is written to it is in this process only, and takes memory only then.</summary>
    public static MemoryMapping Map(string path) =>
        MemoryMapping.MapFile(path, new() { Sharing = MappingSharing.Private, NoReserve = true });

    /// <summary>Makes the capital letters of ASCII small in a part of it.</summary>
    public static void Fold(MemoryMapping file, Segment part)
    {
        for (long done = 0; done < part.LengthBytes; done += Portion)
        {
            file.Write(part.Offset + done, (int)Math.Min(Portion, part.LengthBytes - done), static text =>
            {
                foreach (ref byte letter in text)
                {
                    if (letter is >= (byte)'A' and <= (byte)'Z')
                        letter |= 0x20;
                }
            });
        }
    }

    private static MemoryMapping Copy(string path)
    {
        using var handle = File.OpenHandle(path);
        long length = RandomAccess.GetLength(handle);
        var memory = MemoryMapping.MapAnonymous(length, new() { Sharing = MappingSharing.Private });
        for (long offset = 0; offset < length;)
        {
            int read = 0;
            memory.Write(offset, (int)Math.Min(Portion, length - offset), bytes => read = RandomAccess.Read(handle, bytes, offset));
            if (read == 0)
                throw new IOException($"{path} became shorter while it was read.");
            offset += read;
        }
        return memory;
    }
}
