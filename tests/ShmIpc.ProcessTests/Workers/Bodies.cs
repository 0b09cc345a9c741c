// What workers of the tests do: everything that a fork might have broken, and everything that may happen to a worker.

using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Text;
using MessagePack;
using ShmIpc.Channels;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Workers;

internal static class Bodies
{
    /// <summary>Set in a fork server, or in a process before it forks.</summary>
    public static string Preloaded { get; set; } = "nothing";

    public static string Entry(Func<WorkerLaunch, int> body) => StaticMethod.NameOf(body);

    public static void Preload() => Preloaded = "something";

    public static void PreloadWithThread() => new Thread(() => Thread.Sleep(Timeout.Infinite)) { IsBackground = true, Name = "left over" }.Start();

    public static void PreloadThatFails() => throw new InvalidOperationException("no data today");

    public static int Return(WorkerLaunch launch) => int.Parse(launch.Settings["code"], CultureInfo.InvariantCulture);

    public static int Sleep(WorkerLaunch launch)
    {
        Console.WriteLine("asleep");
        Thread.Sleep(Timeout.Infinite);
        return launch.Index;
    }

    /// <summary>Asleep in code that makes no call, and so comes to no place where a signal's handler of the runtime could act.</summary>
    public static int Spin(WorkerLaunch launch)
    {
        Console.WriteLine("asleep");
        long count = 0;
        while (launch.Index >= 0)
        {
            count++;
        }

        return (int)count;
    }

    public static int Speak(WorkerLaunch launch)
    {
        Console.WriteLine($"{launch.Index} {launch.Incarnation} {launch.RegionName} {launch.Settings["word"]} {Preloaded}");
        Console.Error.WriteLine("ä complaint");
        Console.Write("no end");
        return 0;
    }

    public static int Facts(WorkerLaunch launch)
    {
        Console.WriteLine($"stdin {new FileInfo("/proc/self/fd/0").LinkTarget}");
        foreach (string file in Directory.GetFiles("/proc/self/fd"))
        {
            Console.WriteLine($"file {new FileInfo(file).LinkTarget}");
        }

        foreach (string name in (string[])["SHMIPC_WORKER", "SHMIPC_FORK_SERVER", "DOTNET_TieredCompilation", "DOTNET_EnableDiagnostics"])
        {
            Console.WriteLine($"variable {name} {Environment.GetEnvironmentVariable(name) ?? "unset"}");
        }

        Console.WriteLine($"id {Environment.ProcessId}");
        Console.WriteLine($"parent {Harness.Linux.ParentId()}");
        Console.WriteLine($"handles {launch.Region is not null} {launch.MoreRegions.Count}");
        return 0;
    }

    /// <summary>Reads from the channel in its region, and answers in the other.</summary>
    public static int Answer(WorkerLaunch launch)
    {
        using ShmByteChannel questions = ShmByteChannel.Open(launch.RegionName, new ShmChannelOptions { Memory = launch.Region });
        using ShmByteChannel answers = ShmByteChannel.Open("answers", new ShmChannelOptions { Memory = launch.MoreRegions[0] });
        using ByteConsumer consumer = questions.CreateConsumer(new ConsumerOptions { Group = "workers", Kind = GroupKind.Shared, Durable = true });
        using ByteProducer producer = answers.CreateProducer();
        while (consumer.WaitToRead(Harness.ChildProcess.Patience))
        {
            while (consumer.TryRead(out ShmRecord record))
            {
                string question = Encoding.UTF8.GetString(record.Payload);
                if (question == "end")
                {
                    return 0;
                }

                producer.Write(Encoding.UTF8.GetBytes($"{question}!"));
            }
        }

        return 1;
    }

    /// <summary>Finds a number in a shared region, and leaves its own there.</summary>
    public static int Share(WorkerLaunch launch)
    {
        foreach (string name in launch.Settings["regions"].Split(' '))
        {
            try
            {
                using SharedRegion region = SharedRegion.Open(name);
                Console.WriteLine($"{name} {region.IsAnonymous} {region.Mapping.Read<int>(0)}");
                region.Mapping.Write(8 * (1 + launch.Index), 100 + launch.Index);
            }
            catch (ShmRegionNotFoundException error)
            {
                Console.WriteLine($"{name} {error.Message}");
            }
        }

        return 0;
    }

