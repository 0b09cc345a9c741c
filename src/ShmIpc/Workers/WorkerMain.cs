// Where a worker process begins, behind whatever started it.

using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace ShmIpc.Workers;

internal static class WorkerMain
{
    /// <summary>Exit code of a worker whose plain body threw.</summary>
    public const int BodyFailed = 70;

    /// <summary>Exit code of a worker that could not begin.</summary>
    public const int CannotBegin = 71;

    /// <summary>Runs a worker in this process, and returns its exit code.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Whoever started the pool was told.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Whoever started the pool was told.")]
    internal static int Run(WorkerLaunch launch)
    {
        WorkerControl? control = null;
        int code;
        try
        {
            control = new WorkerControl(launch.MoreRegions[0], launch.Index);
            WorkerSettings settings = WorkerSettings.Read(launch.Settings);
            code = BodyOf(launch.Body, settings.HasJobs).Run(launch, settings, control);
        }
        catch (Exception error)
        {
            Console.Error.WriteLine(error);
            code = CannotBegin;
        }

        control?.SetExitCode(code);
        return code;
    }

    [RequiresDynamicCode(WorkerPool.DynamicCode)]
    [RequiresUnreferencedCode(WorkerPool.DynamicCode)]
    private static IWorkerBody BodyOf(string body, bool hasJobs)
    {
        MethodInfo method = StaticMethod.Find(body);
        if (!hasJobs)
        {
            return new PlainWorker(method);
        }

        Type result = method.ReturnType;
        if (result.IsGenericType && result.GetGenericTypeDefinition() == typeof(Task<>))
        {
            result = result.GetGenericArguments()[0];
        }

        Type worker = typeof(JobWorker<,>).MakeGenericType(method.GetParameters()[0].ParameterType, result);
        return (IWorkerBody)Activator.CreateInstance(worker, method)!;
    }
}
