// A participant that can sleep in a waiting room: where its doorbell is, and what keeps the doorbell's memory mapped meanwhile.

namespace ShmIpc.Waiting;

internal interface ISleeper
{
    /// <summary>The room it sleeps in.</summary>
    WaitingRoom Room { get; }

    /// <summary>Its slot, and so its doorbell.</summary>
    int Slot { get; }

    /// <summary>True for one that no publisher needs to wake: it sets no bit, and looks again when its bell rings, or after
    /// <see cref="WaitingRoom.MaxPark"/>.</summary>
    bool IsQuiet => false;

    /// <summary>From here to <see cref="EndKeepAlive"/> the room's memory stays mapped, whoever disposes what.</summary>
    /// <exception cref="ObjectDisposedException">It is unmapped already.</exception>
    void KeepAlive();

    void EndKeepAlive();
}
