// The other half of CrashPoint: counts the instants at which the armed thread passes, and dies by SIGKILL at the one that was named, or
// lets a test look around at each. Only what others can notice counts: stores to memory that is shared with them, and system calls.

using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using ShmIpc.CrashTests;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc;

internal static unsafe partial class CrashPoint
{
    private const int EveryThread = -1;
    private static volatile int _armedThread;
    private static int _fatalStep;
    private static string? _fatalPlace;
    private static string? _stopPlace;
    private static int _step;
    private static StoreAudit? _audit;
    private static Action? _look;

    /// <summary>True when this process dies at a step.</summary>
    public static bool IsFatal => _fatalStep > 0;

    /// <summary>From here on this thread counts its steps, and dies before the given one, from 1; 0 for none.</summary>
    public static void Arm(int fatalStep, bool isOnEveryThread, StoreAudit? audit = null)
    {
        _audit = audit;
        (_step, _fatalStep) = (0, fatalStep);
        _armedThread = isOnEveryThread ? EveryThread : Environment.CurrentManagedThreadId;
    }

    /// <summary>From here on this thread dies before the first step of that name.</summary>
    public static void ArmBefore(string place)
    {
        _fatalPlace = place;
        Arm(0, isOnEveryThread: false);
    }

    /// <summary>From here on this thread stops its process (SIGSTOP) before the first step of that name.</summary>
    public static void StopBefore(string place)
    {
        _stopPlace = place;
        Arm(0, isOnEveryThread: false);
    }

    /// <summary>Does something, and between any two of its steps what others may do then; says how many steps it had.</summary>
    public static int LookAtEveryStep(Action operation, Action look)
    {
        _look = look;
        Arm(0, isOnEveryThread: false);
        try
        {
            operation();
        }
        finally
        {
            _look = null;
            Disarm();
        }

        return _step;
    }

    /// <summary>The end of what is counted; says how many steps it had.</summary>
    public static int Disarm()
    {
        _armedThread = 0;
        _audit?.Pass("the end", 0, 0);
        return _step;
    }

    /// <summary>SIGKILL, after a last line for the test.</summary>
    public static void Die(string lastWords)
    {
        Linux.WriteRaw(System.Text.Encoding.UTF8.GetBytes(lastWords + "\n"));
        Linux.Signal(Environment.ProcessId, Linux.SIGKILL);
        Thread.Sleep(Timeout.Infinite);
    }

    static partial void OnStore<T>(ref T word, string operation)
    {
        ulong address = (ulong)Unsafe.AsPointer(ref word);
        if (IsArmed && IsShared(address))
        {
            Pass(operation, address, Unsafe.SizeOf<T>());
        }
    }

    static partial void OnStore(Span<byte> bytes, string operation)
    {
        if (IsArmed && bytes.Length > 0 && IsShared((ulong)Unsafe.AsPointer(ref bytes[0])))
        {
            Pass("bytes", (ulong)Unsafe.AsPointer(ref bytes[0]), bytes.Length);
        }
    }

    static partial void OnCall(string call)
    {
        if (IsArmed)
        {
            Pass(call, 0, 0);
        }
    }

    private static bool IsArmed => _armedThread == EveryThread || _armedThread == Environment.CurrentManagedThreadId;

    private static void Pass(string operation, ulong address, int lengthBytes)
    {
        _audit?.Pass($"{Caller()}: {operation}", address, lengthBytes);
        if (_look is { } look)
        {
            int armedThread = _armedThread;
            _armedThread = 0; // what others do is no step
            look();
            _armedThread = armedThread;
        }

        if (_stopPlace is { } stop && stop == $"{Caller()}: {operation}")
        {
            _stopPlace = null;
            Linux.Signal(Environment.ProcessId, Linux.SIGSTOP);
        }

        if (Interlocked.Increment(ref _step) == _fatalStep || (_fatalPlace is { } place && place == $"{Caller()}: {operation}"))
        {
            Die($"died {Caller()}: {operation}");
        }
    }

    /// <summary>Whose step it is: the innermost method outside the folders that only carry it out.</summary>
    private static string Caller()
    {
        foreach (StackFrame frame in new StackTrace(false).GetFrames())
        {
            if (frame.GetMethod() is { DeclaringType: { } type } method && type != typeof(CrashPoint)
                && type.Namespace is not ("ShmIpc.Interop" or "ShmIpc.Memory"))
            {
                Type outer = type.Name.StartsWith('<') && type.DeclaringType is { } declaring ? declaring : type;
                string name = method.Name.Split('<', '>') is { Length: > 2 } parts ? parts[1] : method.Name;
                return $"{outer.Name.Split('`')[0]}.{name.Split('.')[^1].Replace("get_", "", StringComparison.Ordinal)}";
            }
        }

        return "?";
    }

    /// <summary>True for an address in a mapping that others may share, as the kernel lists them.</summary>
    private static bool IsShared(ulong address)
    {
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            // 7f0000000000-7f0000001000 rw-s ...
            int dash = line.IndexOf('-', StringComparison.Ordinal);
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            if (address < ulong.Parse(line.AsSpan(dash + 1, space - dash - 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture))
            {
                return address >= ulong.Parse(line.AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
                    && line[space + 4] == 's';
            }
        }

        return false;
    }
}
