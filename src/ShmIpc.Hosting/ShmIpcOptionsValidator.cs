// Checks ShmIpcOptions before any channel is opened, so that a wrong setting ends the start of the host with its configuration key, its
// value and what is allowed. It knows the limits of the settings and nothing of what stands in shared memory.

using Microsoft.Extensions.Options;
using ShmIpc.Channels;

namespace ShmIpc.Hosting;

internal sealed class ShmIpcOptionsValidator : IValidateOptions<ShmIpcOptions>
{
    public ValidateOptionsResult Validate(string? name, ShmIpcOptions options)
    {
        var failures = new List<string>();
        CheckRoot(failures, nameof(ShmIpcOptions.Root), options.Root);
        foreach ((string channel, ShmChannelOptions channelOptions) in options.Channels)
        {
            string key = $"{nameof(ShmIpcOptions.Channels)}:{channel}";
            Check(failures, key, channelOptions.Validate);
            CheckRoot(failures, $"{key}:{nameof(ShmIpcOptions.Root)}", channelOptions.Root);
        }

        foreach ((string channel, ShmConsumerOptions consumerOptions) in options.Consumers)
        {
            Check(failures, $"{nameof(ShmIpcOptions.Channels)}:{channel}:Consumer", consumerOptions.Validate);
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static void Check(List<string> failures, string key, Action validate)
    {
        try
        {
            validate();
        }
        catch (ArgumentOutOfRangeException error)
        {
            failures.Add($"The ShmIpc option {key}:{error.ParamName} is {error.ActualValue}. {Sentence(error)}");
        }
        catch (ArgumentException error)
        {
            failures.Add($"The ShmIpc options of {key} cannot be used. {Sentence(error)}");
        }
    }

    // What .NET appends to the message (parameter, actual value) stands in the key and the value already.
    private static string Sentence(ArgumentException error) => error.Message.Split(" (Parameter", 2)[0];

    private static void CheckRoot(List<string> failures, string key, string? root)
    {
        if (root is not null && !Path.IsPathRooted(root)) Fail(failures, key, $"'{root}'", "the absolute path of a directory");
    }

    private static void Fail(List<string> failures, string key, object? value, string allowed) =>
        failures.Add($"The ShmIpc option {key} is {value}, but must be {allowed}.");
}
