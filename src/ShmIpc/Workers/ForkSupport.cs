using System.Diagnostics.CodeAnalysis;

namespace ShmIpc.Workers;

/// <summary>Whether this process can fork, and how it can be brought to.</summary>
[Experimental(DiagnosticId)]
public static class ForkSupport
{
    internal const string DiagnosticId = "SHMIPC001";
}
