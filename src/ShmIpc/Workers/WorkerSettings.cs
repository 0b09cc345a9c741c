// What the pool tells each worker beside its body, as the launcher carries it: texts by name.

using System.Globalization;

namespace ShmIpc.Workers;

internal sealed record WorkerSettings(
    bool HasJobs,
    int MaxDeliveries,
    string? JobSerializer,
    string? ResultSerializer,
    IReadOnlyList<int> Cpus,
    long? MemoryLimitBytes,
    IReadOnlyDictionary<string, string> Arguments)
{
    private const string ArgumentPrefix = "argument.";

    public static WorkerSettings Of(WorkerPoolOptions options, bool hasJobs, int worker) => new(
        hasJobs,
        options.MaxDeliveries,
        options.JobSerializer?.AssemblyQualifiedName,
        options.ResultSerializer?.AssemblyQualifiedName,
        options.Cpus is { } cpus ? cpus[worker % cpus.Count] : [],
        options.MemoryLimitBytes,
        options.Arguments);

    public static WorkerSettings Read(IReadOnlyDictionary<string, string> texts) => new(
        texts["jobs"] == "1",
        int.Parse(texts["max-deliveries"], CultureInfo.InvariantCulture),
        texts.GetValueOrDefault("job-serializer"),
        texts.GetValueOrDefault("result-serializer"),
        texts.TryGetValue("cpus", out string? cpus)
            ? [.. cpus.Split(',').Select(cpu => int.Parse(cpu, CultureInfo.InvariantCulture))]
            : [],
        texts.TryGetValue("memory-limit", out string? limit) ? long.Parse(limit, CultureInfo.InvariantCulture) : null,
        texts.Where(text => text.Key.StartsWith(ArgumentPrefix, StringComparison.Ordinal))
            .ToDictionary(text => text.Key[ArgumentPrefix.Length..], text => text.Value));

    public IReadOnlyDictionary<string, string> Write()
    {
        Dictionary<string, string> texts = new()
        {
            ["jobs"] = HasJobs ? "1" : "0",
            ["max-deliveries"] = MaxDeliveries.ToString(CultureInfo.InvariantCulture),
        };
        Add("job-serializer", JobSerializer);
        Add("result-serializer", ResultSerializer);
        Add("cpus", Cpus.Count == 0 ? null : string.Join(',', Cpus));
        Add("memory-limit", MemoryLimitBytes?.ToString(CultureInfo.InvariantCulture));
        foreach ((string name, string value) in Arguments)
        {
            texts.Add(ArgumentPrefix + name, value);
        }

        return texts;

        void Add(string name, string? value)
        {
            if (value is not null)
            {
                texts.Add(name, value);
            }
        }
    }
}
