// One process that is paused in the middle of its part, and what the others see of it.

namespace ShmIpc.ProcessTests.Harness;

/// <param name="Name">For messages.</param>
/// <param name="Child">The process.</param>
/// <param name="WhilePaused">Others try to take what it holds. Called more than once during the pause.</param>
/// <param name="Afterwards">It goes on where it was; nothing is lost, nothing doubled.</param>
internal sealed record PausedPart(string Name, ChildProcess Child, Action WhilePaused, Action Afterwards)
{
    public override string ToString() => Name;
}
