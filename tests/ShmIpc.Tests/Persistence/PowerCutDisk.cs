// A disk that loses power. It sees every flush, remembers what the file held at each instant, and makes images of what a power cut may
// leave: every sector as it was when it was last flushed, as it is now, or as it was at any instant between. What was flushed is never
// older than its flush.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Memory;
using ShmIpc.Regions;

namespace ShmIpc.Tests.Persistence;

internal sealed class PowerCutDisk : IRegionDisk, IDisposable
{
    private const int SectorBytes = 512;
    private static readonly int _pageBytes = Environment.SystemPageSize;
    private readonly List<byte[]> _history = [];
    private readonly int[] _durable; // by page: from which instant on a version of it may be found
    private SafeFileHandle _file;

    /// <param name="path">The region's file; what it holds now is durable.</param>
    public PowerCutDisk(string path)
    {
        _file = OpenFile(path);
        Look();
        _durable = new int[(_history[0].Length + _pageBytes - 1) / _pageBytes];
    }

    /// <summary>The power fails at the flush after so many more; it has not happened then.</summary>
    public int FlushesLeft { get; set; } = int.MaxValue;

    /// <summary>Whoever flushes is dead: nothing of it happens.</summary>
    public bool IsOff { get; set; }

    public int Flushes { get; private set; }

    /// <summary>The file as it is now.</summary>
    public byte[] Newest => _history[^1];

    /// <summary>Remembers what the file holds now: the kernel may write any page at any instant.</summary>
    public void Look()
    {
        byte[] bytes = new byte[RandomAccess.GetLength(_file)];
        RequireWhole(RandomAccess.Read(_file, bytes, 0), bytes.Length);
        _history.Add(bytes);
    }

    /// <summary>The machine goes on with a copy of the file; what is durable stays so.</summary>
    public void MoveTo(string path)
    {
        _file.Dispose();
        _file = OpenFile(path);
        Look();
    }

    public void Flush(MemoryMapping mapping, long fileOffset, long offset, long lengthBytes)
    {
        if (IsOff)
        {
            return; // what a dead process does no more
        }

        Look();
        if (FlushesLeft-- == 0)
        {
            IsOff = true;
            throw new PowerCutException();
        }

        Flushes++;
        long first = offset / _pageBytes * _pageBytes;
        for (long at = first; at < offset + lengthBytes; at += _pageBytes)
        {
            _durable[(fileOffset + (at % mapping.LengthBytes)) / _pageBytes] = _history.Count - 1;
        }
    }

    public void SyncName(RegionFile region)
    {
    }

    /// <summary>One of the images that a power cut now may leave.</summary>
    public byte[] CutPower(Random random)
    {
        byte[] image = new byte[_history[0].Length];
        int newest = _history.Count - 1;
        int mood = random.Next(4);
        for (int page = 0; page < _durable.Length; page++)
        {
            int oldest = _durable[page];
            int whole = Version(mood == 3 ? random.Next(3) : mood);
            bool isTorn = random.Next(3) == 0;
            int end = Math.Min((page + 1) * _pageBytes, image.Length);
            for (int sector = page * _pageBytes; sector < end; sector += SectorBytes)
            {
                int version = isTorn ? Version(random.Next(3)) : whole;
                _history[version].AsSpan(sector, SectorBytes).CopyTo(image.AsSpan(sector));
            }

            int Version(int choice) => choice switch
            {
                0 => oldest,
                1 => newest,
                _ => random.Next(oldest, newest + 1),
            };
        }

        return image;
    }

    public void Dispose() => _file.Dispose();

    private static SafeFileHandle OpenFile(string path) =>
        File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    private static void RequireWhole(int read, int expected)
    {
        if (read != expected)
        {
            throw new InvalidOperationException($"Read {read} of {expected} bytes of the region's file.");
        }
    }
}
