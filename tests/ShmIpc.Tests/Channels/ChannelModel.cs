// A channel beside a simple model of it. Each step is done to the channel, and what comes of it is compared with what the model says. Two
// attachments serve it, one of raw bytes and one of byte arrays, which are of the same format.
//
// Where the library is free the model accepts whatever is within its freedom:
//   - which lane's message comes next: any lane's next one;
//   - when exactly a reader gives room back, and so how far the floor is and when exactly a lane is full: cursors are known from below and
//     from above (ModelGroup), and the floor from above (ModelLane);
//   - when what a member left is handed out again: within 10 ms or so.
// Leaving stands for dying: nothing dies here, and the library recovers both by the same means.

using ShmIpc.Channels;
using ShmIpc.Serialization;
using Xunit;

namespace ShmIpc.Tests.Channels;

internal sealed partial class ChannelModel : IDisposable
{
    public const int MaxMessageBytes = (CapacityBytes / 2) - 16;
    private const int CapacityBytes = 4096;
    private const int MaxProducers = 3;
    private const int MaxGroups = 4;
    private const int MaxParticipants = 9;
    private const string Name = "model";

    private readonly ScratchRoot _root = new();
    private readonly ShmFullMode _mode;
    private readonly List<ModelLane> _lanes = [.. Enumerable.Range(0, MaxProducers).Select(number => new ModelLane(number))];
    private readonly List<ModelProducer> _producers = [];
    private readonly List<ModelGroup> _groups = [];
    private readonly List<ModelMember> _members = [];
    private ShmByteChannel _bytes;
    private ShmChannel<byte[]> _typed;
    private bool _isAnyCompleted;
    private long _published;
    private long _dropped;
    private int _salt;

    public ChannelModel(ShmFullMode mode)
    {
        _mode = mode;
        _bytes = ShmByteChannel.Create(Name, Options(CapacityBytes));
        _typed = ShmChannel.Open(Name, new BytesPayload(), Options(null));
    }

    /// <summary>Members of groups and observers with their places, and places of those who left something unfinished.</summary>
    private int UsedSlots => _producers.Count + _members.Count
        + _groups.Sum(group => group.Holds.Where(hold => hold.Slot.HasLeft).Select(hold => hold.Slot).Distinct().Count());

    public void Apply(ModelStep step)
    {
        ModelProducer? producer = _producers.Count > 0 ? _producers[step.Who % _producers.Count] : null;
        ModelMember? member = _members.Count > 0 ? _members[step.Who % _members.Count] : null;
        switch (step.Operation)
        {
            case ModelOperation.CreateProducer: CreateProducer(step.Choice); break;
            case ModelOperation.DisposeProducer when producer is not null: DisposeProducer(producer); break;
            case ModelOperation.Complete when producer is not null: Complete(producer, step.Choice % 2 == 0); break;
            case ModelOperation.Write when producer is not null: Write(producer, step.Bytes, step.Choice); break;
            case ModelOperation.Claim when producer?.Bytes is not null: Claim(producer, step.Bytes, step.Choice); break;
            case ModelOperation.Batch when producer?.Bytes is not null: WriteOpenBatch(producer, step.Bytes, step.Choice); break;
            case ModelOperation.WriteBatch when producer is not null: WriteBatch(producer, step.Bytes, step.Choice); break;
            case ModelOperation.CreateConsumer: CreateConsumer(step.Who, step.Choice); break;
            case ModelOperation.CreateObserver: CreateObserver(step.Choice); break;
            case ModelOperation.Leave when member is not null: Leave(member); break;
            case ModelOperation.Read when member is not null: Read(member); break;
            case ModelOperation.ReadBatch when member?.Bytes is not null: ReadBatch(member, producer, step); break;
            case ModelOperation.AcknowledgeOne when member is not null: AcknowledgeOne(member, step.Choice); break;
            case ModelOperation.AcknowledgeAll when member is not null: AcknowledgeAll(member); break;
            case ModelOperation.Wait when member is not null: Wait(member); break;
            case ModelOperation.Look when member is not null: Look(member); break;
            case ModelOperation.DeleteGroup: DeleteGroup(step.Choice); break;
            case ModelOperation.ListGroups: CompareGroups(); break;
            case ModelOperation.Reopen: Reopen(); break;
        }

        Compare();
    }

