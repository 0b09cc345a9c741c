using ShmIpc.Channels;

namespace ShmIpc.Workers;

/// <summary>How a pool starts its workers, hands them jobs, and what it does when they die. The defaults suit most pools.</summary>
public sealed record WorkerPoolOptions
{
    internal const int MaxWorkers = 32;
    internal const int MostJobsInFlight = 4096;
    internal const int MostDeliveries = 6;
    internal const long LeastBufferBytes = 64 * 1024;
    private const int JobsInFlightPerWorker = 8;

    /// <summary>How many workers, 1 to 32. Default: one for each processor, at most 32.</summary>
    public int Workers { get; set; } = Math.Min(Environment.ProcessorCount, MaxWorkers);

    /// <summary>How workers are started. Default: <see cref="WorkerStartMode.Spawn"/>.</summary>
    public WorkerStartMode StartMode { get; set; } = WorkerStartMode.Spawn;

    /// <summary>With fork servers: runs in the server before it forks workers, to compile and to load what their body uses. A static
    /// method that leaves no thread behind, and so writes nothing to Console, which starts one. Null: nothing does.</summary>
    public Action? Preload { get; set; }

    /// <summary>How long the first workers may take until all of them are ready, and as long again a fork server before them. Default:
    /// 30 s.</summary>
    public TimeSpan StartTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a stop may take, for jobs that are under way and for workers that end; then they are killed. Default:
    /// 30 s.</summary>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Most jobs that are handed out and not answered, 1 to 4096; further ones wait. Null: 8 for each worker.</summary>
    public int? MaxJobsInFlight { get; set; }

    /// <summary>To how many workers a job goes that each of them dies with, 1 to 6; then it fails with a
    /// <see cref="WorkerJobException"/>. Default: 3.</summary>
    public int MaxDeliveries { get; set; } = 3;

    /// <summary>How long a job may run, from 10 ms: then its worker is killed and replaced, and the job fails with a
    /// <see cref="TimeoutException"/>. Null (default): for ever.</summary>
    public TimeSpan? JobTimeout { get; set; }

    /// <summary>Bytes of shared memory for jobs under way: a power of two from 64 KiB to 512 MiB. The largest job is half of it, less 24
    /// bytes. Default: 1 MiB.</summary>
    /// <remarks>A job's bytes stay there until it is answered, and those of later ones go around them: when the memory is used up, the next
    /// job waits for the oldest.</remarks>
    public long JobBufferBytes { get; set; } = 1024 * 1024;

    /// <summary>Bytes of shared memory for the results of one worker that the pool has not taken yet: a power of two from 64 KiB to 512
    /// MiB. The largest result is half of it, less 32 bytes. Default: 1 MiB.</summary>
    public long ResultBufferBytes { get; set; } = 1024 * 1024;

    /// <summary>A type with a parameterless constructor that implements <c>IPayloadSerializer&lt;TJob&gt;</c>, such as
    /// <c>typeof(BlittablePayload&lt;Tick&gt;)</c>. Null: raw bytes for <c>byte[]</c>, UTF-8 for <c>string</c>, else MessagePack.</summary>
    public Type? JobSerializer { get; set; }

    /// <summary>As <see cref="JobSerializer"/>, for results.</summary>
    public Type? ResultSerializer { get; set; }

