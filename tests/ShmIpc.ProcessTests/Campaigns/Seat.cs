// A place in the campaign that one child after the other fills.

using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Campaigns;

/// <param name="role">What those who are killed here count as.</param>
/// <param name="task">The task of the next child in this seat.</param>
internal sealed class Seat(string role, Func<Seat, string> task)
{
    private readonly Func<Seat, string> _task = task;

    public string Role { get; } = role;

    /// <summary>How many children have sat here.</summary>
    public int Incarnation { get; private set; }

    /// <summary>Set by whoever makes it one of a group's.</summary>
    public CampaignGroup? Group { get; init; }

    /// <summary>Number of the counter in which its child says that it has joined its group.</summary>
    public int Counter { get; init; } = -1;

    public ChildProcess? Child { get; private set; }

    public void Fill(SpareChildren spares)
    {
        ChildProcess child = spares.Take();
        Incarnation++;
        child.Send(_task(this)); // the task is made up at the last moment: it counts as started from here on
        Child = child;
    }

    /// <summary>The child, which is the caller's from here on.</summary>
    public ChildProcess Leave()
    {
        ChildProcess child = Child!;
        Child = null;
        return child;
    }
}
