// A rule about one file: says what it objects to, or nothing.

namespace ShmIpc.Tests.Architecture;

internal sealed record Rule(string Name, Func<SourceFile, IEnumerable<string>> Check)
{
    public override string ToString() => Name;
}
