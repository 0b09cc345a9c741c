namespace ShmIpc.CrashTests.Operations;

/// <summary>One message: the intent to take it, and then the group's cursor over it.</summary>
internal sealed class TakeAMessage : SharedOperation
{
    public override string What => "takes 1";

    public override string[] Outcomes => [Gets(11, 21, 31), Gets(12, 21, 31)];

    public override void Act() => Take();
}
