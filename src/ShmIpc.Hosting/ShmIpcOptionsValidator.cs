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
            Check(failures, $"{nameof(ShmIpcOptions.Channels)}:{channel}:", channelOptions);
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static void Check(List<string> failures, string key, ShmChannelOptions options)
    {
        try
        {
            options.Validate();
        }
        catch (ArgumentOutOfRangeException error)
        {
            // What .NET appends to the message (parameter, actual value) stands in the key and the value already.
            string sentence = error.Message.Split(" (Parameter", 2)[0];
            failures.Add($"The ShmIpc option {key}{error.ParamName} is {error.ActualValue}. {sentence}");
        }

        CheckRoot(failures, key + nameof(options.Root), options.Root);
    }

    private static void CheckRoot(List<string> failures, string key, string? root)
    {
        if (root is not null && !Path.IsPathRooted(root)) Fail(failures, key, $"'{root}'", "the absolute path of a directory");
    }

    private static void Fail(List<string> failures, string key, object? value, string allowed) =>
        failures.Add($"The ShmIpc option {key} is {value}, but must be {allowed}.");
}
