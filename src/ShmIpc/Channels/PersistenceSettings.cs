// What a channel promises about power cuts: fixed at creation, kept in the region's settings, read back and validated once at open.

using ShmIpc.Regions;

namespace ShmIpc.Channels;

internal sealed record PersistenceSettings(ShmFlushMode Flush, int FlushPeriodMs, bool Checksums)
{
    public const int DefaultFlushPeriodMs = 100;
    public const int MaxFlushPeriodMs = 3_600_000;
    public const int FlushSetting = 2;
    public const int FlushPeriodSetting = 3;
    public const int ChecksumsSetting = 4;

    /// <summary>The settings of a channel that is created with these options.</summary>
    public static PersistenceSettings FromOptions(ShmChannelOptions options)
    {
        ShmFlushMode flush = options.Flush ?? ShmFlushMode.None;
        if (flush != ShmFlushMode.Async && options.FlushPeriod is not null)
        {
            throw new ArgumentException(
                $"FlushPeriod is the period of Flush = Async, and Flush is {flush}. Set Flush to Async, or leave FlushPeriod out.");
        }

        int periodMs = flush == ShmFlushMode.Async ? PeriodMs(options.FlushPeriod) ?? DefaultFlushPeriodMs : 0;
        return new PersistenceSettings(flush, periodMs, options.Checksums ?? flush != ShmFlushMode.None);
    }

    /// <summary>The settings that an existing region has, checked against everything that the code relies on.</summary>
    public static PersistenceSettings FromHeader(RegionHeader header)
    {
        ulong flush = header.Settings[FlushSetting];
        ulong periodMs = header.Settings[FlushPeriodSetting];
        ulong checksums = header.Settings[ChecksumsSetting];
        bool isSound = flush <= (ulong)ShmFlushMode.Sync
            && checksums <= 1 && (checksums == 1 || flush == (ulong)ShmFlushMode.None)
            && (flush == (ulong)ShmFlushMode.Async ? periodMs is >= 1 and <= MaxFlushPeriodMs : periodMs == 0);
        return isSound
            ? new PersistenceSettings((ShmFlushMode)flush, (int)periodMs, checksums == 1)
            : throw RegionHeader.Refuse(
                header.Path,
                $"its settings of persistence make no sense: flush mode {flush}, flush period {periodMs} ms, checksums {checksums}. "
                + $"Possible are modes 0 to 2, a period of 1 to {MaxFlushPeriodMs} ms in mode 1 and 0 in others, checksums 0 or 1, and 1 "
                + "in modes 1 and 2");
    }

    /// <summary>Checks the options that become these settings.</summary>
    public static void Validate(ShmChannelOptions options)
    {
        if (options.Flush is { } flush && !Enum.IsDefined(flush))
        {
            throw OutOfRange(nameof(options.Flush), flush, "Flush must be None, Async or Sync.");
        }

        if (options.FlushPeriod is { } period && PeriodMs(period) is not (>= 1 and <= MaxFlushPeriodMs))
        {
            throw OutOfRange(nameof(options.FlushPeriod), period, "FlushPeriod must be from 1 ms to 1 hour.");
        }

        if (options is { Checksums: false, Flush: ShmFlushMode.Async or ShmFlushMode.Sync })
        {
            throw new ArgumentException(
                $"Flush = {options.Flush} needs Checksums: after a power cut only they tell whole messages. Leave Checksums out.");
        }

        static ArgumentOutOfRangeException OutOfRange(string option, object value, string rule) => new(option, value, rule);
    }

    /// <summary>Writes the words for the region's header.</summary>
    public void WriteTo(Span<ulong> words)
    {
        words[FlushSetting] = (ulong)Flush;
        words[FlushPeriodSetting] = (ulong)FlushPeriodMs;
        words[ChecksumsSetting] = Checksums ? 1u : 0u;
    }

    /// <summary>Refuses an existing channel that differs from what the options ask for; what they leave open fits anything.</summary>
    public void Expect(ShmChannelOptions options, string path)
    {
        RegionHeader.ExpectOption(path, nameof(options.Flush), Flush, options.Flush);
        RegionHeader.ExpectOption(path, nameof(options.FlushPeriod) + " (ms)", FlushPeriodMs, PeriodMs(options.FlushPeriod));
        RegionHeader.ExpectOption(path, nameof(options.Checksums), Checksums, options.Checksums);
    }

    private static int? PeriodMs(TimeSpan? period) => period is { } time ? (int)Math.Clamp(time.TotalMilliseconds, 0, int.MaxValue) : null;
}
