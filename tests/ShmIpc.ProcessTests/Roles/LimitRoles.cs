// Children that lower their own limits (descriptors, address space, file size, locked memory, threads) step by step.

using System.Reflection;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Serialization;
using ShmIpc.Values;

namespace ShmIpc.ProcessTests.Roles;

internal static class LimitRoles
{
    private const string Name = "x";
    private const int Steps = 100;
    private static readonly int _page = Environment.SystemPageSize;

    /// <summary>Every operation with no descriptor left, with one, with two and so on, until it works.</summary>
    public static void Descriptors(RoleArguments arguments)
    {
        string root = arguments.Text("root");
        ShmChannelOptions options = new() { Root = root, LaneCapacityBytes = 4 * _page, MaxProducers = 4, MaxParticipants = 16 };
        SharedValueOptions valueOptions = new() { Root = root };
        LoadAssemblies(); // loading them takes descriptors, too
        _ = ShmChannel.Exists(Name, root);
        List<string> needed = [];

        // First in a process that has created nothing: what is looked up only once has to be looked up again after a failure.
        ByteProducer? producer = null;
        ByteConsumer? consumer = null;
        Enumerate("create", () => ShmByteChannel.Create(Name, options), () => ShmChannel.Delete(Name, root));
        using ShmByteChannel channel = ShmByteChannel.Create(Name, options);
        using ByteConsumer reading = consumer = channel.CreateConsumer();
        using ByteProducer writing = producer = channel.CreateProducer();
        Enumerate("open", () => ShmByteChannel.Open(Name, options));
        Enumerate("create-or-open", () => ShmByteChannel.CreateOrOpen(Name, options));
        Enumerate("create-or-open-new", () => ShmByteChannel.CreateOrOpen("new", options), () => ShmChannel.Delete("new", root));
        Enumerate("producer", channel.CreateProducer);
        Enumerate("consumer", () => channel.CreateConsumer());
        Enumerate("worker", () => channel.CreateConsumer(new ConsumerOptions { Group = "workers", Kind = GroupKind.Shared }));
        Enumerate("observer", () => channel.CreateObserver(StartPosition.Latest));
        Enumerate("groups", () => Ignore(channel.Groups));
        Enumerate("await", () => new Pending(reading), before: () => reading.TryRead(out _), use: Await); // maps the lanes first
        Enumerate("wait-any", WaitAny);
        Enumerate("exists", () => Ignore(ShmChannel.Exists(Name, root)));
        Enumerate("value", () => SharedValue.CreateOrOpen("value", new BytesPayload(), valueOptions));
        using (SharedValue<byte[]> value = SharedValue.CreateOrOpen("value", new BytesPayload(), valueOptions))
        {
            Enumerate("value-writer", value.CreateWriter);
        }

        Enumerate(
            "delete",
            () => Ignore(ShmChannel.Delete("gone", root)),
            before: () => ShmByteChannel.CreateOrOpen("gone", options).Dispose());
        RoleArguments.Say($"done {string.Join(' ', needed)}");

        void Enumerate(
            string what, Func<IDisposable?> operation, Action? after = null, Action? before = null, Action<IDisposable>? use = null)
        {
            for (int left = 0; ; left++)
            {
                before?.Invoke();
                Exception? refusal = Refusal.Of(root, () => new FewDescriptors(left), operation, use);
                Console.Error.WriteLine($"{what} with {left} descriptors: {refusal?.Message ?? "works"}");
                if (refusal is null)
                {
                    after?.Invoke();
                    needed.Add($"{what}={left}");
                    return;
                }

                Refusal.Expect<ShmException>(refusal, what == "await" ? "thread" : "EMFILE", "RLIMIT_NOFILE", "ulimit -n");
                Refusal.Require(left < Steps, $"{what} does not work with {left} descriptors");
                if (producer is not null && consumer is not null)
                {
                    Exchange.Through(producer, consumer, 4 * _page);
                }
            }
        }

        // The runtime ends a process that can start no thread for its pool, so what ends an await comes after the fault.
        void Await(IDisposable pending)
        {
            writing.Write([1], ChildProcess.Patience);
            Refusal.Require(((Pending)pending).Task.WaitAsync(ChildProcess.Patience).GetAwaiter().GetResult(), "the await ends");
            _ = reading.Read(ChildProcess.Patience);
        }

        IDisposable? WaitAny()
        {
            writing.Write([1], ChildProcess.Patience);
            Refusal.Require(ShmChannel.WaitAny([reading], ChildProcess.Patience) == 0, "the wait ends");
            _ = reading.Read(ChildProcess.Patience);
            return null;
        }
    }

