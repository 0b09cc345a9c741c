namespace ShmIpc.Interop;

/// <summary>What an errno means when it comes from one of certain calls, and what may be checked on the spot.</summary>
/// <param name="Errno">The error number.</param>
/// <param name="Calls">The names of the C functions, with blanks between them.</param>
/// <param name="Meaning">What it means and what to do, in whole sentences: the answer when no check finds more.</param>
/// <param name="Checks">The likely causes, cheapest first: each a sentence with the cure when it is one, else null.</param>
internal sealed record RefusalRow(int Errno, string Calls, string Meaning, params Func<MemoryRequest, string?>[] Checks)
{
    public bool Applies(int errno, string operation) => errno == Errno && Calls.Split(' ').Contains(operation);
}
