// An array of C strings that ends with a null pointer, as execve and posix_spawn want their arguments and environment.

using System.Runtime.InteropServices;

namespace ShmIpc.Interop;

internal sealed unsafe class StringBlock : IDisposable
{
    private readonly int _count;

    public StringBlock(IEnumerable<string> strings)
    {
        string[] texts = [.. strings];
        _count = texts.Length;
        Pointers = (byte**)NativeMemory.AllocZeroed((nuint)(_count + 1), (nuint)sizeof(byte*));
        for (var i = 0; i < _count; i++) Pointers[i] = (byte*)Marshal.StringToCoTaskMemUTF8(texts[i]);
    }

    public byte** Pointers { get; }

    public void Dispose()
    {
        for (var i = 0; i < _count; i++) Marshal.FreeCoTaskMem((nint)Pointers[i]);
        NativeMemory.Free(Pointers);
    }
}
