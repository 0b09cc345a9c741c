// Why there are no huge pages that were asked for, in two sentences, and the exception for whoever requires them.

using ShmIpc.Interop;
using static Tmds.Linux.LibC;

namespace ShmIpc.Memory;

/// <param name="Reason">Why not.</param>
/// <param name="Cure">What to do; null when the reason says it.</param>
/// <param name="Error">Both, as an exception.</param>
internal sealed record HugePageRefusal(string Reason, string? Cure, Exception Error)
{
    /// <summary>Explains a failure to map pages of a pool: what is short, as a rule, is the pool.</summary>
    public static HugePageRefusal Of(Exception error, long pageBytes, long lengthBytes)
    {
        var errorNumber = (error as ShmException)?.ErrorNumber ?? 0;
        if (errorNumber == EEXIST /* at the address that is required */
            || HugePageShortage.Find(pageBytes, lengthBytes) is not { } shortage)
        {
            return new HugePageRefusal(error.Message, null, error);
        }

        return new HugePageRefusal(
            shortage.Reason,
            shortage.Cure,
            new ShmNoSpaceException($"{shortage.Reason} {shortage.Cure}", lengthBytes, shortage.AvailableBytes ?? 0)
            {
                ErrorNumber = errorNumber,
            });
    }

    /// <summary>This refusal, told together with the one of smaller pages that were tried next.</summary>
    public HugePageRefusal And(HugePageRefusal next) =>
        new($"{Reason} {next.Reason}", Cure is null ? next.Cure : $"{Cure} {next.Cure}".TrimEnd(), Error);

    /// <summary>This refusal, told where smaller pages of a pool were granted instead.</summary>
    public HugePageRefusal Instead(long pageBytes) => this with { Reason = $"{Reason} Pages of {pageBytes} bytes were taken instead." };

    /// <summary>Why a file does not consist of the pages that were asked for; null where it does.</summary>
    /// <param name="request">What was asked for.</param>
    /// <param name="filePageBytes">The size of its huge pages; zero for none.</param>
    public static HugePageRefusal? OfFile(HugePages? request, long filePageBytes)
    {
        if (request is null or { PoolPageBytes: 0 } || request.PoolPageBytes == filePageBytes) return null;
        var reason = filePageBytes == 0
            ? "The file does not lie in a hugetlbfs, and consists of ordinary pages."
            : $"The file lies in a hugetlbfs with pages of {filePageBytes} bytes.";
        var cure =
            $"Put it into a hugetlbfs of such pages (`mount -t hugetlbfs -o pagesize={request.PoolPageBytes} none DIRECTORY`), or use " +
            "a MemoryFile or anonymous memory.";
        return new HugePageRefusal(reason, cure, new ShmException($"{request} was not granted: {reason} {cure}"));
    }
}
