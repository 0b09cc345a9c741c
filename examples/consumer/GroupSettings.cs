// Which group of consumers the live consumer joins.
using ShmIpc.Channels;
using ShmIpc.Hosting;

namespace ShmIpc.Examples.Consumer;

/// <summary>The group as named on the command line.</summary>
/// <param name="Name">Its name; null for a group of the consumer's own, which sees every sample.</param>
/// <param name="IsShared">The consumers of the group share the samples; otherwise one shows them, and the others stand by.</param>
/// <param name="IsDurable">The group stays when its last consumer ends.</param>
internal sealed record GroupSettings(string? Name, bool IsShared, bool IsDurable)
{
    /// <summary>Tells the library.</summary>
    public void ApplyTo(ShmConsumerOptions options)
    {
        options.Group = Name;
        options.Kind = IsShared ? GroupKind.Shared : GroupKind.Exclusive;
        options.Durable = IsDurable;
    }
}
