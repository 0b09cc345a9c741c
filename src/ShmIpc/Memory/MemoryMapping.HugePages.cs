// Huge pages of a mapping: asked for, fallen back from, and read back from smaps, because what was asked for says nothing. How the memory
// is laid out for them is in MemoryMapping.Create.cs.
//
// Pages of a pool are all taken when the memory is mapped: a pool that is empty at a later touch would end the process.

using System.Diagnostics.CodeAnalysis;
using ShmIpc.Interop;
using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Memory;

public sealed unsafe partial class MemoryMapping
{
    private bool IsOfPool => PageSizeBytes > LinuxProcess.PageSizeBytes;

    private const int CollapseAttempts = 3; // it fails for now where another part of the kernel holds a page

    private readonly TransparentKind _transparentKind;

    /// <summary>What came of huge pages when the memory was mapped; null where nobody asked for them and the pages are ordinary
    /// ones.</summary>
    public HugePageGrant? HugePages { get; private set; }

    /// <summary>Asks the kernel how much of the memory lies in huge pages now. That changes for transparent ones: they come as memory is
    /// touched, and go when it is short.</summary>
    /// <remarks>The kernel looks at every page that this process has mapped below this memory, and at those of it: the more is present, the
    /// longer it takes.</remarks>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    public HugePageGrant ReadHugePages()
    {
        AddReference();
        try
        {
            return ReadGrant(HugePages?.Requested, HugePages?.Reason, HugePages?.Cure);
        }
        finally
        {
            ReleaseReference();
        }
    }

    private static bool TryMapPool(
        long lengthBytes,
        MemoryMappingOptions options,
        long pageBytes,
        HugePageRefusal? ofLargerPages,
        [NotNullWhen(true)] out MemoryMapping? mapping,
        [NotNullWhen(false)] out HugePageRefusal? refusal)
    {
        (mapping, refusal) = (null, null);
        try
        {
            mapping = MapAnonymous(lengthBytes, options, pageBytes, ofLargerPages?.Instead(pageBytes));
            return true;
        }
        catch (Exception error) when (error is ShmException or UnauthorizedAccessException)
        {
            refusal = HugePageRefusal.Of(error, pageBytes, lengthBytes);
            return false;
        }
    }

    // Before the first touch: afterwards, the kernel would have to move what is there.
    private static void AdviseHugePages(nint start, long mappedBytes, MemoryMappingOptions options)
    {
        if (options.HugePages is { Size: HugePageSize.Transparent })
        {
            _ = madvise((void*)start, Size(mappedBytes), MADV_HUGEPAGE); // a kernel without them refuses; smaps is what is believed
        }
    }

    // Huge pages lie at multiples of their size, those of a file as far from one as their place in the file is.
    private static nint ReserveAligned(long guardBytes, long reservedBytes, MemoryMappingOptions options, in Backing backing)
    {
        var alignment = Math.Max(
            backing.PageBytes, options.HugePages is { Size: HugePageSize.Transparent } ? TransparentHugePages.PageBytes : 0);
        if (options.Address != 0)
        {
            var wish = options.Address - (nint)guardBytes;
            var place = Reserve(wish, reservedBytes, options.AddressIsRequired);
            if (place == wish) return place;
            _ = munmap((void*)place, Size(reservedBytes));
        }

        if (alignment == LinuxProcess.PageSizeBytes) return Reserve(0, reservedBytes, addressIsRequired: false);
        var slackBytes = alignment - LinuxProcess.PageSizeBytes;
        var first = Reserve(0, reservedBytes + slackBytes, addressIsRequired: false);
        var skippedBytes = (backing.Offset - first - guardBytes) & (alignment - 1);
        if (skippedBytes > 0) _ = munmap((void*)first, Size(skippedBytes));
        if (skippedBytes < slackBytes) _ = munmap((byte*)first + skippedBytes + reservedBytes, Size(slackBytes - skippedBytes));
        return first + (nint)skippedBytes;
    }

    // Pages of a pool can be mapped a second time only through a file, unlike ordinary ones (Duplicate).
    private static void MapPoolTwice(nint start, nint mirror, long mappedBytes, long pageBytes)
    {
        using var file = LinuxFile.CreateInMemory("shmipc-mirror", pageBytes);
        LinuxFile.Allocate(file, 0, mappedBytes);
        using var descriptor = new BorrowedDescriptor(file);
        MapOver(start, mappedBytes, MemoryAccess.ReadWrite, MAP_SHARED, descriptor.Number, offset: 0);
        MapOver(mirror, mappedBytes, MemoryAccess.ReadWrite, MAP_SHARED, descriptor.Number, offset: 0);
        Fill(start, 2 * mappedBytes, isOfPool: true);
    }

    private static ShmNoSpaceException PoolExhausted(long lengthBytes) => new(
        $"The kernel gave only part of {lengthBytes} bytes of huge pages: the pool ran out meanwhile, or this process may have less of " +
        "it (hugetlb.*.max of its control group, or its memory nodes). Enlarge what is too small, or map less.",
        lengthBytes,
        availableBytes: -1);

    private void SettleHugePages(MemoryMappingOptions options, HugePageRefusal? refusal)
    {
        var request = options.HugePages;
        if (request is null && !IsOfPool) return;
        HugePages = ReadGrant(request, refusal?.Reason, refusal?.Cure);
        if (request is { Size: HugePageSize.Transparent } && !HugePages.IsGranted && IsPresent(options))
        {
            Collapse();
            HugePages = ReadGrant(request, null, null);
        }

        if (request is { IsRequired: true } && !HugePages.IsGranted)
        {
            throw new ShmException($"{request} was not granted: {HugePages.Reason} {HugePages.Cure}".TrimEnd());
        }
    }

    private bool IsPresent(MemoryMappingOptions options) => IsPopulated(options) || (!_isFile && Sharing == MappingSharing.Shared);

    // Where the first touch brought ordinary pages, the kernel (6.1) moves them together now. As well as it goes: smaps says how well.
    private void Collapse()
    {
        for (var attempt = 0; attempt < CollapseAttempts; attempt++)
        {
            if (madvise(_start, Size(_insideBytes), MADV_COLLAPSE) == 0 || (errno != EAGAIN && errno != EINTR)) return;
        }
    }

    private HugePageGrant ReadGrant(HugePages? request, string? reason, string? cure)
    {
        var pages = HugePageReading.Of((nint)_start, (nint)(_start + _insideBytes));
        var isGranted = IsOfPool;
        if (request is { PoolPageBytes: > 0 and var poolPageBytes })
        {
            isGranted = pages.PageBytes == poolPageBytes;
        }
        else if (request is not null && !IsOfPool)
        {
            var halfBytes = IsMirrored ? _insideBytes / 2 : _insideBytes;
            var wholeBytes = TransparentHugePages.WholeBytes((nint)_start, halfBytes)
                + (IsMirrored ? TransparentHugePages.WholeBytes((nint)_start + (nint)halfBytes, halfBytes) : 0);
            isGranted = wholeBytes > 0 && pages.HugeBytes >= wholeBytes;
            if (!isGranted) (reason, cure) = TransparentHugePages.WhyNot(_transparentKind, wholeBytes, _insideBytes, pages);
        }

        return new HugePageGrant
        {
            Requested = request,
            IsGranted = isGranted,
            PageSizeBytes = pages.PageBytes,
            HugeBytes = pages.HugeBytes,
            Reason = isGranted ? null : reason,
            Cure = isGranted ? null : cure,
        };
    }
}