    /// <summary>The pause before a worker is replaced that has died without having answered a job (a plain body: within ten seconds). It
    /// doubles each time in a row; who was of use is replaced at once. Default: 100 ms.</summary>
    public TimeSpan RestartDelay { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest pause before a restart. Default: 10 s.</summary>
    public TimeSpan MaxRestartDelay { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often in a row a place's processes may die without having been of use before the pool gives up, from 1; deaths with a
    /// job in hand are the job's fault and do not count. Default: 5.</summary>
    public int CrashLoopLimit { get; set; } = 5;

    /// <summary>Numbers of the processors that each worker may use: worker i gets the entry i, and from the start again when there are
    /// fewer entries. Null: all that the pool may use. What was granted says <see cref="WorkerStatus.Cpus"/>.</summary>
    public IReadOnlyList<IReadOnlyList<int>>? Cpus { get; set; }

    /// <summary>Limit of each worker's managed heap in bytes, from 16 MiB: above it the worker gets OutOfMemoryExceptions. Null: that of
    /// the machine or container. Native memory is not counted. What was granted says <see cref="WorkerStatus.MemoryLimitBytes"/>.</summary>
    public long? MemoryLimitBytes { get; set; }

    /// <summary>Texts for the body, in <see cref="WorkerContext.Arguments"/>. Default: none.</summary>
    public IReadOnlyDictionary<string, string> Arguments { get; set; } = new Dictionary<string, string>();

    /// <summary>Gets every line that a worker writes to stdout or stderr. Called for one line at a time; what it throws is
    /// ignored, and when it falls 10,000 lines behind, the oldest are lost. Null: stdout goes to stdout and stderr
    /// to stderr, behind the worker's index.</summary>
    public Action<WorkerOutput>? OnOutput { get; set; }

    /// <summary>Gets what the pool has to say: deaths, restarts, a fall-back to another start mode. Null: nobody does.</summary>
    public Action<string>? OnNotice { get; set; }

    internal int JobsInFlight => MaxJobsInFlight ?? Math.Min(Workers * JobsInFlightPerWorker, MostJobsInFlight);

    /// <summary>Checks every option against its range. Starting a pool does so too.</summary>
    /// <exception cref="ArgumentException">An option is out of range; the message holds its name and the range.</exception>
    public void Validate()
    {
        Check(nameof(Workers), Workers, 1, MaxWorkers);
        Check(nameof(MaxJobsInFlight), JobsInFlight, 1, MostJobsInFlight);
        Check(nameof(MaxDeliveries), MaxDeliveries, 1, MostDeliveries);
        Check(nameof(CrashLoopLimit), CrashLoopLimit, 1, int.MaxValue);
        CheckTime(nameof(StartTimeout), StartTimeout, TimeSpan.FromMilliseconds(1));
        CheckTime(nameof(StopTimeout), StopTimeout, TimeSpan.Zero);
        CheckTime(nameof(RestartDelay), RestartDelay, TimeSpan.Zero);
        CheckTime(nameof(MaxRestartDelay), MaxRestartDelay, RestartDelay);
        CheckTime(nameof(JobTimeout), JobTimeout ?? TimeSpan.FromDays(1), TimeSpan.FromMilliseconds(10));
        CheckBuffer(nameof(JobBufferBytes), JobBufferBytes);
        CheckBuffer(nameof(ResultBufferBytes), ResultBufferBytes);
        if (!Enum.IsDefined(StartMode))
        {
            throw new ArgumentOutOfRangeException(nameof(StartMode), StartMode, "StartMode must be Spawn, ForkServer or Fork.");
        }

        if (MemoryLimitBytes is < 16 * 1024 * 1024)
        {
            throw new ArgumentOutOfRangeException(
                nameof(MemoryLimitBytes), MemoryLimitBytes, "MemoryLimitBytes must be at least 16 MiB: no runtime lives on less.");
        }

        if (Cpus is not null && (Cpus.Count == 0 || Cpus.Any(cpus => cpus.Count == 0 || cpus.Any(cpu => cpu is < 0 or > 1023))))
        {
            throw new ArgumentException("Cpus must have at least one entry, and each at least one processor from 0 to 1023.", nameof(Cpus));
        }

        ArgumentNullException.ThrowIfNull(Arguments);

        static void Check(string option, int value, int least, int most)
        {
            if (value < least || value > most)
            {
                string range = most == int.MaxValue ? $"at least {least}" : $"from {least} to {most}";
                throw new ArgumentOutOfRangeException(option, value, $"{option} must be {range}.");
            }
        }

        static void CheckTime(string option, TimeSpan value, TimeSpan least)
        {
            if (value < least || value > TimeSpan.FromDays(24))
            {
                throw new ArgumentOutOfRangeException(option, value, $"{option} must be from {least} to 24 days.");
            }
        }

        static void CheckBuffer(string option, long value)
        {
            if (value < LeastBufferBytes || !ChannelGeometry.IsCapacity(value))
            {
                throw new ArgumentOutOfRangeException(option, value, $"{option} must be a power of two from 64 KiB to 512 MiB.");
            }
        }
    }
}
