// A file in memory of huge pages. All of them are taken when it is made, or it is made of ordinary ones, or not at all.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;

namespace ShmIpc.Memory;

public sealed partial class MemoryFile
{
    /// <summary>What came of the huge pages that were asked for when it was made; null where it was made without asking, or by somebody
    /// else.</summary>
    public HugePageGrant? HugePages { get; private init; }

    /// <summary>The size of its pages in bytes. Its mappings begin at a multiple of it; its length is one where they are huge.</summary>
    /// <exception cref="ObjectDisposedException">The file is disposed.</exception>
    public long PageSizeBytes => Math.Max(LinuxFile.HugePageBytes(Handle), LinuxProcess.PageSizeBytes);

    private static MemoryFile Make(string name, long lengthBytes, MemoryFileOptions options)
    {
        var request = options.HugePages;
        if (request is null) return MakeAllocated(name, lengthBytes, poolPageBytes: 0, grant: null);
        if (request.Size == HugePageSize.Transparent)
        {
            throw new ArgumentException(
                "Transparent huge pages are made where a file is mapped: ask for them when it is (MemoryMappingOptions.HugePages).",
                nameof(options));
        }

        HugePageRefusal? refusal = null;
        foreach (var pageBytes in request.PoolPageSizesToTry)
        {
            try
            {
                var wholeBytes = LinuxFile.InWholePages(lengthBytes, pageBytes);
                return MakeAllocated(name, wholeBytes, pageBytes, GrantOf(request, pageBytes, wholeBytes, refusal?.Instead(pageBytes)));
            }
            catch (Exception error) when (error is ShmException or UnauthorizedAccessException)
            {
                var next = HugePageRefusal.Of(error, pageBytes, lengthBytes);
                if (request.IsRequired) throw next.Error;
                refusal = refusal?.And(next) ?? next;
            }
        }

        return MakeAllocated(name, lengthBytes, poolPageBytes: 0, GrantOf(request, LinuxProcess.PageSizeBytes, hugeBytes: 0, refusal));
    }

    private static HugePageGrant GrantOf(HugePages request, long pageBytes, long hugeBytes, HugePageRefusal? refusal) => new()
    {
        Requested = request,
        IsGranted = refusal is null,
        PageSizeBytes = pageBytes,
        HugeBytes = hugeBytes,
        Reason = refusal?.Reason,
        Cure = refusal?.Cure,
    };

    private static MemoryFile MakeAllocated(string name, long lengthBytes, long poolPageBytes, HugePageGrant? grant)
    {
        var handle = LinuxFile.CreateInMemory(name, poolPageBytes);
        try
        {
            LinuxFile.Allocate(handle, 0, lengthBytes); // asks first whether the machine, or the pool, has so much
            return new MemoryFile(handle, name, canWrite: true) { HugePages = grant };
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }
}
