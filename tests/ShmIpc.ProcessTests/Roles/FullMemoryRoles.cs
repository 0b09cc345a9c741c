// Children in a mount namespace of their own, which mount a small tmpfs and come to its limits: in pages, in files, in what may be written.

using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Serialization;
using ShmIpc.Values;

namespace ShmIpc.ProcessTests.Roles;

internal static class FullMemoryRoles
{
    private const string Name = "x";
    private static readonly int _page = Environment.SystemPageSize;

    /// <summary>A channel of two lanes and two producers in a tmpfs of one page, of two and so on, until everything fits.</summary>
    public static void Channel(RoleArguments arguments)
    {
        string root = arguments.Text("root");
        long lane = 4 * _page;
        ShmChannelOptions options = Small(root, lane);
        Linux.MountTmpfs(root, Size(1));
        (int channels, int producers) = (0, 0);
        int pages = 0;
        while (producers < 2)
        {
            Linux.MountTmpfs(root, Size(++pages), Linux.MS_REMOUNT);
            Exception? refusal = Refusal.Of(
                root, Nothing, () => ShmByteChannel.Create(Name, options), made => producers = Producers((ShmByteChannel)made, lane));
            if (refusal is null)
            {
                channels++;
                Refusal.Require(ShmChannel.Delete(Name, root), "the channel is there to be deleted");
            }
            else
            {
                ExpectNoSpace(refusal, "mount -o remount,size=");
                Refusal.Require(channels == 0, $"{pages} pages were enough with less, and are not now");
                Linux.MountTmpfs(root, Size(200), Linux.MS_REMOUNT);
                using (ShmByteChannel made = ShmByteChannel.Create(Name, options))
                {
                    Exchange.Through(made, lane);
                }

                ShmChannel.Delete(Name, root);
            }

            Refusal.Require(Used(root) == 0, $"{Used(root)} bytes are still used in a tmpfs of {pages} pages");
        }

        RoleArguments.Say($"done {pages} {pages - channels} {channels}");

        int Producers(ShmByteChannel channel, long laneBytes)
        {
            int joined = 0;
            using ByteConsumer consumer = channel.CreateConsumer();
            List<ByteProducer> all = [];
            for (int i = 0; i < 2; i++)
            {
                Exception? refusal = null;
                for (int attempt = 0; attempt < 10; attempt++) // more often than there are participants: a refusal keeps none
                {
                    refusal = Refusal.Of(root, Nothing, channel.CreateProducer);
                    foreach (ByteProducer producer in all)
                    {
                        Exchange.Through(producer, consumer, laneBytes);
                    }
                }

                if (refusal is not null)
                {
                    ExpectNoSpace(refusal, $"{laneBytes} bytes were asked for", "--shm-size");
                    Linux.MountTmpfs(root, Size(200), Linux.MS_REMOUNT);
                    using (ByteProducer late = channel.CreateProducer())
                    {
                        Exchange.Through(late, consumer, laneBytes);
                    }

                    break;
                }

                all.Add(channel.CreateProducer());
                Exchange.Through(all[^1], consumer, laneBytes);
                joined++;
            }

            all.ForEach(producer => producer.Dispose());
            return joined;
        }
    }

    /// <summary>A shared value in a tmpfs of one page, of two and so on, until it fits.</summary>
    public static void Value(RoleArguments arguments)
    {
        string root = arguments.Text("root");
        SharedValueOptions options = new() { Root = root, MaxValueBytes = 3 * _page, MaxParticipants = 8 };
        Linux.MountTmpfs(root, Size(1));
        for (int pages = 1; ; pages++)
        {
            Linux.MountTmpfs(root, Size(pages), Linux.MS_REMOUNT);
            Exception? refusal = Refusal.Of(
                root, Nothing, () => SharedValue.Create(Name, new BytesPayload(), options), made => Use((SharedValue<byte[]>)made));
            if (refusal is null)
            {
                SharedValue.Delete(Name, root);
                Refusal.Require(Used(root) == 0, $"{Used(root)} bytes are still used");
                RoleArguments.Say($"done {pages}");
                return;
            }

            ExpectNoSpace(refusal, "MaxValueBytes");
            Refusal.Require(Used(root) == 0, $"{Used(root)} bytes are still used");
        }

        void Use(SharedValue<byte[]> value)
        {
            using SharedValueWriter<byte[]> writer = value.CreateWriter();
            for (byte round = 1; round < 10; round++)
            {
                byte[] bytes = new byte[3 * _page];
                Array.Fill(bytes, round);
                writer.Write(bytes);
                bool isRead = value.TryRead(out byte[]? read);
                Refusal.Require(isRead && read.AsSpan().SequenceEqual(bytes), "the value came out as another one");
            }
        }
    }

