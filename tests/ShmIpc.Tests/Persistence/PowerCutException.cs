namespace ShmIpc.Tests.Persistence;

/// <summary>The power went out during a flush.</summary>
internal sealed class PowerCutException : Exception;
