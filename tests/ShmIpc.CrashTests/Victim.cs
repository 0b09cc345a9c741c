// A process that dies: told which operation to prepare, and before which of its steps to die. Its last line is "died" and the step, or
// "survived" and how many steps there were; then it dies, too.
//
//   test                         victim
//                                ready
//   prepare OPERATION ROOT       prepared
//   act STEP                     died STEP'S NAME | survived STEPS | unannounced STORE
//
// Or a process that is dead before the victim comes:
//
//   precede OPERATION ROOT       preceded | died STEP'S NAME

using System.Globalization;

namespace ShmIpc.CrashTests;

internal static class Victim
{
    public static void Run()
    {
        Console.Out.WriteLine("ready");
        string[] words = Words("prepare", "precede");
        Operation operation = Operation.Named(words[1]);
        string root = words[2];
        if (words[0] == "precede")
        {
            operation.Precede(root);
            CrashPoint.Die("preceded");
        }

        operation.Prepare(root);
        Console.Out.WriteLine("prepared");
        words = Words("act");
        int step = int.Parse(words[1], CultureInfo.InvariantCulture);
        StoreAudit? audit = step == 0 && operation.IsAlone ? new StoreAudit(root) : null;
        CrashPoint.Arm(step, operation.IsOnEveryThread, audit);
        operation.Act();
        int steps = CrashPoint.Disarm();
        CrashPoint.Die(audit is { Unannounced: [string first, ..] } ? $"unannounced {first}" : $"survived {steps}");
    }

    private static string[] Words(params string[] first)
    {
        string[] words = (Console.In.ReadLine() ?? "").Split(' ');
        return first.Contains(words[0])
            ? words
            : throw new InvalidOperationException($"Expected \"{string.Join("\" or \"", first)}\", heard \"{words[0]}\".");
    }
}
