// Is it the range: its length, its alignment, what is or is not mapped there? Each check answers with a sentence and the cure, or null when
// that is not it, or the caller did not say which range it was.

using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static class RangeChecks
{
    private const long AddressSpaceBytes = 1L << 47;

    public static string? BeyondAddressSpace(MemoryRequest request)
    {
        if (request.LengthBytes > AddressSpaceBytes - LinuxProcess.PageSizeBytes)
        {
            return $"A process has {AddressSpaceBytes} bytes of address space, and {request.LengthBytes} were asked for: map a window of " +
                "it at a time.";
        }

        return (request.Flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0
            && request.Address > AddressSpaceBytes - LinuxProcess.PageSizeBytes - request.LengthBytes
            ? $"The range ends at 0x{request.Address + (nint)request.LengthBytes:x}, and the address space of a process at " +
                $"0x{AddressSpaceBytes - LinuxProcess.PageSizeBytes:x}: choose a lower address, or none."
            : null;
    }

    public static string? BeyondFile(MemoryRequest request) =>
        request.Offset < 0 || request.Offset > long.MaxValue - request.MappedBytes
            ? $"No file reaches {request.LengthBytes} bytes past offset {request.Offset}: the largest offset is {long.MaxValue}."
            : null;

    public static string? Length(MemoryRequest request) =>
        request.LengthBytes < 0 ? $"The length, {request.LengthBytes}, is negative."
        : request.Offset < 0 ? $"The offset, {request.Offset}, is negative."
        : null;

    public static string? Alignment(MemoryRequest request)
    {
        var page = request.HugePageBytes > 0 ? request.HugePageBytes : LinuxProcess.PageSizeBytes;
        if (request.Offset % page != 0)
        {
            return $"The offset, {request.Offset}, is not a multiple of the page size, {page} bytes: begin at {request.Offset & -page}.";
        }

        if (request.Address % (nint)page != 0)
        {
            return $"The address, 0x{request.Address:x}, is not a multiple of the page size, {page} bytes: begin at " +
                $"0x{request.Address & -(nint)page:x}.";
        }

        return request.HugePageBytes > 0 && request.LengthBytes % page != 0
            ? $"The length, {request.LengthBytes}, is not a multiple of the huge page's size, {page} bytes: use {request.MappedBytes}."
            : null;
    }

    public static string? Unmapped(MemoryRequest request) =>
        HasRange(request) && MapsLine.FirstGapIn((nuint)request.Address, (nuint)request.MappedBytes) is { } gap
            ? $"Nothing is mapped at address 0x{gap:x}, {gap - (nuint)request.Address} bytes from the beginning of the range: give a " +
                "range of one " +
                "mapping that is still there."
            : null;

    public static string? Taken(MemoryRequest request) =>
        HasRange(request) && MapsLine.FirstIn((nuint)request.Address, (nuint)request.MappedBytes) is { } there
            ? $"Something lies there already, from 0x{there.Start:x} to 0x{there.End:x}: " +
                $"{(there.Name.Length == 0 ? "memory without a name" : there.Name)}. It is never replaced: choose another address, or " +
                "take it as a " +
                "wish (without AddressIsRequired)."
            : null;

    public static string? LowAddress(MemoryRequest request) =>
        (request.Flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0
            && KernelFile.Number("/proc/sys/vm/mmap_min_addr") is { } lowest && request.Address >= 0 && request.Address < lowest
            ? $"The address, 0x{request.Address:x}, is below the lowest that may be mapped, {lowest} (vm.mmap_min_addr): choose " +
                "another, or none."
            : null;

    private static bool HasRange(MemoryRequest request) => request.Address != 0 && request.LengthBytes > 0;
}
