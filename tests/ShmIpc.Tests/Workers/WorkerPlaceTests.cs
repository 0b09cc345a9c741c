// A place of a pool, between the process that has it and what that process says.

using ShmIpc.Interop;
using ShmIpc.Workers;
using Xunit;

namespace ShmIpc.Tests.Workers;

public sealed class WorkerPlaceTests
{
    [Fact]
    public void A_worker_that_says_so_before_its_process_is_known_is_ready_when_it_is()
    {
        WorkerPlace place = new(0);
        int restarts = place.Begin();
        place.SetReady(restarts, WorkerGrants.Read([]));
        Assert.False(place.Ready.IsCompleted);
        Assert.Equal((WorkerState.Starting, null), (place.Look(isBusy: false).State, place.Look(isBusy: false).ProcessId));
        using WorkerProcess process = new(0, Environment.ProcessId, LinuxChild.TryOpen(Environment.ProcessId)!, WorkerStartMode.Spawn);
        place.SetProcess(process);
        Assert.True(place.Ready.IsCompletedSuccessfully);
        WorkerStatus status = place.Look(isBusy: false);
        Assert.Equal((WorkerState.Idle, Environment.ProcessId), (status.State, status.ProcessId));
        process.SetExited(default);
    }
}
