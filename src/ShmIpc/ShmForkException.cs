namespace ShmIpc;

/// <summary>This process cannot be forked. <see cref="Reasons"/> has every reason, each with what to do about it.</summary>
public sealed class ShmForkException(IReadOnlyList<string> reasons) : ShmException(
    $"This process cannot be forked: {string.Join(" ", reasons)}")
{
    /// <summary>Every reason why not.</summary>
    public IReadOnlyList<string> Reasons { get; } = reasons;
}
