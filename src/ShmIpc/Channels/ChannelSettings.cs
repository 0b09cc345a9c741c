// How a channel behaves, where ChannelGeometry is how it is shaped: fixed at creation, read back and validated once at open. It is kept
// in the settings words of the region's header; no other file knows which word is which.
//
//   word 0   full mode: 0 Wait, 1 DropWrite, 2 DropOldest
//   word 1   EvictAfter in milliseconds, 0 = off

using ShmIpc.Regions;

namespace ShmIpc.Channels;

internal sealed record ChannelSettings(ShmFullMode FullMode, TimeSpan? EvictAfter)
{
    public const int FullModeWord = 0;
    public const int EvictAfterWord = 1;
    public const int MaxEvictAfterMs = int.MaxValue;

    /// <summary>True when a consumer that lives may lose its group: only where producers wait for it.</summary>
    public bool IsEvicting => EvictAfter is not null && FullMode != ShmFullMode.DropOldest;

    /// <summary>The settings of a channel that is created with these options.</summary>
    public static ChannelSettings FromOptions(ShmChannelOptions options) =>
        new(options.FullMode ?? ShmFullMode.Wait, InWholeMs(options.EvictAfter));

    /// <summary>The settings that an existing region has. A value that this version does not know is refused: it would do harm.</summary>
    public static ChannelSettings FromHeader(RegionHeader header)
    {
        ulong fullMode = header.Settings[FullModeWord];
        ulong evictAfterMs = header.Settings[EvictAfterWord];
        if (fullMode > (ulong)ShmFullMode.DropOldest)
        {
            throw RegionHeader.Refuse(
                header.Path, $"its full mode is {fullMode}, and known are 0 (Wait), 1 (DropWrite) and 2 (DropOldest)");
        }

        if (evictAfterMs > MaxEvictAfterMs)
        {
            throw RegionHeader.Refuse(
                header.Path, $"its EvictAfter is {evictAfterMs} ms, and possible are 0 (off) to {MaxEvictAfterMs} ms");
        }

        return new((ShmFullMode)fullMode, evictAfterMs == 0 ? null : TimeSpan.FromMilliseconds(evictAfterMs));
    }

    /// <summary>Writes the words for the region's header.</summary>
    public void WriteTo(Span<ulong> words)
    {
        words[FullModeWord] = (ulong)FullMode;
        words[EvictAfterWord] = (ulong)(EvictAfter?.TotalMilliseconds ?? 0);
    }

    /// <summary>Refuses an existing channel that differs from what the options ask for; what they leave open fits anything.</summary>
    public void Expect(ShmChannelOptions options, string path)
    {
        RegionHeader.ExpectOption(path, nameof(options.FullMode), FullMode, options.FullMode);
        RegionHeader.ExpectOption(path, nameof(options.EvictAfter), EvictAfter ?? TimeSpan.Zero, InWholeMs(options.EvictAfter));
    }

    private static TimeSpan? InWholeMs(TimeSpan? duration) =>
        duration is { } value ? TimeSpan.FromMilliseconds(Math.Floor(value.TotalMilliseconds)) : null;
}
