// memory doctor: what on this machine could keep shared memory from working, and what to do about it.
using System.CommandLine;
using ShmIpc.Diagnostics;

namespace ShmIpc.Examples.Memory.Commands;

internal static class DoctorCommand
{
    public static Command Create()
    {
        var command = new Command("doctor", "Looks for whatever could keep shared memory from working here; ends with 1 when it finds a problem");
        command.SetAction(_ => Run());
        return command;
    }

    private static int Run()
    {
        var findings = Doctor.Run();
        foreach (var finding in findings)
        {
            Console.WriteLine($"{finding.Severity,-8} {finding.Subject}: {finding.What}");
            if (finding.Cure.Length > 0) Console.WriteLine($"{"",-8} {finding.Cure}");
        }

        return findings.Any(finding => finding.Severity == Severity.Problem) ? 1 : 0;
    }
}
