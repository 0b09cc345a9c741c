namespace ShmIpc.Diagnostics;

/// <summary>How much a <see cref="Finding"/> matters.</summary>
public enum Severity
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>Worth knowing; something is slower, or takes more, than it could.</summary>
    Note,

    /// <summary>Works, and may fail under load.</summary>
    Warning,

    /// <summary>Does not work.</summary>
    Problem,
}