    /// <summary>Producers and consumers of large lanes, and a large value, with little address space, then more, until it works.</summary>
    public static void Addresses(RoleArguments arguments)
    {
        string root = arguments.Text("root");
        const long Lane = 4 << 20;
        const long Step = 1 << 20;
        const long Slack = 3 << 20; // below it the runtime itself may not get on
        ShmChannelOptions options = new() { Root = root, LaneCapacityBytes = Lane };
        SharedValueOptions valueOptions = new() { Root = root, MaxValueBytes = 2 << 20 };
        for (int i = 0; i < 3; i++)
        {
            using ShmByteChannel warm = ShmByteChannel.CreateOrOpen("warm", options);
            Exchange.Through(warm, 64 * 1024);
            SharedValue.CreateOrOpen("warm-value", new BytesPayload(), valueOptions).Dispose();
            _ = Refusal.Of(root, () => new FewAddresses(Slack), warm.CreateProducer); // the way of a refusal, too
        }

        List<string> needed = [];
        using ShmByteChannel channel = ShmByteChannel.Create(Name, options);
        using ByteProducer producer = channel.CreateProducer();
        Enumerate("consumer", () => ReadOnce(channel.CreateConsumer()));
        using ByteConsumer consumer = channel.CreateConsumer();
        Enumerate("producer", channel.CreateProducer);
        Enumerate("value", () => SharedValue.CreateOrOpen("value", new BytesPayload(), valueOptions));
        Enumerate("worker", () => ReadOnce(channel.CreateConsumer(new ConsumerOptions { Group = "workers", Kind = GroupKind.Shared })));
        RoleArguments.Say($"done {string.Join(' ', needed)}");

        void Enumerate(string what, Func<IDisposable?> operation)
        {
            int refusals = 0;
            for (long left = Slack; ; left += Step)
            {
                Exception? refusal = Refusal.Of(root, () => new FewAddresses(left), operation);
                Console.Error.WriteLine($"{what} with {left >> 20} MiB: {refusal?.Message ?? "works"}");
                if (refusal is null)
                {
                    needed.Add($"{what}={refusals}");
                    return;
                }

                refusals++;
                Refusal.Expect<ShmException>(refusal, "ENOMEM", "RLIMIT_AS", "ulimit -v");
                Refusal.Require(left < 100 << 20, $"{what} does not work with {left} bytes of address space");
                producer.Write([1], ChildProcess.Patience);
            }
        }

        static ByteConsumer ReadOnce(ByteConsumer made)
        {
            try
            {
                _ = made.TryRead(out _); // maps the lanes
                return made;
            }
            catch
            {
                made.Dispose();
                throw;
            }
        }
    }

    /// <summary>Files of no bytes, of a page, of two and so on, until a channel may be made.</summary>
    public static void FileSize(RoleArguments arguments)
    {
        string root = arguments.Text("root");
        ShmChannelOptions options = new() { Root = root, LaneCapacityBytes = 4 * _page, MaxProducers = 2, MaxGroups = 2 };
        for (int pages = 0; ; pages++)
        {
            Exception? refusal = Refusal.Of(
                root,
                () => new LimitedTo(Linux.RLIMIT_FSIZE, (ulong)(pages * _page)),
                () => ShmByteChannel.Create(Name, options),
                made => Exchange.Through((ShmByteChannel)made, 4 * _page));
            if (refusal is null)
            {
                RoleArguments.Say($"done {pages}");
                return;
            }

            Refusal.Expect<ShmException>(refusal, "EFBIG", "ulimit -f");
            Refusal.Require(pages < Steps, "the channel has no more pages than that");
        }
    }

