// The command line of the producer, and what it starts.
using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ShmIpc.Examples.Messages;
using ShmIpc.Examples.Terminal;
using ShmIpc.Hosting;

namespace ShmIpc.Examples.Producer;

internal sealed class ProducerProgram : ExampleProgram
{
    private const string Text = "Publishes what this machine does (processor, memory, disks, network, processes) through shared memory. "
        + "With --replay, publishes every line of a file instead, as fast as it can.";

    private const string Epilogue = $"""
        Examples:
          producer --interval 500ms                       this machine, twice a second, until Ctrl-C
          producer --replay /var/log/syslog               a file, once
          producer --replay big.log --lines 10000000      ten million lines, the file over and over
          producer --replay big.log --rate 5000           5000 lines a second, evenly

        Start `consumer` (or `consumer --replay`) in another terminal, before or after.

        {ExitCode.Help}
        """;

    private readonly Option<TimeSpan?> _interval = Time("--interval", "Time between two samples (default: 1s)");
    private readonly Option<TimeSpan?> _duration = Time("--duration",
        "Stop after this time (default: until Ctrl-C, or the end of the replay)");
    private readonly Option<long?> _count = Number("--count", "Stop after this many samples");
    private readonly Option<long?> _processes = Number("--processes", "The most processes in a sample, busiest first (default: 500)");
    private readonly Option<string?> _replay = new("--replay") { Description = "Send the lines of this file", HelpName = "FILE" };
    private readonly Option<long?> _repeat = Number("--repeat", "Send the file this often (default: 1)");
    private readonly Option<long?> _lines = Number("--lines", "Send this many lines, starting over at the end of the file");
    private readonly Option<long?> _rate = Number("--rate", "Send this many lines a second (default: as many as go)");
    private readonly Option<TimeSpan?> _wait = Time("--wait-for-consumer",
        "How long a replay waits for a consumer to be there (default: 30s)");

    public ProducerProgram()
        : base(Text, Epilogue)
    {
        Option[] live = [_interval, _count, _processes];
        Option[] replay = [_repeat, _lines, _rate, _wait];
        Option[] all = [.. live[..2], _duration, _processes, _replay, .. replay];
        foreach (Option option in all)
            Command.Add(option);
        OnlyWith(_replay, replay);
        NotWith(_replay, live);
        NotWith(_lines, [_repeat]);
    }

    protected override void Configure(HostApplicationBuilder builder, ParseResult parsed)
    {
        if (parsed.GetValue(_replay) is string file)
            ConfigureReplay(builder, parsed, file);
        else
            ConfigureTelemetry(builder, parsed);
    }

    private void ConfigureTelemetry(HostApplicationBuilder builder, ParseResult parsed)
    {
        var settings = new TelemetrySettings(
            ChannelSettings(parsed, "telemetry"),
            parsed.GetValue(_interval) ?? TimeSpan.FromSeconds(1),
            parsed.GetValue(_duration),
            parsed.GetValue(_count),
            (int)Math.Min(parsed.GetValue(_processes) ?? 500, int.MaxValue),
            JsonPath(parsed));
        builder.Services.AddSingleton(settings);
        builder.Services.AddShmIpc(options => options.Channels[settings.Channel.Name] = settings.Channel.ToOptions())
            .AddProducer<TelemetrySample>(settings.Channel.Name);
        builder.Services.AddHostedService<TelemetryPublisher>();
    }

    private void ConfigureReplay(HostApplicationBuilder builder, ParseResult parsed, string file)
    {
        builder.Services.AddSingleton(new ReplaySettings(
            ChannelSettings(parsed, "replay"),
            file,
            parsed.GetValue(_repeat) ?? 1,
            parsed.GetValue(_lines),
            parsed.GetValue(_rate),
            parsed.GetValue(_duration),
            parsed.GetValue(_wait) ?? TimeSpan.FromSeconds(30),
            JsonPath(parsed)));
        builder.Services.AddHostedService<ReplayPublisher>();
    }
}