    /// <summary>Creates while another thread takes and gives back the room: what was free at the look may be gone at the grasp.</summary>
    public static void Race(RoleArguments arguments)
    {
        string root = arguments.Text("root");
        string aside = Path.Combine(root, "filler");
        Linux.MountTmpfs(root, Size(24));
        long lane = 4 * _page;
        (int made, int refused, bool isOver) = (0, 0, false);
        Thread filler = new(() =>
        {
            Random random = new((int)arguments.Number("seed"));
            byte[] bytes = new byte[_page];
            while (!Volatile.Read(ref isOver))
            {
                using FileStream file = new(aside, FileMode.Create, FileAccess.Write, FileShare.Delete, bufferSize: 0);
                File.Delete(aside);
                try
                {
                    for (int i = random.Next(24); i > 0; i--)
                    {
                        file.Write(bytes);
                    }
                }
                catch (IOException)
                {
                    // full
                }
            }
        });
        filler.Start();
        for (int i = 0; i < arguments.Number("rounds") || made == 0 || refused == 0; i++)
        {
            try
            {
                using ShmByteChannel channel = ShmByteChannel.Create(Name, Small(root, lane));
                Exchange.Through(channel, lane);
                made++;
            }
            catch (ShmNoSpaceException)
            {
                refused++;
            }

            ShmChannel.Delete(Name, root);
        }

        Volatile.Write(ref isOver, true);
        filler.Join();
        Refusal.Require(Used(root) == 0, $"{Used(root)} bytes are still used");
        RoleArguments.Say($"done {made} {refused}");
    }

    /// <summary>A tmpfs that is full to the last page holds up nothing for which there was room once.</summary>
    public static void Rest(RoleArguments arguments)
    {
        string root = arguments.Text("root");
        Linux.MountTmpfs(root, Size(200));
        long lane = 4 * _page;
        ShmChannelOptions options = Small(root, lane);
        using ShmByteChannel channel = ShmByteChannel.Create(Name, options);
        using ByteProducer first = channel.CreateProducer();
        channel.CreateProducer().Dispose(); // the other lane has its room from here on
        Fill(Path.Combine(root, "filler"));

        using (ShmByteChannel opened = ShmByteChannel.CreateOrOpen(Name, options))
        using (ByteConsumer consumer = opened.CreateConsumer())
        using (ByteConsumer worker = opened.CreateConsumer(new ConsumerOptions { Group = "workers", Kind = GroupKind.Shared }))
        using (ByteProducer second = opened.CreateProducer())
        {
            for (int i = 0; i < 100; i++)
            {
                first.Write([1], ChildProcess.Patience);
                second.Write([2], ChildProcess.Patience);
                int own = worker.Read(ChildProcess.Patience).Payload[0] + worker.Read(ChildProcess.Patience).Payload[0];
                int all = consumer.Read(ChildProcess.Patience).Payload[0] + consumer.Read(ChildProcess.Patience).Payload[0];
                Refusal.Require((own, all) == (3, 3), "both groups read both messages");
            }
        }

        ExpectNoSpace(Refusal.Of(root, Nothing, () => ShmByteChannel.Create("another", options))!, "0 free");
        Refusal.Require(ShmChannel.Delete(Name, root), "the channel is there to be deleted");
        RoleArguments.Say("done");
    }

