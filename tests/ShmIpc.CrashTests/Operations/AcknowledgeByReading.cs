namespace ShmIpc.CrashTests.Operations;

/// <summary>Automatically: the next read says that the message before was finished with.</summary>
internal sealed class AcknowledgeByReading : ExclusiveOperation
{
    public override string What => "reads 1, and so 2, acknowledging automatically";

    public override string[] Outcomes => [Gets(11, 21, 31), Gets(12, 21, 31), Gets(21, 31), Gets(22, 31)];

    public override void Act()
    {
        Take();
        Take();
    }
}
