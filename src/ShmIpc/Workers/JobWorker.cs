// A worker that takes jobs, one after the other. A job is acknowledged behind its answer: whoever dies in between leaves it to another
// worker, which finds that nobody waits for it any more, or does it again, and then the second answer is one too many for the pool.

using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using ShmIpc.Channels;
using ShmIpc.Serialization;

namespace ShmIpc.Workers;

[RequiresDynamicCode(WorkerPool.DynamicCode)]
[RequiresUnreferencedCode(WorkerPool.DynamicCode)]
internal sealed class JobWorker<TJob, TResult> : IWorkerBody
{
    private readonly Func<TJob, WorkerContext, TResult> _body;

    public JobWorker(MethodInfo method)
    {
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

    public int Run(WorkerLaunch launch, WorkerSettings settings, WorkerControl control)
    {
        WorkerGrants grants = WorkerGrants.Take(settings);
        IPayloadSerializer<TResult> results =
            PayloadChoice.Of<TResult>(TypeNamed(settings.ResultSerializer), nameof(WorkerPoolOptions.ResultSerializer));
        IPayloadSerializer<TJob> jobs = PayloadChoice.Of<TJob>(TypeNamed(settings.JobSerializer), nameof(WorkerPoolOptions.JobSerializer));
        using WorkerSession<TResult> session = new(launch, settings, control, results);
        using ShmChannel<JobEnvelope<TJob>> channel = ShmChannel.Open(
            PoolChannels.JobsName, new JobPayload<TJob>(jobs, control.TryBegin), PoolChannels.Existing(launch.MoreRegions[1]));
        using Consumer<JobEnvelope<TJob>> consumer = channel.CreateConsumer(PoolChannels.Member());
        session.SendReady(grants);
        while (!session.Stopping.IsCancellationRequested)
        {
            if (consumer.TryReceive(out Delivery<JobEnvelope<TJob>> delivery))
            {
                JobEnvelope<TJob> job = delivery.Message;
                if (job.IsWanted && (delivery.DeliveryCount <= settings.MaxDeliveries || control.TryBeginLater(job.Number)))
                {
                    session.Send(Work(session, delivery));
                }

                delivery.Acknowledge();
                session.End();
            }
            else if (!Wait(consumer, session.Stopping))
            {
                break;
            }
        }

        return 0;
    }

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
