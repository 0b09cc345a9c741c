// Every public operation of a channel, in random order, against a model in memory (ChannelModel.cs). A failure prints the steps, made as
// few as CsCheck can, and the seed; the environment variable CsCheck_Seed repeats it.

using CsCheck;
using ShmIpc.Channels;
using Xunit;

namespace ShmIpc.Tests.Channels;

public class ChannelModelTests
{
    private static readonly Gen<int> _size = Gen.Frequency(
        (2, Gen.Const(0)), (10, Gen.Int[1, 60]), (8, Gen.Int[61, 700]), (3, Gen.Int[701, ChannelModel.MaxMessageBytes]),
        (1, Gen.Const(ChannelModel.MaxMessageBytes)), (1, Gen.Int[ChannelModel.MaxMessageBytes + 1, 5000]));

    private static readonly Gen<ModelOperation> _operation = Gen.Frequency(
        (5, Gen.Const(ModelOperation.CreateProducer)), (1, Gen.Const(ModelOperation.DisposeProducer)),
        (1, Gen.Const(ModelOperation.Complete)), (30, Gen.Const(ModelOperation.Write)), (6, Gen.Const(ModelOperation.Claim)),
        (4, Gen.Const(ModelOperation.Batch)), (4, Gen.Const(ModelOperation.WriteBatch)), (10, Gen.Const(ModelOperation.CreateConsumer)),
        (1, Gen.Const(ModelOperation.CreateObserver)), (4, Gen.Const(ModelOperation.Leave)), (40, Gen.Const(ModelOperation.Read)),
        (6, Gen.Const(ModelOperation.ReadBatch)), (8, Gen.Const(ModelOperation.AcknowledgeOne)),
        (4, Gen.Const(ModelOperation.AcknowledgeAll)), (5, Gen.Const(ModelOperation.Wait)), (3, Gen.Const(ModelOperation.Look)),
        (2, Gen.Const(ModelOperation.DeleteGroup)), (4, Gen.Const(ModelOperation.ListGroups)), (1, Gen.Const(ModelOperation.Reopen)));

    private static readonly Gen<ModelStep> _step = Gen.Select(
        _operation, Gen.Int[0, 35], _size, Gen.Int[0, 1023],
        (operation, who, bytes, choice) => new ModelStep(operation, who, bytes, choice));

    private static int Rounds => Environment.GetEnvironmentVariable("SHMIPC_LONG") == "1" ? 6_000 : 200;

    [Theory]
    [InlineData(ShmFullMode.Wait)]
    [InlineData(ShmFullMode.DropWrite)]
    [InlineData(ShmFullMode.DropOldest)]
    public void A_channel_behaves_as_its_model_does(ShmFullMode mode) => _step.List[1, 400].Sample(
        steps =>
        {
            using ChannelModel model = new(mode);
            steps.ForEach(model.Apply);
            model.Finish();
        },
        iter: Rounds,
        print: steps => string.Join(" ", steps));
}
