// What ends an example program with a sentence instead of a stack trace.
using Microsoft.Extensions.Options;

namespace ShmIpc.Examples.Terminal;

/// <summary>Something that the person at the keyboard can put right. The message is all they see.</summary>
public sealed class ExampleException(int exitCode, string message) : Exception(message)
{
    /// <summary>One of <see cref="Terminal.ExitCode"/>.</summary>
    public int ExitCode { get; } = exitCode;

    /// <summary>The exit code for <paramref name="exception"/> when its message explains it to a user, or null when it is a bug and
    /// deserves its stack trace.</summary>
    public static int? ExitCodeOf(Exception exception) => exception switch
    {
        ExampleException failure => failure.ExitCode,
        ShmPayloadException or ShmCorruptionException => Terminal.ExitCode.Mismatch,
        // Every error of the library that a user can cause is one of these: no space, no permission, another format, a bad name.
        IOException or UnauthorizedAccessException or ArgumentException or PlatformNotSupportedException or TimeoutException => Terminal.ExitCode.Failed,
        OptionsValidationException => Terminal.ExitCode.Failed,
        _ => null,
    };

    /// <summary>Says on standard error why the program ends.</summary>
    public static void Report(Exception exception) =>
        Console.Error.WriteLine($"{AppDomain.CurrentDomain.FriendlyName}: {MessageOf(exception)}");

    /// <summary>What a user is told. .NET adds the name of a parameter in the code, which is nothing a user knows.</summary>
    public static string MessageOf(Exception exception) =>
        exception is ArgumentException ? exception.Message.Split(" (Parameter '")[0] : exception.Message;
}
