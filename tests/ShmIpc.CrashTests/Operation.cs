// One operation of one role that a process may die in. An instance lives in one of two processes: in the test's it sets the stage and looks
// at what is left, in the victim's it prepares and acts.

using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.CrashTests;

[SuppressMessage("Performance", "CA1812", Justification = "Made by name.")]
internal abstract class Operation : IDisposable
{
    /// <summary>Within the 50 ms that a sleep lasts without a look, on a machine that is busy with something else.</summary>
    protected static readonly TimeSpan Soon = ChildProcess.Patience;

    /// <summary>Ends the sleep of the one victim that does not die before; the others sleep until they do.</summary>
    protected static TimeSpan Long => CrashPoint.IsFatal ? ChildProcess.Patience : TimeSpan.FromSeconds(2);

    /// <summary>Who does it, as the table says.</summary>
    public abstract string Role { get; }

    /// <summary>What is done, as the table says.</summary>
    public abstract string What { get; }

    /// <summary>All that others may find afterwards, in the order in which it may come: what an early step leaves first. Each of them is
    /// found at some step.</summary>
    public abstract string[] Outcomes { get; }

    /// <summary>Steps to die at, where the operation is one that does not end by itself.</summary>
    public virtual int? MostSteps => null;

    /// <summary>True when threads of the library take part: their steps count, too.</summary>
    public virtual bool IsOnEveryThread => false;

    /// <summary>True when nobody else changes the region while the victim acts: then every store must be one of its steps.</summary>
    public virtual bool IsAlone => true;

    /// <summary>True for what happens on a disk, not in memory.</summary>
    public virtual bool IsOnDisk => false;

    /// <summary>The first of the last words of a process that dies before the victim comes, in <see cref="Precede"/>; null when there is
    /// none. "preceded" when it dies at its end, "died" at a step that it armed.</summary>
    public virtual string? Predecessor => null;

    public static IEnumerable<string> Names => Types.Select(type => type.Name).Order(StringComparer.Ordinal);

    private static IEnumerable<Type> Types =>
        typeof(Operation).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Operation)) && !type.IsAbstract);

    public static Operation Named(string name) =>
        (Operation)Activator.CreateInstance(Types.Single(type => type.Name == name))!;

    /// <summary>In the test's process: makes what is there before the victim comes.</summary>
    public abstract void SetStage(string root);

    /// <summary>In the predecessor's: what it has in its hands when it dies.</summary>
    public virtual void Precede(string root)
    {
    }

    /// <summary>The steps to die at, of all that there are.</summary>
    public virtual IEnumerable<int> Choose(int steps) => Enumerable.Range(1, steps);

    /// <summary>In the victim's: everything up to the operation.</summary>
    public abstract void Prepare(string root);

    /// <summary>In the test's: after the victim has prepared, before it acts.</summary>
    public virtual void Ready()
    {
    }

    /// <summary>In the victim's: the operation.</summary>
    public abstract void Act();

    /// <summary>In the test's process, once the victim is dead and reaped: which of the outcomes it is. Whatever must be so in any case is
    /// asserted.</summary>
    public abstract string Observe();

    /// <summary>Ends what the stage has.</summary>
    public abstract void Dispose();
}
