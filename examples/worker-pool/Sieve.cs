// The sieve of Eratosthenes over memory: a byte for each number from 0 on, which is 0 where the number is prime.
using ShmIpc.Memory;

namespace ShmIpc.Examples.Pool;

internal static class Sieve
{
    /// <summary>Crosses out what is no prime among the first numbers.</summary>
    public static void CrossOutFirst(MemoryMapping table, int count) => table.Write(0, count, CrossOutFirst);

    /// <summary>Crosses out the multiples of the primes that stand at the start of the table, which are all up to the root of its length,
    /// in a strip behind them; gives the number of primes in the strip.</summary>
    public static long CrossOut(MemoryMapping table, int rootCount, Strip strip)
    {
        long count = 0;
        table.Read(0, rootCount, primes => table.Write(strip.From, (int)strip.Count, primes, (rest, primes) =>
            count = CrossOut(primes, rest, strip.From)));
        return count;
    }

    /// <summary>How many of the first numbers are prime, as the table has it.</summary>
    public static long CountPrimes(MemoryMapping table, int count) => table.Read(0, count, static numbers => numbers.Count((byte)0));

    public static bool AreSame(MemoryMapping one, MemoryMapping other, int count) => one.Read(0, count, first =>
        other.Read(0, count, first, static (second, first) => second.SequenceEqual(first)));

    private static void CrossOutFirst(scoped Span<byte> table)
    {
        table[..Math.Min(2, table.Length)].Fill(1);
        for (int prime = 2; (long)prime * prime < table.Length; prime++)
        {
            for (int multiple = prime * prime; table[prime] == 0 && multiple < table.Length; multiple += prime)
                table[multiple] = 1;
        }
    }

    private static long CrossOut(ReadOnlySpan<byte> primes, Span<byte> strip, long from)
    {
        for (int prime = 2; prime < primes.Length; prime++)
        {
            if (primes[prime] != 0)
                continue;
            long first = Math.Max((long)prime * prime, (from + prime - 1) / prime * prime);
            for (long multiple = first - from; multiple < strip.Length; multiple += prime)
                strip[(int)multiple] = 1;
        }
        return strip.Count((byte)0);
    }
}
