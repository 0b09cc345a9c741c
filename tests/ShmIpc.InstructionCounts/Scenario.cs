namespace ShmIpc.InstructionCounts;

/// <summary>One figure: instructions a message, of publishing so many messages, of reading them, or of both.</summary>
/// <param name="Name">Its name in recorded.txt.</param>
/// <param name="Publish">Publishes so many messages.</param>
/// <param name="Read">Reads so many messages.</param>
/// <param name="IsPublishCounted">Publishing is part of the figure.</param>
/// <param name="IsReadCounted">Reading is part of the figure.</param>
internal sealed record Scenario(string Name, Action<int> Publish, Action<int> Read, bool IsPublishCounted, bool IsReadCounted)
{
    /// <summary>How many messages are published before they are read.</summary>
    private const int RoundMessages = 256;

    private const int WarmRounds = 8;
    private const int Rounds = 16;

    /// <summary>How many messages a profile has counted. They take several laps of the lane, so that what happens once a lap has its
    /// part.</summary>
    public const int Messages = Rounds * RoundMessages;

    public void Run()
    {
        for (int round = 0; round < WarmRounds; round++)
        {
            Publish(RoundMessages);
            Read(RoundMessages);
        }

        for (int round = 0; round < Rounds; round++)
        {
            RunOnce(Publish, IsPublishCounted);
            RunOnce(Read, IsReadCounted);
        }

        Counted.End();
    }

    private static void RunOnce(Action<int> work, bool isCounted)
    {
        if (isCounted)
        {
            Counted.Run(work, RoundMessages);
        }
        else
        {
            work(RoundMessages);
        }
    }
}
