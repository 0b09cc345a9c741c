// How much of src/ShmIpc the tests run. coverage.sh calls it twice: before the tests it rewrites the library so that it notes what is run,
// afterwards it says what was.
//
//   instrument ASSEMBLY SOURCES POINTS HITS       writes the list of points, and the empty file of hits
//   report POINTS HITS JUSTIFIED RESULT LEAST     writes the result; exit code 1 below LEAST percent

using System.Globalization;

namespace ShmIpc.Coverage;

internal static class Program
{
    private const int MaxPoints = 1 << 16; // as in Hits.cs

    public static int Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["instrument", string assembly, string sources, string points, string hits]:
                IReadOnlyList<Point> found = new Instrumenter(sources).Run(assembly);
                if (found.Count is 0 or > MaxPoints)
                {
                    throw new InvalidOperationException($"{assembly} has {found.Count} points; possible are 1 to {MaxPoints}.");
                }

                File.WriteAllLines(points, found.Select(point => point.ToString()));
                File.WriteAllBytes(hits, new byte[MaxPoints]);
                return 0;
            case ["report", string points, string hits, string justified, string result, string least]:
                Point[] all = [.. File.ReadLines(points).Select(Point.Parse)];
                Report report = new(all, File.ReadAllBytes(hits), new Justifications(justified));
                string text = report.Write();
                File.WriteAllText(result, text);
                Console.WriteLine(text);
                string percent = report.Percent.ToString("F1", CultureInfo.InvariantCulture);
                Console.WriteLine($"{percent} % of the lines of src/ShmIpc are run by tests");
                return report.Percent >= double.Parse(least, CultureInfo.InvariantCulture) ? 0 : 1;
            default:
                throw new ArgumentException("instrument ASSEMBLY SOURCES POINTS HITS, or report POINTS HITS JUSTIFIED RESULT LEAST");
        }
    }
}
