using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;

namespace ShmIpc.Workers;

/// <summary>The pipes that become a worker's stdout and stderr. At its end it closes the ends that the worker has by then, and the others
/// too unless somebody listens to them.</summary>
internal sealed class WorkerStreams : IDisposable
{
    private readonly SafeFileHandle _output;
    private readonly SafeFileHandle _errors;
    private bool _isKept;

    public WorkerStreams()
    {
        (_output, OutputEnd) = LinuxPipe.Create();
        try
        {
            (_errors, ErrorsEnd) = LinuxPipe.Create();
        }
        catch
        {
            _output.Dispose();
            OutputEnd.Dispose();
            throw;
        }
    }

    /// <summary>What the worker writes to as its stdout.</summary>
    public SafeFileHandle OutputEnd { get; }

    /// <summary>What the worker writes to as its stderr.</summary>
    public SafeFileHandle ErrorsEnd { get; }

    /// <summary>The reading ends of stdout and stderr, in this order: the caller's from here on.</summary>
    public SafeFileHandle[] Keep()
    {
        _isKept = true;
        return [_output, _errors];
    }

    public void Dispose()
    {
        OutputEnd.Dispose();
        ErrorsEnd.Dispose();
        if (!_isKept)
        {
            _output.Dispose();
            _errors.Dispose();
        }
    }
}
