// What an operation does under a fault: it works, or it refuses with an exception that the documentation names and leaves nothing behind.
// For roles; a test only hears the figures.

namespace ShmIpc.ProcessTests.Harness;

internal static class Refusal
{
    /// <summary>Runs the operation under the fault. Null: it worked, and <paramref name="use"/> has used what it returned. Else the
    /// refusal, which left nothing behind.</summary>
    /// <param name="root">The directory in which nothing may be left.</param>
    /// <param name="fault">Makes the fault; disposing it ends it.</param>
    /// <param name="operation">What is tried.</param>
    /// <param name="use">Uses what came out, when the fault is over.</param>
    public static Exception? Of(string root, Func<IDisposable> fault, Func<IDisposable?> operation, Action<IDisposable>? use = null)
    {
        string[] before = Traces(root);
        Exception? refusal = null;
        IDisposable? result = null;
        using (fault())
        {
            try
            {
                result = operation();
            }
            catch (Exception error)
            {
                refusal = error;
            }
        }

        if (refusal is null)
        {
            if (result is not null)
            {
                use?.Invoke(result);
                result.Dispose();
            }

            return null;
        }

        if (refusal is not (ShmException or UnauthorizedAccessException))
        {
            throw new InvalidOperationException("An exception that nobody documents.", refusal);
        }

        string[] after = Traces(root);
        return before.SequenceEqual(after)
            ? refusal
            : throw new InvalidOperationException(
                $"Left behind: [{string.Join(", ", after.Except(before))}], gone: [{string.Join(", ", before.Except(after))}].", refusal);
    }

    /// <summary>The refusal is of exactly this type and its message has all of the parts.</summary>
    public static void Expect<TException>(Exception refusal, params string[] parts)
        where TException : Exception
    {
        Require(refusal.GetType() == typeof(TException), $"{refusal.GetType().Name} instead of {typeof(TException).Name}: {refusal}");
        foreach (string part in parts)
        {
            Require(refusal.Message.Contains(part, StringComparison.Ordinal), $"\"{part}\" is not in the message: {refusal.Message}");
        }
    }

    public static void Require(bool condition, string what)
    {
        if (!condition)
        {
            throw new InvalidOperationException(what);
        }
    }

    /// <summary>Names in the root, and this process's descriptors, mappings and locks of what is or was in it.</summary>
    public static string[] Traces(string root)
    {
        IEnumerable<string> names = Directory.Exists(root) ? Directory.EnumerateFileSystemEntries(root) : ["(no root)"];
        IEnumerable<string> descriptors = Directory.EnumerateFileSystemEntries("/proc/self/fd")
            .Select(entry => new FileInfo(entry).LinkTarget ?? "").Where(target => target.StartsWith(root, StringComparison.Ordinal));
        IEnumerable<string> mappings = File.ReadLines("/proc/self/maps").Where(line => line.Contains(root, StringComparison.Ordinal))
            .Select(line => line.Split(' ', 2)[1]); // not where, which may change
        IEnumerable<string> locks = Directory.EnumerateFiles("/proc/self/fdinfo").SelectMany(LocksOf);
        return [.. names.Order(StringComparer.Ordinal), .. descriptors.Order(StringComparer.Ordinal), .. mappings, .. locks];
    }

    private static IEnumerable<string> LocksOf(string descriptor)
    {
        try
        {
            return File.ReadAllLines(descriptor) // the runtime takes others, of the kind FLOCK
                .Where(line => line.StartsWith("lock:", StringComparison.Ordinal) && line.Contains("OFDLCK", StringComparison.Ordinal));
        }
        catch (IOException)
        {
            return []; // the descriptor of the listing itself
        }
    }
}
