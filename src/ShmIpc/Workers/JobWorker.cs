// A worker that takes jobs, one after the other. A job is acknowledged behind its answer: whoever dies in between leaves it to another
// worker, which finds that nobody waits for it any more, or does it again, and then the second answer is one too many for the pool.

using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using ShmIpc.Channels;
using ShmIpc.Serialization;

namespace ShmIpc.Workers;

[RequiresDynamicCode(WorkerPool.DynamicCode)]
[RequiresUnreferencedCode(WorkerPool.DynamicCode)]
internal sealed class JobWorker<TJob, TResult> : IWorkerBody
{
    private static readonly TimeSpan _rehearsedWait = TimeSpan.FromMilliseconds(5);

    private readonly MethodInfo? _method; // null in a rehearsal
    private readonly Func<TJob, WorkerContext, TResult> _body;

    public JobWorker(MethodInfo method)
    {
        _method = method;
        if (method.ReturnType == typeof(Task<TResult>))
        {
            Func<TJob, WorkerContext, Task<TResult>> body = method.CreateDelegate<Func<TJob, WorkerContext, Task<TResult>>>();
            _body = (job, context) => body(job, context).GetAwaiter().GetResult();
        }
        else
        {
            _body = method.CreateDelegate<Func<TJob, WorkerContext, TResult>>();
        }
    }

    private JobWorker(Func<TJob, WorkerContext, TResult> body) => _body = body;

    public int Run(WorkerLaunch launch, WorkerSettings settings, WorkerControl control)
    {
        WorkerGrants grants = WorkerGrants.Take(settings);
        (IPayloadSerializer<TJob> jobs, IPayloadSerializer<TResult> results) = Serializers(settings);
        using WorkerSession<TResult> session = new(launch, settings, control, results);
        using ShmChannel<JobEnvelope<TJob>> channel = ShmChannel.Open(
            PoolChannels.JobsName, new JobPayload<TJob>(jobs, control.TryBegin), PoolChannels.Existing(launch.MoreRegions[1]));
        using Consumer<JobEnvelope<TJob>> consumer = channel.CreateConsumer(PoolChannels.Member());
        session.SendReady(grants);
        while (!session.Stopping.IsCancellationRequested)
        {
            control.BeginTaking();
            if (consumer.TryReceive(out Delivery<JobEnvelope<TJob>> delivery))
            {
                JobEnvelope<TJob> job = delivery.Message;
                if (job.IsWanted && (delivery.DeliveryCount <= settings.MaxDeliveries || control.TryBeginLater(job.Number)))
                {
                    session.Send(Work(session, delivery));
                }

                delivery.Acknowledge();
                session.End();
                if (launch.IsRehearsal)
                {
                    _ = consumer.WaitToRead(_rehearsedWait, session.Stopping);
                    control.StopSelf();
                }
            }
            else
            {
                control.End();
                if (!Wait(consumer, session.Stopping))
                {
                    break;
                }
            }
        }

        return 0;
    }

    /// <summary>One job of no content goes through, where the serializers are this library's; others may do whatever they like, and are
    /// only made.</summary>
    public void Rehearse(WorkerLaunch launch, WorkerSettings settings)
    {
        RuntimeHelpers.PrepareMethod(_method!.MethodHandle);
        (IPayloadSerializer<TJob> jobs, IPayloadSerializer<TResult> results) = Serializers(settings);
        using Rehearsal rehearsal = new(launch);
        using ShmChannel<Answer<TResult>> answers = rehearsal.Answers(new AnswerPayload<TResult>(results));
        using ShmChannel<JobEnvelope<TJob>> channel = rehearsal.Jobs(new JobPayload<TJob>(jobs));
        using Producer<JobEnvelope<TJob>> producer = channel.CreateProducer();
        if (IsOurs(jobs) && IsOurs(results))
        {
            producer.Write(new JobEnvelope<TJob>(rehearsal.Begin(), PayloadChoice.NoContent<TJob>()));
        }
        else
        {
            rehearsal.Control.StopSelf();
        }

        new JobWorker<TJob, TResult>((_, _) => PayloadChoice.NoContent<TResult>()).Run(rehearsal.Launch, settings, rehearsal.Control);
    }

    private static (IPayloadSerializer<TJob> Jobs, IPayloadSerializer<TResult> Results) Serializers(WorkerSettings settings) => (
        PayloadChoice.Of<TJob>(TypeNamed(settings.JobSerializer), nameof(WorkerPoolOptions.JobSerializer)),
        PayloadChoice.Of<TResult>(TypeNamed(settings.ResultSerializer), nameof(WorkerPoolOptions.ResultSerializer)));

    private static bool IsOurs(object serializer) => serializer.GetType().Assembly == typeof(Rehearsal).Assembly;

    private Answer<TResult> Work(WorkerSession<TResult> session, Delivery<JobEnvelope<TJob>> delivery)
    {
        ulong number = delivery.Message.Number;
        if (delivery.Message.Error is { } unreadable)
        {
            return session.Failure(number, unreadable);
        }

        RunningJob running = session.Begin(number);
        try
        {
            WorkerContext context = session.Context.ForJob(delivery.DeliveryCount, running.Cancellation);
            return session.NewAnswer(AnswerKind.Result, number, _body(delivery.Message.Job!, context));
        }
        catch (OperationCanceledException) when (running.Cancellation.IsCancellationRequested)
        {
            return session.NewAnswer(AnswerKind.Cancelled, number);
        }
        catch (Exception error)
        {
            return session.Failure(number, error);
        }
    }

    private static bool Wait(Consumer<JobEnvelope<TJob>> consumer, CancellationToken stopping)
    {
        try
        {
            return consumer.WaitToRead(Timeout.InfiniteTimeSpan, stopping);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static Type? TypeNamed(string? name) => name is null ? null : Type.GetType(name, throwOnError: true);
}
