// Other users than this one, for children of a test that runs as root; as an ordinary user there is only that one.

namespace ShmIpc.ProcessTests.Harness;

internal static class Users
{
    public const uint First = 65533;
    public const uint Second = 65532;
    public const uint Third = 65531;
    public const uint Group = 65530;

    /// <summary>The arguments of a child to which permissions and limits apply: none where they apply to this process.</summary>
    public static (string Key, object Value)[] Ordinary() => Environment.IsPrivilegedProcess ? Party.As(First, First) : [];

    /// <summary>Every user may make things in the directory.</summary>
    public static void Open(string directory) => File.SetUnixFileMode(directory, (UnixFileMode)0x1FF);

    public static void RequireRoot() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can act as other users.");
}