    /// <summary>Everything with no memory that may be locked.</summary>
    public static void LockedMemory(RoleArguments arguments)
    {
        Linux.Limit(Linux.RLIMIT_MEMLOCK, 0);
        string root = arguments.Text("root");
        using ShmByteChannel channel = ShmByteChannel.Create(Name, new ShmChannelOptions { Root = root });
        Exchange.Through(channel, 1 << 20);
        using ByteConsumer consumer = channel.CreateConsumer();
        using ByteProducer producer = channel.CreateProducer();
        ValueTask<bool> pending = consumer.WaitToReadAsync();
        producer.Write([1], ChildProcess.Patience);
        Refusal.Require(pending.AsTask().WaitAsync(ChildProcess.Patience).GetAwaiter().GetResult(), "the await ends");
        using SharedValue<byte[]> value = SharedValue.Create("value", new BytesPayload(), new SharedValueOptions { Root = root });
        using SharedValueWriter<byte[]> writer = value.CreateWriter();
        writer.Write([1, 2, 3]);
        Refusal.Require(value.Read().Length == 3, "the value is read");
        RoleArguments.Say("done");
    }

    /// <summary>The first await of a process that may not start a thread.</summary>
    public static void Threads(RoleArguments arguments)
    {
        string root = arguments.Text("root");
        ShmChannelOptions options = new() { Root = root };
        using ShmByteChannel channel = ShmByteChannel.Create(Name, options);
        using ByteConsumer consumer = channel.CreateConsumer();
        using ByteProducer producer = channel.CreateProducer();
        Exchange.Through(producer, consumer, 1 << 20); // maps the lane
        Task.Run(() => { }).Wait(); // the pool's own threads are there
        for (int attempt = 0; attempt < 3; attempt++)
        {
            Exception? refusal = Refusal.Of(root, () => new LimitedTo(Linux.RLIMIT_NPROC, 1), () =>
            {
                _ = consumer.WaitToReadAsync().AsTask().GetAwaiter().GetResult();
                return null;
            });
            Refusal.Require(refusal is not null, "a thread was started all the same");
            Refusal.Expect<ShmException>(refusal!, "thread", "RLIMIT_NPROC", "ulimit -u");
            producer.Write([1], ChildProcess.Patience);
            _ = consumer.Read(ChildProcess.Patience);
        }

        ValueTask<bool> pending = consumer.WaitToReadAsync();
        producer.Write([1], ChildProcess.Patience);
        Refusal.Require(pending.AsTask().WaitAsync(ChildProcess.Patience).GetAwaiter().GetResult(), "the await ends");
        RoleArguments.Say("done");
    }

    private static IDisposable? Ignore(object result)
    {
        GC.KeepAlive(result);
        return null;
    }

    private static void LoadAssemblies()
    {
        Queue<Assembly> toVisit = new([typeof(ShmByteChannel).Assembly, typeof(LimitRoles).Assembly]);
        HashSet<string> seen = [];
        while (toVisit.TryDequeue(out Assembly? assembly))
        {
            foreach (AssemblyName name in assembly.GetReferencedAssemblies().Where(name =>
                (name.Name!.StartsWith("System", StringComparison.Ordinal) || name.Name == "Tmds.LibC") && seen.Add(name.Name)))
            {
                toVisit.Enqueue(Assembly.Load(name));
            }
        }

        try
        {
            throw new ShmException(System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(1));
        }
        catch (ShmException)
        {
            // what throwing takes is there now
        }
    }

    /// <summary>No more address space than so many bytes beyond what is taken.</summary>
    private sealed class FewAddresses(long left) : IDisposable
    {
        private readonly ulong _before = Linux.Limit(Linux.RLIMIT_AS, (ulong)(Taken() + left));

        public void Dispose() => Linux.Limit(Linux.RLIMIT_AS, _before);

        private static long Taken() =>
            long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture) * _page;
    }

    private sealed class Pending(ByteConsumer consumer) : IDisposable
    {
        public Task<bool> Task { get; } = consumer.WaitToReadAsync().AsTask();

        public void Dispose()
        {
        }
    }

    private sealed class LimitedTo(int resource, ulong soft) : IDisposable
    {
        private readonly ulong _before = Linux.Limit(resource, soft);

        public void Dispose() => Linux.Limit(resource, _before);
    }
}
