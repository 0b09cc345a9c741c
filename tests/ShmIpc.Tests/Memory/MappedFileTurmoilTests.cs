// Everything at once: callbacks that do to files what others do to them, and threads that do anything in any order. Nobody waits in a circle,
// nobody faults, what is refused is refused in the words of the documents, and nothing stays.

using ShmIpc.Memory;
using ShmIpc.Tests.Interop;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class MappedFileTurmoilTests(ITestOutputHelper output) : IDisposable
{
    private const int Rounds = 3000;

    private static readonly int _page = Environment.SystemPageSize;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);

    private readonly ScratchDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_callback_may_lengthen_dispose_and_read_anything()
    {
        using var other = MappedFile.Create(FileOf("other"), _page);
        var file = MappedFile.Create(FileOf("file"), _page);
        file.Write(0, 1, bytes => bytes[0] = 1);
        file.Read(0, 1, bytes =>
        {
            file.Resize(3 * _page);
            other.Read(0, 1, inner =>
            {
                other.Resize(2 * _page);
                file.Resize(4 * _page);
                Assert.Equal((1, 0), (file.Read(0, 1, innermost => innermost[0]), inner[0]));
            });
            Assert.Throws<InvalidOperationException>(() => file.Resize(0));
            OnAnotherThread(() => file.Resize(5 * _page)); // the callback waits for it, and holds nothing that it needs
            OnAnotherThread(file.Dispose);
            Assert.Throws<ObjectDisposedException>(() => file.Resize(_page));
            Assert.Throws<ObjectDisposedException>(() => file.Read(0, 1, _ => { }));
            Assert.Equal(1, bytes[0]);
        });
        Assert.DoesNotContain(FileOf("file"), File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
        Assert.Equal(5 * _page, new FileInfo(FileOf("file")).Length);
    }

    // Two files whose lengths have the same lock, each lengthened and shortened from callbacks of the other.
    [Fact]
    public void Files_that_share_a_lock_do_not_wait_in_a_circle()
    {
        var (first, second) = TwoThatShareALock();
        using var one = MappedFile.Open(first);
        using var two = MappedFile.Open(second);
        Concurrently.Run(4, _patience, number =>
        {
            var (mine, others) = number % 2 == 0 ? (one, two) : (two, one);
            for (var round = 0; round < 200; round++)
            {
                Try(() => mine.Read(0, 1, _ =>
                {
                    others.Read(0, 1, _ => Try(() => others.Resize((1 + round % 5) * _page)));
                    Try(() => others.Resize((1 + round % 3) * _page));
                    Try(() => mine.Resize((1 + round % 7) * _page));
                }));
                Try(mine.Refresh);
            }
        });
        Assert.Equal((new FileInfo(first).Length, new FileInfo(second).Length), (one.LengthBytes, two.LengthBytes));
    }

    [Fact]
    public void Anything_in_any_order_by_four_threads()
    {
        var seed = Environment.GetEnvironmentVariable("SHMIPC_SEED") is { } given ? int.Parse(given) : Random.Shared.Next();
        output.WriteLine($"SHMIPC_SEED={seed}");
        string[] paths = [FileOf("a"), FileOf("b")];
        MappedFile[] files = [.. paths.Select(path => MappedFile.Create(path, 8 * _page))];
        var done = 0;
        Concurrently.Run(4, _patience, number =>
        {
            var random = new Random(seed + number);
            for (var round = 0; round < Rounds; round++)
            {
                var at = random.Next(2);
                if (Try(() => Step(files, paths, at, random))) Interlocked.Increment(ref done);
            }
        });
        foreach (var file in files) file.Dispose();
        Assert.True(done > Rounds / 2, $"{done} of {4 * Rounds} steps went through");
        var maps = File.ReadAllText("/proc/self/maps");
        Assert.All(paths, path => Assert.DoesNotContain(path, maps, StringComparison.Ordinal));
        Assert.All(paths, path => Assert.Empty(OpenFiles.Of(path)));
    }

    private static void Step(MappedFile[] files, string[] paths, int at, Random random)
    {
        var file = Volatile.Read(ref files[at]);
        var offset = random.Next(8) * _page;
        switch (random.Next(15))
        {
            case 0: file.Resize(random.Next(12 * _page)); break;
            case 1: file.Resize((1 + random.Next(12)) * _page); break;
            case 2: file.Read(offset, _page, bytes => bytes.Count((byte)1)); break;
            case 3: file.Write(offset, _page, bytes => bytes.Fill(1)); break;
            case 4: file.Flush(); break;
            case 5: file.Mapping?.Protect(offset, _page, (MemoryAccess)random.Next(4)); break;
            case 6: file.Mapping?.Writable(offset, random.Next(2 * _page)).Dispose(); break;
            case 7: file.Refresh(); break;
            case 8: _ = file.Count([1]); break;
            case 9: file.Mapping?.Advise(offset, _page, MemoryAdvice.DontNeed); break;
            case 10: file.Mapping?.Lock(0, _page, onFault: true).Dispose(); break;
            case 11: file.Read(0, _page, _ => files[1 - at].Read(0, _page, _ => file.Resize(9 * _page))); break;
            case 12:
                using (var mapping = MemoryMapping.MapFile(paths[at], new() { Access = MemoryAccess.ReadOnly })) _ = mapping.Read(bytes => bytes[^1]);
                break;
            default:
                if (random.Next(10) != 0) break;
                file.Read(0, 1, bytes =>
                {
                    Interlocked.Exchange(ref files[at], MappedFile.Open(paths[at])).Dispose();
                    return bytes[0];
                });
                break;
        }
    }

    // What the documents say may be refused. Whatever else is thrown fails the test.
    private static bool Try(Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (Exception error) when (error is InvalidOperationException or ShmException or ArgumentOutOfRangeException)
        {
            return false; // ObjectDisposedException is an InvalidOperationException, too
        }
    }

    private (string First, string Second) TwoThatShareALock()
    {
        Dictionary<Lock, string> seen = [];
        for (var number = 0; number < 2000; number++)
        {
            var path = FileOf($"file{number}");
            File.WriteAllBytes(path, new byte[_page]);
            using var file = File.OpenHandle(path);
            if (!seen.TryAdd(MemoryMapping.LengthLockOf(file), path)) return (seen[MemoryMapping.LengthLockOf(file)], path);
        }

        throw new InvalidOperationException("Of 2000 files no two share one of 256 locks.");
    }

    private string FileOf(string name) => Path.Combine(_scratch.Path, name);

    private static void OnAnotherThread(Action action)
    {
        var thread = new Thread(() => action()) { IsBackground = true };
        thread.Start();
        Assert.True(thread.Join(_patience));
    }
}
