// The test's side of a participant that does what it is told (PartyRole).

namespace ShmIpc.ProcessTests.Harness;

internal sealed class Party(params IEnumerable<(string Key, object Value)> arguments) : IDisposable
{
    public ChildProcess Process { get; } = ChildProcess.StartReady("party", arguments);

    /// <summary>The arguments that make it another user.</summary>
    public static (string Key, object Value)[] As(uint user, uint group) => [("user", user), ("group", group)];

    /// <summary>It works; returns what it says.</summary>
    public string Do(string command)
    {
        Process.Send(command);
        return string.Join(' ', Process.Expect("ok"));
    }

    /// <summary>It is refused, by an exception of this type whose message has all of the parts.</summary>
    public void IsRefused<TException>(string command, params string[] parts)
        where TException : Exception
    {
        Process.Send(command);
        string[] words = Process.Expect("refused");
        string message = string.Join(' ', words[1..]);
        Assert.True(words[0] == typeof(TException).Name, $"{command}: {words[0]}: {message}");
        foreach (string part in parts)
        {
            Assert.Contains(part, message, StringComparison.Ordinal);
        }
    }

    public void Dispose() => Process.Dispose();
}
