namespace ShmIpc.Tests.Channels;

/// <summary>One step of the channel's model test.</summary>
/// <param name="Operation">What to do.</param>
/// <param name="Who">Which producer, consumer or group does it, modulo how many there are.</param>
/// <param name="Bytes">How large a message.</param>
/// <param name="Choice">Everything else that has to be chosen.</param>
internal readonly record struct ModelStep(ModelOperation Operation, int Who, int Bytes, int Choice)
{
    public override string ToString() => $"{Operation}({Who},{Bytes},{Choice})";
}
