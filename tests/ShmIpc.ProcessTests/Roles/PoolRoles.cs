// Processes that start workers, or ask whether they could fork. They touch nothing of .NET that a fork minds before they have forked.

using System.Runtime.InteropServices;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Workers;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Roles;

internal static class PoolRoles
{
    /// <summary>Starts workers and says who they are, each before what it writes: "worker index id", "line index text", "ended index code
    /// signal". Every word from the test starts one more, of that body.</summary>
    public static void Start(RoleArguments arguments)
    {
        WorkerStartMode mode = Enum.Parse<WorkerStartMode>(arguments.Text("mode"));
        Bodies.Preloaded = "before the fork";
        SharedRegion anonymous = SharedRegion.Create("anonymous", 1_000, mode); // as long as this process
        SharedRegion numbers = SharedRegion.Create("numbers", 1_000);
        anonymous.Mapping.Write(0, 42);
        numbers.Mapping.Write(0, 43);
        IWorkerLauncher launcher;
        List<Task> ends = [];
        List<string> early = []; // what a worker wrote before this process got to say which it is; also the lock
        int named = -1;
        try
        {
            // Forks before this returns; what has to be awaited comes behind it.
            launcher = WorkerLauncher.CreateAsync(
                mode, null, (index, isError, line) => Hear(index, $"{(isError ? "error" : "line")} {index} {line}"), CancellationToken.None)
                .AsTask().GetAwaiter().GetResult();
        }
        catch (ShmForkException refused)
        {
            RoleArguments.Say($"refused {refused.Reasons.Count} {refused.Message.ReplaceLineEndings(" ")}");
            return;
        }

        Bodies.Preloaded = "after the fork";
        RoleArguments.Say($"ready {launcher.Mode} {launcher.FallbackReason}");
        int index = 0;
        while (Console.In.ReadLine() is { } word && word != "end")
        {
            if (word == "look")
            {
                RoleArguments.Say($"shared {anonymous.Mapping.Read<int>(16)} {numbers.Mapping.Read<int>(16)}");
                continue;
            }

            WorkerLaunch launch = TestLauncher.Launch(word switch
            {
                "sleep" => Bodies.Sleep,
                "speak" => Bodies.Speak,
                "crash" => Bodies.FailFast,
                "collect" => Bodies.Collect,
                "share" => Bodies.Share,
                _ => Bodies.Return,
            }, index++, settings: [("code", "7"), ("word", "word"), ("regions", "anonymous numbers")]);
            WorkerProcess worker;
            try
            {
                worker = launcher.StartAsync(launch, ChildProcess.Patience, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            }
            catch (ShmException refused)
            {
                RoleArguments.Say($"refused {refused.Message.ReplaceLineEndings(" ")}");
                continue;
            }

            Name(worker);
            ends.Add(worker.Exited.ContinueWith(
                exited => RoleArguments.Say($"ended {worker.Index} {exited.Result.ExitCode} {exited.Result.Signal}"), TaskScheduler.Default));
        }

        launcher.DisposeAsync().AsTask().GetAwaiter().GetResult();
        RoleArguments.Say("disposed");
        _ = Task.WaitAll([.. ends], ChildProcess.Patience); // this process says of all how they ended before it ends itself

        void Hear(int index, string line)
        {
            lock (early)
            {
                if (index > named)
                {
                    early.Add(line);
                }
                else
                {
                    RoleArguments.Say(line);
                }
            }
        }

        void Name(WorkerProcess worker)
        {
            lock (early)
            {
                RoleArguments.Say($"worker {worker.Index} {worker.ProcessId}");
                named = worker.Index;
                early.ForEach(RoleArguments.Say);
                early.Clear();
            }
        }
    }

    /// <summary>Says every reason why this process cannot fork, after it has done something to earn it.</summary>
    public static void Check(RoleArguments arguments)
    {
        switch (arguments.TryText("deed"))
        {
            case "thread":
                new Thread(() => Thread.Sleep(Timeout.Infinite)) { IsBackground = true, Name = "a user's" }.Start();
                break;
            case "pool":
                Task.Run(() => { }).Wait();
                break;
            case "signal":
                _ = PosixSignalRegistration.Create(PosixSignal.SIGHUP, _ => { });
                break;
        }

        IReadOnlyList<string> reasons = ForkSupport.Check();
        RoleArguments.Say($"reasons {reasons.Count}");
        foreach (string reason in reasons)
        {
            RoleArguments.Say($"reason {reason}");
        }
    }

    /// <summary>Becomes forkable, and says who it is now.</summary>
    public static void Ensure(RoleArguments arguments, string[] all)
    {
        try
        {
            ForkSupport.EnsureForkable(all);
        }
        catch (ShmException error)
        {
            RoleArguments.Say($"refused {error.Message}");
            return;
        }

        int reasons = ForkSupport.Check().Count;
        RoleArguments.Say($"forkable {reasons} {Environment.ProcessId} {Environment.GetEnvironmentVariable("DOTNET_TieredCompilation") ?? "unset"} "
            + $"{Environment.GetEnvironmentVariable("SHMIPC_FORK_ORIGINAL") ?? "unset"} {arguments.TryText("word")}");
    }
}
