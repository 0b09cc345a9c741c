// The table of environment faults: every test that passed adds its row, and the fragment holds the rows so far in their order.

using System.Runtime.CompilerServices;

namespace ShmIpc.ProcessTests.Harness;

internal static class EnvironmentRows
{
    private static readonly SortedDictionary<int, string> _rows = [];

    /// <summary>Call it last in a test.</summary>
    /// <param name="place">Where in the table; a test's own number.</param>
    /// <param name="fault">What is wrong with the environment.</param>
    /// <param name="outcome">What the library does then.</param>
    /// <param name="test">The calling test.</param>
    public static void Shown(int place, string fault, string outcome, [CallerMemberName] string test = "")
    {
        lock (_rows)
        {
            _rows[place] = $"| {fault} | {outcome} | `{test}` |";
            string head = "| fault | what the library does | shown by |\n|---|---|---|\n";
            Fragment.Write("environment", head + string.Join('\n', _rows.Values) + "\n");
        }
    }
}
