// One recorded log event.

using Microsoft.Extensions.Logging;

namespace ShmIpc.Hosting.Tests;

internal sealed record LogEntry(LogLevel Level, int EventId, string Message, Exception? Exception);
