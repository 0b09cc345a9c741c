// Children that start up ahead of their task: starting the runtime costs more than the whole life of many of them. A spare says
// "ready" and then takes one line, its task (Roles/ActorRole.cs).

namespace ShmIpc.ProcessTests.Harness;

internal sealed class SpareChildren(int ahead) : IDisposable
{
    private readonly int _ahead = ahead;
    private readonly Queue<ChildProcess> _spares = [];

    /// <summary>A child that is told its task now. It belongs to the caller.</summary>
    public ChildProcess Take(string task)
    {
        ChildProcess child = Take();
        child.Send(task);
        return child;
    }

    /// <summary>A child that waits for its task. It belongs to the caller.</summary>
    public ChildProcess Take()
    {
        while (_spares.Count <= _ahead)
        {
            // Most of what they compile runs for a few seconds at most.
            _spares.Enqueue(ChildProcess.Start("actor", ("DOTNET_TieredPGO", 0), ("DOTNET_gcConcurrent", 0)));
        }

        return _spares.Dequeue().BeReady();
    }

    public void Dispose()
    {
        while (_spares.TryDequeue(out ChildProcess? child))
        {
            child.Dispose();
        }
    }
}