    /// <summary>A tmpfs with pages enough and no files left.</summary>
    public static void Inodes(RoleArguments arguments)
    {
        string root = arguments.Text("root");
        Linux.MountTmpfs(root, "nr_inodes=2,mode=0700");
        ShmChannelOptions options = Small(root, 4 * _page);
        using ShmByteChannel channel = ShmByteChannel.Create(Name, options);
        Refusal.Expect<ShmNoSpaceException>(
            Refusal.Of(root, Nothing, () => ShmByteChannel.Create("another", options))!, root, "files", "nr_inodes", "remove");
        Exchange.Through(channel, 4 * _page);
        Linux.MountTmpfs(root, "nr_inodes=3", Linux.MS_REMOUNT);
        ShmByteChannel.Create("another", options).Dispose();
        RoleArguments.Say("done");
    }

    /// <summary>A tmpfs that is remounted read-only under a channel.</summary>
    public static void ReadOnly(RoleArguments arguments)
    {
        string root = arguments.Text("root");
        Linux.MountTmpfs(root, Size(200));
        ShmChannelOptions options = Small(root, 4 * _page);
        ShmByteChannel.Create(Name, options).Dispose();
        Linux.MountTmpfs(root, Size(200), Linux.MS_REMOUNT | Linux.MS_RDONLY);
        Refusal.Require(ShmChannel.Exists(Name, root), "asking writes nothing");
        foreach (Func<IDisposable?> operation in (Func<IDisposable?>[])
            [
                () => ShmByteChannel.Create("another", options),
                () => ShmByteChannel.Open(Name, options),
                () => ShmByteChannel.CreateOrOpen(Name, options),
                () => ShmByteChannel.CreateOrOpen("another", options),
                () => ShmByteChannel.CreateOrOpen(Name, Small(Path.Combine(root, "below"), 4 * _page)),
                () => Deleted(root),
            ])
        {
            Exception? refusal = Refusal.Of(root, Nothing, operation);
            Refusal.Require(refusal is not null, "a read-only file system is no hindrance");
            Refusal.Expect<ShmException>(refusal!, root, "EROFS", "mounted read-only", "remount it");
        }

        Linux.MountTmpfs(root, Size(200), Linux.MS_REMOUNT);
        using ShmByteChannel channel = ShmByteChannel.Open(Name, options);
        Exchange.Through(channel, 4 * _page);
        RoleArguments.Say("done");
    }

    /// <summary>The shared memory of a container (64 MB at /dev/shm), and everything by default.</summary>
    public static void Container(RoleArguments arguments)
    {
        Linux.MountTmpfs("/dev/shm", "size=64m,mode=1777");
        using ShmByteChannel channel = ShmByteChannel.CreateOrOpen("hello");
        using ByteConsumer consumer = channel.CreateConsumer();
        List<ByteProducer> producers = [];
        for (int i = 0; i < 16; i++)
        {
            producers.Add(channel.CreateProducer());
            Exchange.Through(producers[^1], consumer, 1 << 20);
        }

        ShmByteChannel.CreateOrOpen("hello-too").Dispose();
        RoleArguments.Say("done");
    }

    private static ShmChannelOptions Small(string root, long lane) =>
        new() { Root = root, LaneCapacityBytes = lane, MaxProducers = 2, MaxGroups = 2, MaxParticipants = 8 };

    private static string Size(int pages) => $"size={(long)pages * _page},mode=0700";

    private static long Used(string root)
    {
        DriveInfo drive = new(root);
        return drive.TotalSize - drive.TotalFreeSpace;
    }

    private static void Fill(string path)
    {
        using FileStream filler = new(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        byte[] page = new byte[_page];
        try
        {
            while (true)
            {
                filler.Write(page);
            }
        }
        catch (IOException)
        {
            // full
        }
    }

    private static void ExpectNoSpace(Exception refusal, params string[] parts)
    {
        Refusal.Expect<ShmNoSpaceException>(refusal, parts);
        ShmNoSpaceException refused = (ShmNoSpaceException)refusal;
        Refusal.Require(refused.AvailableBytes >= 0 && refused.RequestedBytes > refused.AvailableBytes, $"the sizes of {refused}");
    }

    private static IDisposable? Deleted(string root)
    {
        ShmChannel.Delete(Name, root);
        return null;
    }

    private static IDisposable Nothing() => new MemoryStream();
}
