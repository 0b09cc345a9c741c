// Reads what the workers of a pool say, and completes the jobs that are answered. Whoever learns of a worker's death reads too, so that
// nothing that it said before is overlooked: one lock lets one reader in at a time.

using ShmIpc.Channels;

namespace ShmIpc.Workers;

internal sealed class AnswerReader<TResult>(Consumer<Answer<TResult>> consumer, PoolSupervisor supervisor, JobLedger? jobs)
{
    private readonly Lock _lock = new();

    public async Task RunAsync(CancellationToken ending)
    {
        try
        {
            while (await consumer.WaitToReadAsync(ending).ConfigureAwait(false))
            {
                ReadAll();
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // the pool has ended
        }
        catch (Exception error)
        {
            supervisor.Fault($"The pool cannot read its workers' answers: {error.Message}", error);
        }
    }

    public void ReadAll()
    {
        lock (_lock)
        {
            while (TryReadOne())
            {
            }
        }
    }

    // An answer that cannot be read does not say whose it is. Its job would wait for ever, so the pool gives up: every job is answered.
    private bool TryReadOne()
    {
        if (!consumer.TryReceive(out Delivery<Answer<TResult>> delivery))
        {
            return false;
        }

        delivery.Acknowledge();
        Handle(delivery.Message);
        return true;
    }

    private void Handle(Answer<TResult> answer)
    {
        if (answer.Worker >= supervisor.Places.Length)
        {
            throw new InvalidDataException($"There is an answer of a worker {answer.Worker}, which this pool does not have.");
        }

        WorkerPlace place = supervisor.Places[answer.Worker];
        switch (answer.Kind)
        {
            case AnswerKind.Ready:
                place.SetReady(answer.Restarts, WorkerGrants.Read(answer.Texts));
                break;
            case AnswerKind.Broken:
                place.SetCause($"{TextOf(answer, 0)}: {TextOf(answer, 1)}");
                break;
            default:
                place.CountJob();
                if (jobs?.TryTake(answer.Job, isAbandoned: false, out PendingJob? job) == true)
                {
                    Complete((PendingJob<TResult>)job, answer);
                }

                break;
        }
    }

    private static void Complete(PendingJob<TResult> job, Answer<TResult> answer)
    {
        if (answer.Kind == AnswerKind.Result)
        {
            job.Complete(answer.Value!);
        }
        else if (answer.Kind == AnswerKind.Cancelled)
        {
            job.Cancel(new CancellationToken(canceled: true));
        }
        else
        {
            job.Fail(new WorkerJobException(
                $"The job failed in worker {answer.Worker}: {TextOf(answer, 0)}: {TextOf(answer, 1)}")
            {
                RemoteTypeName = TextOf(answer, 0),
                RemoteMessage = TextOf(answer, 1),
                RemoteStackTrace = TextOf(answer, 2),
                Deaths = job.Deaths,
            });
        }
    }

    private static string TextOf(Answer<TResult> answer, int number) => answer.Texts.ElementAtOrDefault(number) ?? "";
}
