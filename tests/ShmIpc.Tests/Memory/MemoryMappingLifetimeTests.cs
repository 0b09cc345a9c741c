using ShmIpc.Memory;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class MemoryMappingLifetimeTests
{
    private static readonly int _page = Environment.SystemPageSize;

    [Theory]
    [InlineData(MappingSource.File, true)]
    [InlineData(MappingSource.Memfd, false)]
    [InlineData(MappingSource.Anonymous, true)]
    public void Dispose_unmaps_and_a_second_one_does_nothing(MappingSource source, bool mirrored)
    {
        var mapping = MappingSources.Map(source, _page, new MemoryMappingOptions { Mirrored = mirrored });
        mapping.Dispose();
        mapping.Dispose();
        Assert.Throws<ObjectDisposedException>(() => { _ = mapping.GetSpan(0, 1); });
        Assert.Throws<ObjectDisposedException>(() => { _ = mapping.GetReadOnlySpan(0, 1); });
        Assert.Throws<ObjectDisposedException>(() => _ = mapping.Whole);
        Assert.Throws<ObjectDisposedException>(mapping.AddReference);
        Assert.Equal(_page, mapping.LengthBytes);
    }

    [Fact]
    public void A_reference_keeps_the_memory_after_Dispose()
    {
        var mapping = MemoryMapping.MapAnonymous(_page);
        mapping.AddReference();
        mapping.AddReference();
        var whole = mapping.Whole;
        mapping.Dispose();
        Assert.Throws<ObjectDisposedException>(() => { _ = mapping.GetSpan(0, 1); });
        Assert.Throws<ObjectDisposedException>(mapping.AddReference);

        whole.UInt32(0) = 5;
        mapping.ReleaseReference();
        Assert.Equal(5u, mapping.Whole.UInt32(0));
        Assert.Equal("rw-s", ProcMaps.PermissionsAt(whole.Address(0)));

        mapping.ReleaseReference();
        Assert.Throws<ObjectDisposedException>(() => _ = mapping.Whole);
        Assert.Throws<InvalidOperationException>(mapping.ReleaseReference);
    }

    [Fact]
    public void A_reference_that_nobody_holds_cannot_be_given_back()
    {
        using var mapping = MemoryMapping.MapAnonymous(_page);
        Assert.Throws<InvalidOperationException>(mapping.ReleaseReference);
        mapping.AddReference();
        mapping.ReleaseReference();
        mapping.GetSpan(0, 1)[0] = 1;
    }

    // Threads take references and use the memory while another disposes: each either gets a reference that holds, or the exception.
    [Fact]
    public void References_and_Dispose_race_without_a_fault() => DisposeRace.Run(
        rounds: 200, spins: 10, use: mapping =>
        {
            mapping.AddReference();
            mapping.Whole.UInt32(0)++;
            mapping.ReleaseReference();
        });
}
