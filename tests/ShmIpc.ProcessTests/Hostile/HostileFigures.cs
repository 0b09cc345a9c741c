// What the campaigns of this run came to, as the tables of docs/failure-model.md. Tests run one after the other; each adds its lines.

using System.Globalization;
using System.Text;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Hostile;

internal static class HostileFigures
{
    private static readonly TimeSpan _patience = TimeSpan.FromHours(2);
    private static readonly List<string> _scribbling = [];
    private static readonly List<string> _files = [];

    /// <summary>What a child says at the end of its campaign; where it did not get there, at which case it was.</summary>
    public static string[] Await(ChildProcess child, Func<string> where)
    {
        try
        {
            string[] said = child.Expect("done", _patience);
            child.ExpectEnd();
            return said;
        }
        catch (InvalidOperationException error)
        {
            throw new InvalidOperationException($"{where()}: {error.Message}", error);
        }
    }

    /// <param name="campaign">Quick rounds, or living beside a scribbler.</param>
    /// <param name="kind">Of region.</param>
    /// <param name="seed">What repeats it.</param>
    /// <param name="extent">Rounds, or seconds.</param>
    /// <param name="words">Words that were overwritten.</param>
    /// <param name="outcomes">As a child says them: done, and exceptions.</param>
    public static void AddScribbling(string campaign, string kind, int seed, string extent, long words, IEnumerable<string> outcomes)
    {
        Dictionary<string, long> counts = Parse(outcomes);
        _scribbling.Add(string.Create(CultureInfo.InvariantCulture,
            $"| {campaign} | {kind} | {seed} | {extent} | {words:N0} | {Done(counts):N0} | {Exceptions(counts)} |"));
        Write();
    }

    /// <param name="campaign">Which files.</param>
    /// <param name="seed">What repeats it.</param>
    /// <param name="way">How they were made.</param>
    /// <param name="cases">How many.</param>
    /// <param name="opened">How many of them could be opened, and were used.</param>
    public static void AddFiles(string campaign, int seed, string way, long cases, long opened)
    {
        _files.Add(string.Create(CultureInfo.InvariantCulture,
            $"| {campaign} | {way} | {seed} | {cases:N0} | {opened:N0} | {cases - opened:N0} |"));
        Write();
    }

    /// <summary>The exceptions of a campaign on files.</summary>
    public static void AddFilesTotal(string campaign, int seed, long cases, IEnumerable<string> outcomes)
    {
        Dictionary<string, long> counts = Parse(outcomes);
        _files.Add(string.Create(CultureInfo.InvariantCulture,
            $"| {campaign} | **all** | {seed} | {cases:N0} | | {Done(counts):N0} operations succeeded; {Exceptions(counts)} |"));
        Write();
    }

    private static string Exceptions(Dictionary<string, long> counts) => string.Join(", ", counts
        .Where(pair => pair.Key != Outcomes.Done)
        .Select(pair => string.Create(CultureInfo.InvariantCulture, $"{Short(pair.Key)} {pair.Value:N0}")));

    private static long Done(Dictionary<string, long> counts) => counts.GetValueOrDefault(Outcomes.Done);

    private static string Short(string type) => type.Replace("Exception", "", StringComparison.Ordinal);

    private static Dictionary<string, long> Parse(IEnumerable<string> outcomes)
    {
        Dictionary<string, long> counts = [];
        foreach (string[] pair in outcomes.Select(outcome => outcome.Split('=')))
        {
            counts[pair[0]] = counts.GetValueOrDefault(pair[0]) + long.Parse(pair[1], CultureInfo.InvariantCulture);
        }

        return counts;
    }

    private static void Write()
    {
        StringBuilder text = new();
        if (_scribbling.Count > 0)
        {
            text.AppendLine("| hostile peer | region | seed | extent | words overwritten | operations done | documented exceptions |");
            text.AppendLine("|---|---|---|---|---|---|---|");
            _scribbling.ForEach(line => text.AppendLine(line));
            text.AppendLine();
        }

        if (_files.Count > 0)
        {
            text.AppendLine("| malformed files | made by | seed | cases | opened and used | refused |");
            text.AppendLine("|---|---|---|---|---|---|");
            _files.ForEach(line => text.AppendLine(line));
        }

        Fragment.Write("hostile", text.ToString());
    }
}