    /// <summary>Everybody reads what is left; then the channel is deleted.</summary>
    public void Finish()
    {
        CompareGroups();
        foreach (ModelMember member in _members)
        {
            long left = long.MaxValue;
            while (left > 0)
            {
                AcknowledgeAll(member);
                Read(member);
                Look(member);
                left = member.Count;
            }

            AcknowledgeAll(member);
            Wait(member);
        }

        CompareGroups();
        foreach (ModelMember member in _members.ToArray())
        {
            Leave(member);
        }

        Compare();
        Assert.True(ShmChannel.Exists(Name, _root.Path));
        Assert.True(ShmChannel.Delete(Name, _root.Path));
        Assert.False(ShmChannel.Delete(Name, _root.Path));
        Assert.False(ShmChannel.Exists(Name, _root.Path));
        Assert.Throws<ShmRegionDeletedException>(_bytes.CreateProducer);
        Assert.Throws<ShmRegionDeletedException>(() => _typed.CreateConsumer());
        Assert.Throws<ShmRegionDeletedException>(() => _bytes.CreateObserver(StartPosition.Latest));
        Assert.Throws<ShmRegionDeletedException>(() => _bytes.Groups);
        Assert.Throws<ShmRegionNotFoundException>(() => ShmByteChannel.Open(Name, Options(null)));
    }

    public void Dispose()
    {
        foreach (ModelMember member in _members)
        {
            member.Dispose();
        }

        foreach (ModelProducer producer in _producers)
        {
            producer.Dispose();
        }

        _bytes.Dispose();
        _typed.Dispose();
        _root.Dispose();
    }

    private ShmChannelOptions Options(long? capacityBytes) => new()
    {
        Root = _root.Path,
        LaneCapacityBytes = capacityBytes,
        MaxProducers = MaxProducers,
        MaxGroups = MaxGroups,
        MaxParticipants = MaxParticipants,
        FullMode = _mode,
    };

    private void Reopen()
    {
        Assert.ThrowsAny<Exception>(() => ShmByteChannel.Open(Name, Options(2 * CapacityBytes)));
        Assert.Throws<ShmRegionExistsException>(() => ShmByteChannel.Create(Name, Options(CapacityBytes)));
        _bytes.Dispose(); // producers and consumers that were made there stay usable
        _typed.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _bytes.ProducerCount);
        _bytes = ShmByteChannel.Open(Name, Options(CapacityBytes));
        _typed = ShmChannel.CreateOrOpen(Name, new BytesPayload(), Options(null));
        Assert.Equal((CapacityBytes, MaxMessageBytes, _mode), (_bytes.LaneCapacityBytes, _bytes.MaxMessageBytes, _typed.FullMode));
    }

    /// <summary>What can be looked at without a change.</summary>
    private void Compare()
    {
        Assert.Equal(_producers.Count, _bytes.ProducerCount);
        Assert.Equal(_groups.Sum(group => group.Members.Count), _typed.ConsumerCount);
        Assert.Equal(_dropped, _typed.DroppedMessages);
        foreach (ModelProducer producer in _producers)
        {
            Assert.Equal(producer.Dropped, producer.DroppedMessages);
        }

        foreach (ModelMember member in _members)
        {
            Assert.Equal(member.Group?.Name, member.GroupName);
            Assert.Equal(member.IsReading, member.IsActive);
            Assert.Equal(member.IsCompleted, member.Completion.IsCompleted);
        }
    }
}
