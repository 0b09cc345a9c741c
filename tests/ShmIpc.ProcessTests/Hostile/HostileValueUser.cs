// A writer and a reader of a shared value.

using ShmIpc.Serialization;
using ShmIpc.Values;

namespace ShmIpc.ProcessTests.Hostile;

internal sealed class HostileValueUser : HostileUser
{
    private readonly SharedValueOptions _options;
    private SharedValue<string>? _value;
    private SharedValueWriter<string>? _writer;

    public HostileValueUser(SharedValueOptions options, Random random, Outcomes outcomes)
        : base(random, outcomes)
    {
        _options = new SharedValueOptions { Root = options.Root };
        Open();
    }

    public override bool IsOpen => _value is not null;

    public override void Step()
    {
        if (_value is null)
        {
            Open();
            return;
        }

        long since = Random.Next(4) - 1;
        switch (Random.Next(10))
        {
            case 0:
                Outcomes.Try("writer.Dispose", () => _writer?.Dispose());
                _writer = null;
                Outcomes.Try("CreateWriter", () => _writer = _value.CreateWriter());
                break;
            case 1 or 2 when _writer is not null:
                Outcomes.Try("Write", () => _writer.Write(new string('x', Random.Next(200))));
                break;
            case 3: Outcomes.Try("Read", () => _value.Read(Soon())); break;
            case 4: Outcomes.Try("WaitForChange", () => _value.WaitForChange(since, Soon())); break;
            case 5: Await("WaitForChangeAsync", end => _value.WaitForChangeAsync(since, end).AsTask()); break;
            case 6: Outcomes.Try("Version", () => GC.KeepAlive(_value.Version + (_value.HasWriter ? 1 : 0))); break;
            case 7 when Random.Next(4) == 0: Dispose(); break;
            default: Outcomes.Try("TryRead", () => _value.TryRead(out _)); break;
        }
    }

    public override void Dispose()
    {
        IDisposable?[] all = [_writer, _value];
        (_writer, _value) = (null, null);
        foreach (IDisposable? one in all)
        {
            if (one is not null && !Outcomes.Try("Dispose", one.Dispose))
            {
                throw new InvalidOperationException($"{Outcomes.Case}: disposing a {one.GetType()} failed.");
            }
        }
    }

    private void Open() => Outcomes.Try("Open", () => _value = SharedValue.Open(HostileKind.Region, new StringPayload(), _options));
}
