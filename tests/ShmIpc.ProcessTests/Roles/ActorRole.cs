// A child that has started up and waits for its task, one line: the part it plays, and key=value pairs. It plays on until it is told
// "end", or killed.

namespace ShmIpc.ProcessTests.Roles;

internal static class ActorRole
{
    public static void Run()
    {
        RoleArguments.Say("ready");
        string[] words = Console.In.ReadLine()?.Split(' ') ?? [];
        using CancellationTokenSource end = new();
        Thread listener = new(() =>
        {
            if (Console.In.ReadLine() == "end")
            {
                end.Cancel();
            }
        })
        { IsBackground = true };
        listener.Start();
        RoleArguments task = new(words[1..]);
        try
        {
            Play(words[0], task, end.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            // told to end while it waited
        }

        listener.Join(); // nobody ends by itself
    }

    private static Task Play(string part, RoleArguments task, CancellationToken end)
    {
        Action<RoleArguments, CancellationToken>? survivor = part switch
        {
            "successor" => RecoveryRoles.Succeed,
            "stand-by" => RecoveryRoles.StandBy,
            "heir" => RecoveryRoles.Inherit,
            "blocker" => RecoveryRoles.Block,
            "blocked" => RecoveryRoles.BeBlocked,
            _ => null,
        };
        survivor?.Invoke(task, end);
        return survivor is null ? PlayInCampaign(part, task, end) : Task.CompletedTask;
    }

    private static Task PlayInCampaign(string part, RoleArguments task, CancellationToken end) => part switch
    {
        "producer" => CampaignRoles.Produce(task, end),
        "reader" => CampaignRoles.Read(task, end),
        "lossy-reader" => CampaignRoles.ReadLossy(task, end),
        "value-writer" => CampaignRoles.WriteValue(task, end),
        "value-reader" => CampaignRoles.ReadValue(task, end),
        "creator" => CampaignRoles.Create(task, end),
        _ => throw new ArgumentException($"There is no part {part}."),
    };
}
