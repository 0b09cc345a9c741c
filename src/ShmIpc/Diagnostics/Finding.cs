namespace ShmIpc.Diagnostics;

/// <summary>One thing that <see cref="Doctor"/> looked at.</summary>
/// <param name="Severity">How much it matters.</param>
/// <param name="Subject">What was looked at, such as <c>/dev/shm</c>: the same words in every run.</param>
/// <param name="What">What was found, as a sentence.</param>
/// <param name="Cure">What to do about it, as a sentence; empty when there is nothing to do.</param>
public sealed record Finding(Severity Severity, string Subject, string What, string Cure = "");
