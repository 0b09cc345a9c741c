// What to do about a channel that is, or is not, there.

namespace ShmIpc.Channels;

internal enum ChannelOpenMode
{
    CreateOrOpen,
    Create,
    Open,
}
