// Starting programs: beside this one (posix_spawn, which is safe where there are threads), or in its place (execve).

using System.Text;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static unsafe class LinuxProgram
{
    private const int FirstPassed = 3;
    private const int ObjectBytes = 1024; // posix_spawn's objects have 80 and 336 bytes in glibc

    /// <summary>Starts a program with /dev/null as stdin, the given stdout and stderr, further descriptors as 3, 4 and so on, and
    /// none besides.</summary>
    /// <returns>Its process id.</returns>
    public static int Start(
        string path,
        IReadOnlyList<string> arguments,
        IEnumerable<KeyValuePair<string, string>> environment,
        SafeFileHandle output,
        SafeFileHandle errors,
        params IReadOnlyList<SafeFileHandle> passed)
    {
        var actions = stackalloc byte[ObjectBytes];
        var attributes = stackalloc byte[ObjectBytes];
        List<SafeFileHandle> sources = [];
        Check(posix_spawn_file_actions_init(actions), "posix_spawn_file_actions_init", path);
        Check(posix_spawnattr_init(attributes), "posix_spawnattr_init", path);
        try
        {
            SafeFileHandle[] targets = [output, errors, .. passed];
            fixed (byte* nowhere = "/dev/null\0"u8)
            {
                Check(posix_spawn_file_actions_addopen(actions, 0, nowhere, O_RDONLY, 0), "posix_spawn_file_actions_addopen", path);
            }

            for (var i = 0; i < targets.Length; i++)
            {
                sources.Add(DuplicateAbove(targets[i], FirstPassed + targets.Length)); // no target is another's source
                var number = (int)sources[i].DangerousGetHandle();
                Check(posix_spawn_file_actions_adddup2(actions, number, i + 1), "posix_spawn_file_actions_adddup2", path);
            }

            CloseOthers(actions, FirstPassed + passed.Count, path);
            SetSignals(attributes, path);
            using var argumentBlock = new StringBlock(arguments);
            using var environmentBlock = new StringBlock(environment.Select(pair => $"{pair.Key}={pair.Value}"));
            int child;
            fixed (byte* file = NullTerminated(path))
            {
                var failure = posix_spawn(&child, file, actions, attributes, argumentBlock.Pointers, environmentBlock.Pointers);
                Check(failure, "posix_spawn", path);
            }

            return child;
        }
        finally
        {
            foreach (var source in sources) source.Dispose();
            _ = posix_spawn_file_actions_destroy(actions);
            _ = posix_spawnattr_destroy(attributes);
        }
    }

    /// <summary>Puts a program in the place of this one: the same process id, and nothing else that is not inherited by exec.</summary>
    /// <returns>Never, but with the exception that says why not.</returns>
    public static Exception Become(
        string path, IReadOnlyList<string> arguments, IEnumerable<KeyValuePair<string, string>> environment)
    {
        using var argumentBlock = new StringBlock(arguments);
        using var environmentBlock = new StringBlock(environment.Select(pair => $"{pair.Key}={pair.Value}"));
        fixed (byte* file = NullTerminated(path))
        {
            _ = execve(file, argumentBlock.Pointers, environmentBlock.Pointers);
        }

        return LinuxError.ToException(errno, "execve", $"\"{path}\"");
    }

    /// <summary>In a forked child: puts its own descriptors in place of stdin (/dev/null), stdout and stderr.</summary>
    public static void TakeStreams(SafeFileHandle output, SafeFileHandle errors)
    {
        fixed (byte* nowhere = "/dev/null\0"u8)
        {
            var empty = open(nowhere, O_RDONLY | O_CLOEXEC);
            if (empty > 0)
            {
                _ = dup2(empty, 0);
                _ = close(empty);
            }
        }

        using var standardOutput = new BorrowedDescriptor(output);
        using var standardErrors = new BorrowedDescriptor(errors);
        _ = dup2(standardOutput.Number, 1);
        _ = dup2(standardErrors.Number, 2);
    }

    private static void CloseOthers(void* actions, int from, string path)
    {
        try
        {
            Check(posix_spawn_file_actions_addclosefrom_np(actions, from), "posix_spawn_file_actions_addclosefrom_np", path);
        }
        catch (EntryPointNotFoundException)
        {
            // before glibc 2.34 the child inherits what is not close-on-exec, as from any other starter of processes
        }
    }

    // What this process ignores (.NET: SIGPIPE; perhaps SIGCHLD), and what this thread blocks, is not the child's.
    private static void SetSignals(void* attributes, string path)
    {
        sigset_t signals;
        _ = sigemptyset(&signals);
        Check(posix_spawnattr_setsigmask(attributes, &signals), "posix_spawnattr_setsigmask", path);
        _ = sigaddset(&signals, SIGPIPE);
        _ = sigaddset(&signals, SIGCHLD);
        Check(posix_spawnattr_setsigdefault(attributes, &signals), "posix_spawnattr_setsigdefault", path);
        var flags = (short)(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
        Check(posix_spawnattr_setflags(attributes, flags), "posix_spawnattr_setflags", path);
    }

    private static SafeFileHandle DuplicateAbove(SafeFileHandle file, int least)
    {
        using var descriptor = new BorrowedDescriptor(file);
        var copy = fcntl(descriptor.Number, F_DUPFD_CLOEXEC, least);
        return copy >= 0
            ? new SafeFileHandle(copy, ownsHandle: true)
            : throw LinuxError.ToException(errno, "fcntl", $"F_DUPFD_CLOEXEC, descriptor {descriptor.Number}, at least {least}");
    }

    // These functions return the errno, and leave errno alone.
    private static void Check(int failure, string operation, string path)
    {
        if (failure == 0) return;
        var cure = failure == EAGAIN || failure == ENOMEM ? LinuxChild.ForkCure
            : failure == E2BIG ? "The arguments and the environment are too long together: give the worker less, or put it into the region."
            : null;
        throw LinuxError.ToException(failure, operation, $"\"{path}\"", cure);
    }

    private static byte[] NullTerminated(string text) => Encoding.UTF8.GetBytes(text + '\0');
}
