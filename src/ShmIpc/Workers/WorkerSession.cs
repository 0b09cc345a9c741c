// What every worker has, whatever its body: the way back to the pool, and a thread that listens for what the pool wants of it.
//
// The thread sleeps on the bell of the worker's place (PoolControlLayout). When the pool rings it looks: told to stop? does anybody still
// wait for the job in hand? It looks without a ring too, now and then, so that a pool that dies between store and ring is no loss.

using System.Runtime.InteropServices;
using ShmIpc.Channels;
using ShmIpc.Interop;
using ShmIpc.Memory;
using ShmIpc.Serialization;

namespace ShmIpc.Workers;

internal sealed class WorkerSession<TResult> : IDisposable
{
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(500);

    private readonly CancellationTokenSource _stopping = new();
    private readonly PosixSignalRegistration[] _signals;
    private readonly ShmChannel<Answer<TResult>> _channel;
    private readonly Producer<Answer<TResult>> _answers;
    private readonly WorkerLaunch _launch;
    private readonly Thread _listener;
    private RunningJob? _running;
    private bool _isOver;

    public WorkerSession(WorkerLaunch launch, WorkerSettings settings, WorkerControl control, IPayloadSerializer<TResult> results)
    {
        _launch = launch;
        Control = control;
        _channel = ShmChannel.Open(
            PoolChannels.AnswersName, new AnswerPayload<TResult>(results), PoolChannels.Existing(launch.Region!));
        _answers = _channel.CreateProducer(TimeSpan.FromSeconds(10)); // the predecessor's lane may not be free yet
        Context = new WorkerContext(launch.Index, launch.Incarnation, settings.Arguments, _stopping.Token);
        _signals = launch.IsRehearsal ? [] :
        [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => { context.Cancel = true; Control.StopSelf(); }),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true), // Ctrl+C is the pool's to answer
        ];
        _listener = BackgroundThread.Start(Listen, "ShmIpc worker");
    }

    public WorkerControl Control { get; }

    public WorkerContext Context { get; }

    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Says that the worker is ready, and with what.</summary>
    public void SendReady(WorkerGrants grants) => _answers.Write(NewAnswer(AnswerKind.Ready, 0, texts: grants.Write()));

    /// <summary>Says that the worker cannot go on.</summary>
    public void SendBroken(Exception error) => _answers.Write(NewAnswer(AnswerKind.Broken, 0, texts: TextsOf(error)));

    /// <summary>Answers a job. A result that cannot be written becomes a failure that says so.</summary>
    public void Send(Answer<TResult> answer)
    {
        try
        {
            _answers.Write(answer);
        }
        catch (ShmMessageTooLargeException error)
        {
            _answers.Write(Failure(answer.Job, new InvalidOperationException(
                $"The result is too large: {error.Message} For a pool that is ResultBufferBytes.", error)));
        }
        catch (Exception error)
        {
            _answers.Write(Failure(answer.Job, error)); // the serializer refused, with whatever it likes; else this fails as well
        }
    }

    public Answer<TResult> NewAnswer(AnswerKind kind, ulong job, TResult? value = default, IReadOnlyList<string>? texts = null) =>
        new(kind, _launch.Index, _launch.Incarnation, job, value, texts ?? []);

    public Answer<TResult> Failure(ulong job, Exception error) => NewAnswer(AnswerKind.Failed, job, texts: TextsOf(error));

    /// <summary>From here on the job is cancelled when nobody waits for it any more.</summary>
    public RunningJob Begin(ulong job)
    {
        RunningJob running = new(job);
        Atomics.Exchange(ref _running, running); // SYNC: running job or abandoned job
        if (!Control.IsUnderWay(job))
        {
            running.Cancel();
        }

        return running;
    }

    /// <summary>The job in hand is answered.</summary>
    public void End()
    {
        Atomics.Release(ref _running, null);
        Control.End();
    }

    /// <summary>The signals stay as they are: one that comes late is to find the same answer.</summary>
    public void Dispose()
    {
        Atomics.Release(ref _isOver, true);
        Control.Ring();
        _listener.Join();
        _answers.Dispose();
        _channel.Dispose();
    }

    private void Listen()
    {
        while (true)
        {
            uint bell = Control.Bell;
            if (Atomics.Acquire(ref _isOver))
            {
                return;
            }

            if (Control.IsStopped && !_stopping.IsCancellationRequested)
            {
                Cancel();
            }

            if (Atomics.Acquire(ref _running) is { } running && !Control.IsUnderWay(running.Number))
            {
                running.Cancel();
            }

            Control.Sleep(bell, _look);
        }
    }

    // What a body has registered runs on another thread; in a fork server there is no body, and may be no thread pool.
    private void Cancel()
    {
        if (_launch.IsRehearsal)
        {
            _stopping.Cancel();
        }
        else
        {
            _ = _stopping.CancelAsync();
        }
    }

    // A program's own exception may be one that cannot be written either.
    private static string[] TextsOf(Exception error)
    {
        string type = error.GetType().FullName ?? error.GetType().Name;
        try
        {
            return [type, error.Message, $"{error}"];
        }
        catch (Exception second)
        {
            return [type, $"(its message cannot be had: {second.GetType()})", error.StackTrace ?? ""];
        }
    }
}
