namespace ShmIpc.Memory;

/// <summary>A request for huge pages, which make the processor look up fewer addresses: worth it for large memory that is accessed here and
/// there.</summary>
public sealed class HugePages
{
    private HugePages(HugePageSize size, bool isRequired)
    {
        if (size is not (HugePageSize.Transparent or HugePageSize.TwoMebibytes or HugePageSize.OneGibibyte))
        {
            throw new ArgumentOutOfRangeException(
                nameof(size), size, $"There is no HugePageSize {(int)size}: use Transparent, TwoMebibytes or OneGibibyte.");
        }

        Size = size;
        IsRequired = isRequired;
    }

    /// <summary>Which huge pages.</summary>
    public HugePageSize Size { get; }

    /// <summary>Whether it is an exception when they are not granted.</summary>
    public bool IsRequired { get; }

    /// <summary>The size of a page of the pool; zero for transparent ones.</summary>
    internal long PoolPageBytes => Size switch
    {
        HugePageSize.TwoMebibytes => 2L << 20,
        HugePageSize.OneGibibyte => 1L << 30,
        _ => 0,
    };

    /// <summary>The sizes of pool pages to try, in this order, before ordinary ones; none for transparent ones.</summary>
    internal IReadOnlyList<long> PoolPageSizesToTry => Size switch
    {
        HugePageSize.OneGibibyte when !IsRequired => [1L << 30, 2L << 20],
        HugePageSize.Transparent => [],
        _ => [PoolPageBytes],
    };

    /// <summary>Huge pages if they can be had, and otherwise those of 2 MiB where pages of 1 GiB were asked for, and then ordinary ones;
    /// <see cref="HugePageGrant"/> says which, and why.</summary>
    /// <param name="size">Which.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such size.</exception>
    public static HugePages Try(HugePageSize size) => new(size, isRequired: false);

    /// <summary>Huge pages or an exception, which says why not and what to do about it.</summary>
    /// <param name="size">Which.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such size.</exception>
    public static HugePages Require(HugePageSize size) => new(size, isRequired: true);

    /// <summary>As it is written in code, such as <c>Try(TwoMebibytes)</c>.</summary>
    public override string ToString() => $"{(IsRequired ? nameof(Require) : nameof(Try))}({Size})";
}
