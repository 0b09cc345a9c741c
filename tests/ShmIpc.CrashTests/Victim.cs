// A process that dies: told which operation to prepare, and before which of its steps to die. Its last line is "died" and the step, or
// "survived" and how many steps there were; then it dies, too.
//
//   test                         victim
//                                ready
//   prepare OPERATION ROOT       prepared
//   act STEP                     died STEP'S NAME | survived STEPS

using System.Globalization;

namespace ShmIpc.CrashTests;

internal static class Victim
{
    public static void Run()
    {
        Console.Out.WriteLine("ready");
        string[] words = Words("prepare");
        Operation operation = Operation.Named(words[1]);
        operation.Prepare(words[2]);
        Console.Out.WriteLine("prepared");
        words = Words("act");
        CrashPoint.Arm(int.Parse(words[1], CultureInfo.InvariantCulture), operation.IsOnEveryThread);
        operation.Act();
        CrashPoint.Die($"survived {CrashPoint.Disarm()}");
    }

    private static string[] Words(string first)
    {
        string[] words = (Console.In.ReadLine() ?? "").Split(' ');
        return words[0] == first ? words : throw new InvalidOperationException($"Expected \"{first}\", heard \"{words[0]}\".");
    }
}
