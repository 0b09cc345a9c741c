using System.Globalization;

namespace ShmIpc.CrashTests;

/// <summary>What a death left.</summary>
/// <param name="Step">Before which step it came, from 1; 0 behind the last.</param>
/// <param name="Place">That step's name; the number of steps for a death behind the last.</param>
/// <param name="Outcome">What others found.</param>
internal sealed record Finding(int Step, string Place, string Outcome)
{
    public int Steps => int.Parse(Place, CultureInfo.InvariantCulture);
}
