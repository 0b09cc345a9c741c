// The kernel, what it is able to do, and the processors.

namespace ShmIpc.Diagnostics;

internal static class MachineChecks
{
    private static readonly Version _oldest = new(4, 18); // what .NET 10 needs

    public static Finding Kernel(ExaminedMachine machine)
    {
        const string Subject = "kernel";
        var numbers = machine.KernelRelease.Split('.', '-', '+');
        if (numbers.Length < 2 || !int.TryParse(numbers[0], out var major) || !int.TryParse(numbers[1], out var minor))
        {
            return new Finding(Severity.Note, Subject, $"The kernel's version is \"{machine.KernelRelease}\", which nobody can read.");
        }

        return new Version(major, minor) >= _oldest
            ? new Finding(Severity.Ok, Subject, $"The kernel is Linux {machine.KernelRelease}.")
            : new Finding(
                Severity.Problem, Subject, $"The kernel is Linux {machine.KernelRelease}, and .NET needs {_oldest}.",
                "Use a younger kernel.");
    }

    public static Finding WaitingForMany(ExaminedMachine machine) => Feature(
        machine.Features.WaitsForMany, "futex_waitv", Severity.Note, "each channel that is awaited takes a thread of its own", "5.16");

    public static Finding Barriers(ExaminedMachine machine) => Feature(
        machine.Features.Barriers, "membarrier", Severity.Note, "whoever publishes to a sleeping consumer pays for a fence", "4.16");

    public static Finding Seals(ExaminedMachine machine) => Feature(
        machine.Features.Seals, "memfd sealing", Severity.Warning,
        "whoever is passed memory could have it truncated under its hands", "3.17");

    public static Finding Populating(ExaminedMachine machine) => Feature(
        machine.Features.Populates, "MADV_POPULATE_WRITE", Severity.Note, "memory is made present by touching each page", "5.14");

    public static Finding Processors(ExaminedMachine machine)
    {
        const string Subject = "processors";
        return machine.ProcessorCount == 1
            ? new Finding(
                Severity.Warning, Subject, "There is one processor only: who spins keeps the other side from running.",
                "Wait with WaitStrategy.Park, or give the process a second processor (`--cpus`, `taskset`).")
            : new Finding(Severity.Ok, Subject, $"There are {machine.ProcessorCount} processors.");
    }

    private static Finding Feature(bool isThere, string subject, Severity severity, string consequence, string since) => isThere
        ? new Finding(Severity.Ok, subject, $"The kernel has {subject}.")
        : new Finding(
            severity, subject, $"The kernel, or a sandbox, refuses {subject}: {consequence}.",
            $"Use Linux {since} or younger, and let the system call through (seccomp).");
}
