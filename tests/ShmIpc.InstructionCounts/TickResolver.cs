using MessagePack;
using MessagePack.Formatters;

namespace ShmIpc.InstructionCounts;

/// <summary>Knows the formatter of <see cref="Tick"/>, and no other.</summary>
internal sealed class TickResolver : IFormatterResolver
{
    private readonly TickFormatter _formatter = new();

    public IMessagePackFormatter<T>? GetFormatter<T>() => _formatter as IMessagePackFormatter<T>;
}
