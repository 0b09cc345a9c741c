// A pool of one place, for a worker's part that a fork server plays before it forks (IWorkerBody.Rehearse). Its memory is its own, so that
// nobody in the real pool notices, and at its end nothing of it is left: no participant, no descriptor, no mapping.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Channels;
using ShmIpc.Regions;
using ShmIpc.Serialization;

namespace ShmIpc.Workers;

internal sealed class Rehearsal : IDisposable
{
    private static readonly WorkerPoolOptions _options = new()
    {
        Workers = 1,
        JobBufferBytes = WorkerPoolOptions.LeastBufferBytes,
        ResultBufferBytes = WorkerPoolOptions.LeastBufferBytes,
    };

    private readonly SafeFileHandle _answers = RegionFile.NewMemory(PoolChannels.AnswersName);
    private readonly SafeFileHandle _words = RegionFile.NewMemory(PoolChannels.ControlName);
    private readonly SafeFileHandle _jobs = RegionFile.NewMemory(PoolChannels.JobsName);
    private readonly PoolControl _pool;

    public Rehearsal(WorkerLaunch launch)
    {
        _pool = new PoolControl(_words);
        Control = new WorkerControl(_words, worker: 0);
        Launch = launch with { Region = _answers, MoreRegions = [_words, _jobs], IsRehearsal = true };
    }

    /// <summary>What the worker is told.</summary>
    public WorkerLaunch Launch { get; }

    public WorkerControl Control { get; }

    public ShmChannel<T> Answers<T>(IPayloadSerializer<T> payload) =>
        ShmChannel.Create(PoolChannels.AnswersName, payload, PoolChannels.Answers(_answers, _options));

    public ShmChannel<T> Jobs<T>(IPayloadSerializer<T> payload) =>
        ShmChannel.Create(PoolChannels.JobsName, payload, PoolChannels.Jobs(_jobs, _options));

    /// <summary>Somebody waits for a job; returns its number.</summary>
    public ulong Begin()
    {
        ulong job = PoolControlLayout.JobNumber(1, 0);
        _pool.Begin(job);
        return job;
    }

    public void Dispose()
    {
        Control.Dispose();
        _pool.Dispose();
        _answers.Dispose();
        _words.Dispose();
        _jobs.Dispose();
    }
}
