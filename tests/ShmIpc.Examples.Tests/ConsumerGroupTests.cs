// The consumer program in groups: what its options do, and what it says of those that mean nothing.
using System.Text.Json;
using ShmIpc.Channels;
using ShmIpc.Examples.Consumer;
using ShmIpc.Examples.Messages;
using ShmIpc.Examples.Terminal;
using Xunit;

namespace ShmIpc.Examples.Tests;

public sealed class ConsumerGroupTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(90);
    private readonly string _root = Directory.CreateTempSubdirectory("shmipc-examples-test-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task A_durable_shared_group_continues_where_the_last_consumer_stopped()
    {
        using ShmChannel<TelemetrySample> channel = Open();
        using Producer<TelemetrySample> producer = channel.CreateProducer();
        producer.Write(Sample(1), _patience, Cancellation);
        producer.Write(Sample(2), _patience, Cancellation);

        Assert.Equal(2, await RunAsync(2, "--group", "screens", "--shared", "--durable"));
        ShmGroup group = Assert.Single(channel.Groups);
        Assert.Equal(0, group.Lag);
        Assert.Equal(("screens", GroupKind.Shared, true, 0), (group.Name, group.Kind, group.IsDurable, group.Members.Count));

        producer.Write(Sample(3), _patience, Cancellation);
        Assert.Equal(1, Assert.Single(channel.Groups).Lag);
        Assert.Equal(1, await RunAsync(1, "--group", "screens", "--shared", "--durable"));
        Assert.Equal(0, Assert.Single(channel.Groups).Lag);
    }

    [Fact]
    public async Task A_group_without_further_options_is_exclusive_and_ends_with_the_consumer()
    {
        using ShmChannel<TelemetrySample> channel = Open();
        using Producer<TelemetrySample> producer = channel.CreateProducer();
        Task<long> running = RunAsync(1, "--group", "screen");
        await UntilAsync(() => channel.Groups.Any(group => group is { Name: "screen", Kind: GroupKind.Exclusive, IsDurable: false }));

        producer.Write(Sample(1), _patience, Cancellation);

        Assert.Equal(1, await running);
        Assert.Empty(channel.Groups);
    }

    [Theory]
    [InlineData("--shared")]
    [InlineData("--durable")]
    [InlineData("--replay", "--group", "screens")]
    public async Task What_means_nothing_is_refused(params string[] options) =>
        Assert.Equal(
            ExitCode.Failed, await new ConsumerProgram().RunAsync(["--root", _root, .. options]).WaitAsync(_patience, Cancellation));

    private static TelemetrySample Sample(int sequence) =>
        new()
        {
            Run = 1,
            Sequence = sequence,
            UnixMilliseconds = 0,
            SampledTimestamp = 0,
            Cores = [],
            Memory = default,
            Disks = [],
            Networks = [],
            Processes = [],
        };

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(_patience);
        while (!condition())
            await Task.Delay(5, patience.Token);
    }

    private ShmChannel<TelemetrySample> Open() =>
        ShmChannel.CreateOrOpen<TelemetrySample>("telemetry", new ShmChannelOptions { Root = _root });

    // Runs the program until it has shown that many samples; returns how many it says it has.
    private async Task<long> RunAsync(int count, params string[] options)
    {
        string json = Path.Combine(_root, "result.json");
        int exitCode = await Task.Run(() => new ConsumerProgram().RunAsync(
            ["--root", _root, "--plain", "--count", $"{count}", "--timeout", "60s", "--json", json, .. options]), Cancellation)
            .WaitAsync(_patience, Cancellation);
        Assert.Equal(ExitCode.Ok, exitCode);
        using JsonDocument result = JsonDocument.Parse(await File.ReadAllTextAsync(json, Cancellation));
        return result.RootElement.EnumerateObject().First(entry => entry.Name.Equals("samples", StringComparison.OrdinalIgnoreCase))
            .Value.GetInt64();
    }
}
