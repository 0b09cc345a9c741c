using ShmIpc.Values;

namespace ShmIpc.CrashTests.Operations;

internal class WriteAValue : ValueOperation
{
    private SharedValueWriter<byte[]>? _writer;

    public override string What => "writes a value";

    protected override void Prepare() => _writer = Value.CreateWriter();

    public override void Act() => _writer!.Write(New);
}
