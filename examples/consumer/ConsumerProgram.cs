// The command line of the consumer, and what it starts.
using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ShmIpc.Examples.Messages;
using ShmIpc.Examples.Terminal;
using ShmIpc.Hosting;
using Spectre.Console;

namespace ShmIpc.Examples.Consumer;

internal sealed class ConsumerProgram : ExampleProgram
{
    private const string Text = "Shows what a machine does, as `producer` publishes it through shared memory: a display on a terminal, "
        + "lines elsewhere. With --replay, checks that every line of a replayed file arrives once, in order and unchanged.";

    private const string Epilogue = $"""
        Examples:
          consumer                                        the display, until Ctrl-C
          consumer --plain --count 10                     ten lines
          consumer --group screens --shared               shares the samples with every other consumer started so
          consumer --group screen                         as a second one: stands by until the first ends or is killed
          consumer --replay                               checks one replay, prints the result and ends
          consumer --replay --json result.json            the same, for a script

        Start `producer` (or `producer --replay FILE`) in another terminal, before or after; it may come and go.
        Latency is {LatencyRecorder.Meaning}.

        {ExitCode.Help}
        """;

    private readonly Option<bool> _replay = new("--replay") { Description = "Check a replay instead of showing live samples" };
    private readonly Option<TimeSpan?> _timeout = Time("--timeout",
        "Give up when nothing arrives for this long (default: 30s with --replay, else never)");
    private readonly Option<TimeSpan?> _duration = Time("--duration", "Stop after this time (default: until Ctrl-C)");
    private readonly Option<long?> _count = Number("--count", "Stop after this many samples");
    private readonly Option<long?> _top = Number("--top", "How many processes the display shows (default: 10)");
    private readonly Option<bool> _plain = new("--plain") { Description = "Lines instead of the display, even on a terminal" };
    private readonly Option<string?> _group = new("--group")
    {
        Description = "Join this group of consumers: one of them reads, the others stand by (default: none, every sample is shown)",
        HelpName = "NAME",
    };

    private readonly Option<bool> _shared = new("--shared") { Description = "The group's consumers share the samples, each goes to one" };
    private readonly Option<bool> _durable = new("--durable")
    {
        Description = "The group stays when its last consumer ends, and gets what it missed; the producer waits when the channel is full",
    };

    public ConsumerProgram()
        : base(Text, Epilogue)
    {
        Option[] live = [_duration, _count, _top, _plain, _group, _shared, _durable];
        Option[] all = [_replay, _timeout, .. live];
        foreach (Option option in all)
            Command.Add(option);
        NotWith(_replay, live);
        OnlyWith(_group, _shared, _durable);
    }

    protected override void Configure(HostApplicationBuilder builder, ParseResult parsed)
    {
        if (parsed.GetValue(_replay))
            ConfigureReplay(builder, parsed);
        else
            ConfigureTelemetry(builder, parsed);
    }

    private void ConfigureTelemetry(HostApplicationBuilder builder, ParseResult parsed)
    {
        var settings = new TelemetrySettings(
            ChannelSettings(parsed, "telemetry"),
            new GroupSettings(parsed.GetValue(_group), parsed.GetValue(_shared), parsed.GetValue(_durable)),
            parsed.GetValue(_duration),
            parsed.GetValue(_count),
            parsed.GetValue(_timeout),
            (int)Math.Min(parsed.GetValue(_top) ?? 10, int.MaxValue),
            parsed.GetValue(_plain),
            JsonPath(parsed));
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton<TelemetryInbox>();
        builder.Services.AddSingleton<ITelemetryView>(settings.Plain || Console.IsOutputRedirected
            ? new PlainView(Console.Out)
            : new DashboardView(AnsiConsole.Console, settings.Channel.Name, settings.TopProcesses));
        builder.Services.AddShmIpc(options => options.Channels[settings.Channel.Name] = settings.Channel.ToOptions())
            .AddConsumer<TelemetrySample, TelemetryInbox>(settings.Channel.Name, settings.Group.ApplyTo);
        builder.Services.AddHostedService<TelemetryScreen>();
    }

    private void ConfigureReplay(HostApplicationBuilder builder, ParseResult parsed)
    {
        builder.Services.AddSingleton(new ReplaySettings(
            ChannelSettings(parsed, "replay"),
            parsed.GetValue(_timeout) ?? TimeSpan.FromSeconds(30),
            JsonPath(parsed)));
        builder.Services.AddHostedService<ReplayReader>();
    }
}
