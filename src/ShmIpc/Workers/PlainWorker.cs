// A worker whose body runs until it is told to stop. A body that throws ends the process, with its exception for the pool.

using System.Reflection;
using System.Runtime.CompilerServices;
using ShmIpc.Channels;
using ShmIpc.Serialization;

namespace ShmIpc.Workers;

internal sealed class PlainWorker(MethodInfo method) : IWorkerBody
{
    public int Run(WorkerLaunch launch, WorkerSettings settings, WorkerControl control)
    {
        WorkerGrants grants = WorkerGrants.Take(settings);
        using WorkerSession<byte[]> session = new(launch, settings, control, new BytesPayload());
        try
        {
            session.SendReady(grants);
            if (method.ReturnType == typeof(Task))
            {
                method.CreateDelegate<Func<WorkerContext, Task>>()(session.Context).GetAwaiter().GetResult();
            }
            else
            {
                method.CreateDelegate<Action<WorkerContext>>()(session.Context);
            }

            return 0;
        }
        catch (OperationCanceledException) when (session.Stopping.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception error)
        {
            Console.Error.WriteLine(error);
            session.SendBroken(error);
            return WorkerMain.BodyFailed;
        }
    }

    public void Rehearse(WorkerLaunch launch, WorkerSettings settings)
    {
        RuntimeHelpers.PrepareMethod(method.MethodHandle);
        using Rehearsal rehearsal = new(launch);
        using ShmChannel<Answer<byte[]>> answers = rehearsal.Answers(new AnswerPayload<byte[]>(new BytesPayload()));
        new PlainWorker(((Action<WorkerContext>)DoNothing).Method).Run(rehearsal.Launch, settings, rehearsal.Control);
    }

    private static void DoNothing(WorkerContext context)
    {
    }
}
