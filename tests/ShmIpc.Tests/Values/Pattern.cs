namespace ShmIpc.Tests.Values;

/// <summary>A value whose every byte follows from its number, so that a mixture of two shows, whatever the mixture.</summary>
/// <param name="Number">What the bytes follow from.</param>
/// <param name="Length">How many bytes it has.</param>
internal readonly record struct Pattern(long Number, int Length);
