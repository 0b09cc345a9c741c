// Settings from configuration and from code, and what is said about wrong ones.

using System.Reflection;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using ShmIpc.Channels;
using ShmIpc.Waiting;

namespace ShmIpc.Hosting.Tests;

public class ConfigurationTests
{
    [Fact]
    public async Task A_host_reads_its_section_ShmIpc()
    {
        using var root = new TestRoot();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes($$"""
            { "ShmIpc": { "Root": "{{root.Path}}", "Channels": { "texts": { "LaneCapacityBytes": 65536, "MaxProducers": 2 } } } }
            """)));
        builder.Services.AddShmIpc().AddProducer("texts", TextSerializer.Instance);
        using IHost host = builder.Build();
        await host.StartAsync(TestHost.Cancellation);

        Assert.Equal(65536, host.Services.GetRequiredKeyedService<ShmChannel<string>>("texts").LaneCapacityBytes);
        Assert.True(ShmChannel.Exists("texts", root.Path));
        await TestHost.StopAsync(host);
    }

    [Fact]
    public void Every_option_of_a_channel_can_be_configured_and_reaches_the_channel()
    {
        ShmIpcOptions options = Read(
            ("Channels:texts:LaneCapacityBytes", "8192"), ("Channels:texts:MaxProducers", "3"), ("Channels:texts:MaxGroups", "5"),
            ("Channels:texts:MaxParticipants", "7"), ("Channels:texts:Root", "/a/root"), ("Channels:texts:WaitStrategy", "park"),
            ("Channels:texts:SingleWriter", "true"), ("Channels:texts:SingleReader", "true"),
            ("Channels:texts:FullMode", "dropWrite"), ("Channels:texts:EvictAfter", "00:00:05"),
            ("Channels:texts:Flush", "async"), ("Channels:texts:FlushPeriod", "00:00:00.250"), ("Channels:texts:Checksums", "true"),
            ("Channels:texts:RequiredGroups:0:Name", "workers"), ("Channels:texts:RequiredGroups:0:Kind", "shared"),
            ("Channels:texts:RequiredGroups:1:Name", "audit"));

        foreach (ShmChannelOptions texts in (ShmChannelOptions[])[options.Channels["texts"], options.For("texts")])
        {
            Assert.Equal(
                (8192L, 3, 5, 7, "/a/root", WaitStrategy.Park),
                (texts.LaneCapacityBytes, texts.MaxProducers, texts.MaxGroups, texts.MaxParticipants, texts.Root, texts.WaitStrategy));

            Assert.Equal((ShmFullMode.DropWrite, TimeSpan.FromSeconds(5)), (texts.FullMode, texts.EvictAfter));
            Assert.Equal(
                (ShmFlushMode.Async, TimeSpan.FromMilliseconds(250), true), (texts.Flush, texts.FlushPeriod, texts.Checksums));
            Assert.Equal(
                [new RequiredGroup { Name = "workers", Kind = GroupKind.Shared }, new RequiredGroup { Name = "audit" }],
                texts.RequiredGroups);

            // A new property of ShmChannelOptions must be read, copied and checked here too.
            Assert.All(typeof(ShmChannelOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance),
                property => Assert.NotEqual(property.GetValue(new ShmChannelOptions()), property.GetValue(texts)));
        }
    }

    [Fact]
    public void Every_option_of_a_consumer_can_be_configured_in_its_channel()
    {
        ShmIpcOptions options = Read(
            ("Channels:jobs:MaxGroups", "5"), ("Channels:jobs:consumer:OnHandlerError", "continue"),
            ("Channels:jobs:consumer:StopOnCompletion", "true"), ("Channels:jobs:consumer:Group", "workers"),
            ("Channels:jobs:consumer:Kind", "shared"), ("Channels:jobs:consumer:Durable", "true"),
            ("Channels:jobs:consumer:Start", "latest"));
        ShmConsumerOptions jobs = options.ConsumerOf("JOBS");

        Assert.Equal(
            new ShmConsumerOptions
            {
                OnHandlerError = HandlerErrorBehavior.Continue,
                StopOnCompletion = true,
                Group = "workers",
                Kind = GroupKind.Shared,
                Durable = true,
                Start = StartPosition.Latest,
            },
            jobs);
        Assert.Equal(5, options.For("jobs").MaxGroups);
        Assert.NotSame(options.ConsumerOf("jobs"), jobs); // each consumer changes a copy
        Assert.Equal(new ShmConsumerOptions(), options.ConsumerOf("other"));

        // A new property of ShmConsumerOptions must be read and checked here too.
        Assert.All(typeof(ShmConsumerOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance),
            property => Assert.NotEqual(property.GetValue(new ShmConsumerOptions()), property.GetValue(jobs)));
    }

    [Fact]
    public void A_channel_that_is_not_configured_has_the_defaults_and_the_common_root()
    {
        ShmIpcOptions options = Read(("Root", "/common"), ("Channels:own:Root", "/own"), ("Channels:other:MaxGroups", "5"));

        Assert.Equal("/common", options.For("unknown").Root);
        Assert.Null(options.For("unknown").LaneCapacityBytes);
        Assert.Equal("/common", options.For("other").Root);
        Assert.Equal("/own", options.For("own").Root);
    }

    [Fact]
    public void Channel_names_are_compared_as_configuration_keys_are() =>
        Assert.Equal(5, Read(("CHANNELS:TEXTS:MAXGROUPS", "5")).For("texts").MaxGroups);

    [Fact]
    public void Code_changes_what_the_configuration_says()
    {
        var services = new ServiceCollection();
        services.AddShmIpc(Section(("Root", "/configured"), ("Channels:a:MaxGroups", "5"), ("Channels:b:MaxGroups", "6")));
        services.AddShmIpc(options => options.Channels["a"] = new ShmChannelOptions { MaxGroups = 9 });
        using ServiceProvider provider = services.BuildServiceProvider();
        ShmIpcOptions options = provider.GetRequiredService<IOptions<ShmIpcOptions>>().Value;

        Assert.Equal(("/configured", 9, 6), (options.Root, options.For("a").MaxGroups, options.For("b").MaxGroups));
    }

    [Theory]
    [InlineData("Rot", "/x", "'Rot' is not known")]
    [InlineData("Channels:texts:LaneCapacity", "4096", "'Channels:texts' cannot be used")]
    [InlineData("Channels:texts:MaxProducers", "many", "'Channels:texts:MaxProducers'")]
    [InlineData("Channels:texts:WaitStrategy", "Sleep", "'Channels:texts:WaitStrategy'")]
    [InlineData("Channels:texts:FullMode", "DropNewest", "'Channels:texts:FullMode'")]
    [InlineData("Channels:texts:EvictAfter", "soon", "'Channels:texts:EvictAfter'")]
    [InlineData("Channels:texts:Flush", "Now", "'Channels:texts:Flush'")]
    [InlineData("Channels:texts:FlushPeriod", "often", "'Channels:texts:FlushPeriod'")]
    [InlineData("Channels:texts:Checksums", "maybe", "'Channels:texts:Checksums'")]
    [InlineData("Channels:texts:RequiredGroups:0:Kind", "All", "'Channels:texts:RequiredGroups:0:Kind'")]
    [InlineData("Channels:texts:Consumer:Grup", "workers", "'Channels:texts:Consumer' cannot be used")]
    [InlineData("Channels:texts:Consumer:Kind", "Common", "'Channels:texts:Consumer:Kind'")]
    [InlineData("Channels:texts:Consumer:Durable", "rather", "'Channels:texts:Consumer:Durable'")]
    public void A_key_that_is_not_known_or_cannot_be_converted_is_named(string key, string value, string expected)
    {
        InvalidOperationException refusal = Assert.Throws<InvalidOperationException>(() => Read((key, value)));
        Assert.Contains(expected, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Root", "relative/path", "Root is 'relative/path', but must be the absolute path")]
    [InlineData("Root", "", "Root is '', but must be the absolute path")]
    [InlineData("Channels:texts:Root", "here", "Channels:texts:Root is 'here'")]
    [InlineData("Channels:texts:LaneCapacityBytes", "5000", "Channels:texts:LaneCapacityBytes is 5000. LaneCapacityBytes must be a power of two")]
    [InlineData("Channels:texts:LaneCapacityBytes", "2048", "from 4096 to 536870912")]
    [InlineData("Channels:texts:LaneCapacityBytes", "1073741824", "from 4096 to 536870912")]
    [InlineData("Channels:texts:MaxProducers", "0", "Channels:texts:MaxProducers is 0. MaxProducers must be from 1 to 32")]
    [InlineData("Channels:texts:MaxProducers", "33", "from 1 to 32")]
    [InlineData("Channels:texts:MaxGroups", "65", "from 1 to 64")]
    [InlineData("Channels:texts:MaxParticipants", "1", "from 2 to 256")]
    [InlineData("Channels:texts:WaitStrategy", "9", "must be Adaptive, BusySpin or Park")]
    [InlineData("Channels:texts:FullMode", "7", "FullMode must be Wait, DropWrite or DropOldest")]
    [InlineData("Channels:texts:EvictAfter", "00:00:00", "Channels:texts:EvictAfter is 00:00:00. EvictAfter must be from 1 ms")]
    [InlineData("Channels:texts:Flush", "7", "Flush must be None, Async or Sync")]
    [InlineData("Channels:texts:FlushPeriod", "02:00:00", "FlushPeriod must be from 1 ms to 1 hour")]
    [InlineData("Channels:texts:RequiredGroups:0:Kind", "Shared", "Channels:texts cannot be used. The group's name")]
    [InlineData("Channels:texts:Consumer:Kind", "Shared", "Channels:texts:Consumer cannot be used. A durable or shared")]
    [InlineData("Channels:texts:Consumer:Kind", "9", "Channels:texts:Consumer:Kind is 9. Kind must be Exclusive or Shared")]
    [InlineData("Channels:texts:Consumer:Start", "9", "Channels:texts:Consumer:Start is 9. Start must be Earliest or Latest")]
    [InlineData("Channels:texts:Consumer:OnHandlerError", "9", "OnHandlerError must be Stop or Continue")]
    public async Task A_wrong_value_ends_the_start_of_the_host_with_its_key_and_what_is_allowed(string key, string value, string expected)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddShmIpc(Section((key, value)));
        using IHost host = builder.Build();

        OptionsValidationException refusal =
            await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestHost.Cancellation));
        Assert.Contains(expected, Assert.Single(refusal.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public void Values_that_do_not_go_together_are_reported()
    {
        OptionsValidationException refusal = Assert.Throws<OptionsValidationException>(
            () => Read(("Channels:a:Flush", "Sync"), ("Channels:a:Checksums", "false")));
        Assert.Contains("options of Channels:a cannot be used. Flush = Sync needs Checksums", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_wrong_values_are_reported_together()
    {
        OptionsValidationException refusal = Assert.Throws<OptionsValidationException>(
            () => Read(("Root", "here"), ("Channels:a:MaxGroups", "0"), ("Channels:b:MaxGroups", "99")));
        Assert.Equal(3, refusal.Failures.Count());
    }

    [Fact]
    public void What_is_accepted_here_is_accepted_by_the_channel_and_what_is_refused_here_is_refused_there()
    {
        using var root = new TestRoot();
        ShmChannelOptions[] candidates =
        [
            .. new[] { 0, 2048, 4096, 5000, 1L << 29, 1L << 30 }
                .Select(bytes => new ShmChannelOptions { LaneCapacityBytes = bytes, Root = root.Path }),
            .. new[] { 0, 1, 32, 33 }.Select(count => new ShmChannelOptions { MaxProducers = count, Root = root.Path }),
            .. new[] { 0, 1, 64, 65 }.Select(count => new ShmChannelOptions { MaxGroups = count, Root = root.Path }),
            .. new[] { 1, 2, 256, 257 }.Select(count => new ShmChannelOptions { MaxParticipants = count, Root = root.Path }),
            .. new[] { -1, 0, 2, 3 }.Select(strategy => new ShmChannelOptions { WaitStrategy = (WaitStrategy)strategy, Root = root.Path }),
        ];
        for (int i = 0; i < candidates.Length; i++)
        {
            var options = new ShmIpcOptions { Channels = { ["texts"] = candidates[i] } };
            bool isValid = new ShmIpcOptionsValidator().Validate(name: null, options).Succeeded;
            Exception? refusal = Record.Exception(
                () => ShmChannel.CreateOrOpen($"texts-{i}", TextSerializer.Instance, candidates[i]).Dispose());
            // A small /dev/shm has no room for the largest lane, which makes it no wrong value.
            bool isAccepted = refusal is null or ShmNoSpaceException;
            Assert.True(isValid == isAccepted, $"candidate {i}: validator says {isValid}, channel says {refusal?.Message ?? "yes"}");
        }
    }

    private static IConfiguration Section(params (string Key, string Value)[] settings) => new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)))
        .Build();

    private static ShmIpcOptions Read(params (string Key, string Value)[] settings)
    {
        var services = new ServiceCollection();
        services.AddShmIpc(Section(settings));
        using ServiceProvider provider = services.BuildServiceProvider();
        return provider.GetRequiredService<IOptions<ShmIpcOptions>>().Value;
    }
}
