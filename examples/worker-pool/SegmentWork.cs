// What a worker of `words` does with its segment before it counts it.
namespace ShmIpc.Examples.Pool;

internal enum SegmentWork : long
{
    /// <summary>Nothing: it only reads, so that all workers have the same pages.</summary>
    Read,

    /// <summary>Makes the capital letters of ASCII small, in place: the pages that it writes to become its own, and the file stays as it
    /// is.</summary>
    Fold,

    /// <summary>Nothing, but with a copy of the file in the worker's own memory, as it would be without sharing.</summary>
    ReadCopy,
}