    public static int Throw(WorkerLaunch launch) => throw new InvalidOperationException($"worker {launch.Index} has had enough");

    public static int FailFast(WorkerLaunch launch)
    {
        Harness.Linux.DisableCoreDump();
        Environment.FailFast($"worker {launch.Index} fails");
        return 0;
    }

    public static int Collect(WorkerLaunch launch)
    {
        List<byte[]> kept = [];
        for (int i = 0; i < 20_000; i++)
        {
            byte[] piece = new byte[1_000 + i % 100];
            if (i % 10 == 0)
            {
                kept.Add(piece);
            }
        }

        GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
        return kept.Sum(piece => (long)piece.Length) > 0 ? 0 : 1;
    }

    public static int Exceptions(WorkerLaunch launch)
    {
        int caught = 0;
        for (int i = 0; i < 100; i++)
        {
            try
            {
                Deep(i % 20);
            }
            catch (InvalidOperationException)
            {
                caught++;
            }
        }

        return caught == 100 ? 0 : 1;
    }

    public static int Threads(WorkerLaunch launch)
    {
        int sum = 0;
        object gate = new();
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(number => new Thread(() =>
        {
            Collect(launch);
            lock (gate)
            {
                sum += number;
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        return sum == 28 ? 0 : 1;
    }

    public static int Tasks(WorkerLaunch launch)
    {
        int sum = Enumerable.Range(0, 100).AsParallel().Sum(number => number);
        Task.WhenAll(Enumerable.Range(0, 20).Select(async number =>
        {
            await Task.Delay(number % 3);
            await Task.Yield();
        })).Wait(Harness.ChildProcess.Patience);
        return sum == 4950 ? 0 : 1;
    }

    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "the tests are not published as native code")]
    public static int Generate(WorkerLaunch launch)
    {
        DynamicMethod method = new("add", typeof(int), [typeof(int), typeof(int)]);
        ILGenerator code = method.GetILGenerator();
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Ldarg_1);
        code.Emit(OpCodes.Add);
        code.Emit(OpCodes.Ret);
        bool adds = method.CreateDelegate<Func<int, int, int>>()(2, 3) == 5;
        byte[] packed = MessagePackSerializer.Serialize(new Dictionary<string, int> { ["five"] = 5 });
        return adds && MessagePackSerializer.Deserialize<Dictionary<string, int>>(packed)["five"] == 5 ? 0 : 1;
    }

    public static int OwnChannel(WorkerLaunch launch)
    {
        using Microsoft.Win32.SafeHandles.SafeFileHandle memory = Regions.RegionFile.NewMemory("own");
        ShmChannelOptions options = new() { Memory = memory, LaneCapacityBytes = 16 * 1024, MaxProducers = 2 };
        using ShmChannel<string> channel = ShmChannel.Create("own", new Serialization.StringPayload(), options);
        using Producer<string> producer = channel.CreateProducer();
        using Consumer<string> consumer = channel.CreateConsumer();
        Thread reader = new(() =>
        {
            for (int i = 0; i < 1_000; i++)
            {
                _ = consumer.ReadAsync().AsTask().GetAwaiter().GetResult();
            }
        });
        reader.Start();
        for (int i = 0; i < 1_000; i++)
        {
            producer.WriteAsync($"{i}").AsTask().Wait(Harness.ChildProcess.Patience);
        }

        return reader.Join(Harness.ChildProcess.Patience) ? 0 : 1;
    }

    public static int Terminated(WorkerLaunch launch)
    {
        using ManualResetEventSlim asked = new();
        using System.Runtime.InteropServices.PosixSignalRegistration registration =
            System.Runtime.InteropServices.PosixSignalRegistration.Create(System.Runtime.InteropServices.PosixSignal.SIGTERM, context =>
            {
                context.Cancel = true;
                asked.Set();
            });
        Console.WriteLine("asleep");
        return asked.Wait(Harness.ChildProcess.Patience) ? 5 : 1;
    }

    public static int StartProgram(WorkerLaunch launch)
    {
        using System.Diagnostics.Process process = System.Diagnostics.Process.Start("/bin/sh", ["-c", "exit 7"]);
        return process.WaitForExit(Harness.ChildProcess.Patience) && process.ExitCode == 7 ? 0 : 1;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Deep(int levels)
    {
        if (levels == 0)
        {
            throw new InvalidOperationException("deep");
        }

        Deep(levels - 1);
    }
}
