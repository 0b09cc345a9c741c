// What a child was told at its start, and its side of the conversation with the test.

using System.Globalization;
using ShmIpc.Channels;
using ShmIpc.Waiting;

namespace ShmIpc.ProcessTests.Roles;

internal sealed class RoleArguments(string[] arguments)
{
    private readonly Dictionary<string, string> _values =
        arguments.Select(argument => argument.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);

    /// <summary>Every role gets where its channel is.</summary>
    public string Channel => Text("channel");

    public ShmChannelOptions Options => new()
    {
        Root = Text("root"),
        WaitStrategy = _values.TryGetValue("wait", out string? wait) ? Enum.Parse<WaitStrategy>(wait) : WaitStrategy.Adaptive,
    };

    public string Text(string key) => _values[key];

    /// <summary>Null when the role was not told.</summary>
    public string? TryText(string key) => _values.GetValueOrDefault(key);

    public long Number(string key) => long.Parse(_values[key], CultureInfo.InvariantCulture);

    public static void Say(string line) => Console.Out.WriteLine(line);

    /// <summary>Waits for a word from the test.</summary>
    public static void Await(string word)
    {
        string? heard = Console.In.ReadLine();
        if (heard != word)
        {
            throw new InvalidOperationException($"Expected \"{word}\", heard \"{heard}\".");
        }
    }
}
