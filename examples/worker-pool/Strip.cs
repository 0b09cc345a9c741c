// A range of the table of `sieve`: what a worker gets as its job.
namespace ShmIpc.Examples.Pool;

/// <param name="From">The first number.</param>
/// <param name="Count">How many numbers.</param>
internal readonly record struct Strip(long From, long Count);
