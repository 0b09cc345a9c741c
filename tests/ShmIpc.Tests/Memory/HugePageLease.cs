// A few huge pages in the machine's pool for a test, as root, and the pool as it was afterwards. Without that right the test is skipped.

using System.Globalization;
using Xunit;

namespace ShmIpc.Tests.Memory;

internal sealed class HugePageLease : IDisposable
{
    private readonly string _pool;
    private readonly long _before;

    public HugePageLease(long pageBytes, int pageCount)
    {
        PageBytes = pageBytes;
        _pool = PoolOf(pageBytes);
        Assert.SkipUnless(Directory.Exists(_pool), $"This machine has no huge pages of {pageBytes} bytes.");
        _before = Count("nr_hugepages");
        var availableBefore = Available;
        try
        {
            Set(_before + pageCount);
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            Assert.Skip($"This user may not set {_pool}nr_hugepages: {error.Message}");
        }

        if (Available >= availableBefore + pageCount) return;
        Set(_before);
        Assert.Skip($"The kernel found no memory in one piece for {pageCount} huge pages of {pageBytes} bytes.");
    }

    public long PageBytes { get; }

    public long Free => Count("free_hugepages");

    /// <summary>Free, and promised to nobody.</summary>
    public long Available => Free - Count("resv_hugepages");

    public static string PoolOf(long pageBytes) => $"/sys/kernel/mm/hugepages/hugepages-{pageBytes >> 10}kB/";

    public void Dispose() => Set(_before);

    private void Set(long pages) => File.WriteAllText(_pool + "nr_hugepages", pages.ToString(CultureInfo.InvariantCulture));

    private long Count(string name) => long.Parse(File.ReadAllText(_pool + name), CultureInfo.InvariantCulture);
}
