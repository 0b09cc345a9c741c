namespace ShmIpc.Tests.Channels;

/// <summary>What one step of the channel's model test does.</summary>
internal enum ModelOperation
{
    CreateProducer,
    DisposeProducer,
    Complete,
    Write,
    Claim,
    Batch,
    WriteBatch,
    CreateConsumer,
    CreateObserver,
    Leave,
    Read,
    ReadBatch,
    AcknowledgeOne,
    AcknowledgeAll,
    Wait,
    Look,
    DeleteGroup,
    ListGroups,
    Reopen,
}
