// Where a worker process begins, behind whatever started it.

using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;

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

    /// <summary>Plays a worker's part in a fork server.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Whoever started the pool was told.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Whoever started the pool was told.")]
    internal static void Rehearse(WorkerLaunch launch)
    {
        RuntimeHelpers.PrepareMethod(((Func<WorkerLaunch, int>)Run).Method.MethodHandle);
        WorkerSettings settings = WorkerSettings.Read(launch.Settings);
        BodyOf(launch.Body, settings.HasJobs).Rehearse(launch, settings);
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

        // A delegate, because the second time that something is made by reflection compiles code, in each worker.
        return typeof(WorkerMain).GetMethod(nameof(NewJobWorker), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(method.GetParameters()[0].ParameterType, result)
            .CreateDelegate<Func<MethodInfo, IWorkerBody>>()(method);
    }

    [RequiresDynamicCode(WorkerPool.DynamicCode)]
    [RequiresUnreferencedCode(WorkerPool.DynamicCode)]
    private static JobWorker<TJob, TResult> NewJobWorker<TJob, TResult>(MethodInfo method) => new(method);
}
