using System.Runtime.CompilerServices;

namespace ShmIpc.AotSmoke;

/// <summary>A struct within a struct, as an array.</summary>
[InlineArray(3)]
internal struct Levels
{
    private Quote _first;
}
