using System.Diagnostics.CodeAnalysis;
using ShmIpc.Channels;
using ShmIpc.Serialization;

namespace ShmIpc.AotSmoke;

/// <summary>Blittable structs in native code: the layout must be the one that the JIT compiler sees, or no process could talk to
/// another.</summary>
internal static class Structs
{
    private const DynamicallyAccessedMemberTypes Fields =
        DynamicallyAccessedMemberTypes.PublicFields | DynamicallyAccessedMemberTypes.NonPublicFields;

    /// <summary>Goes through all of them, and returns what was not as expected.</summary>
    [DynamicDependency(Fields, typeof(Quote))]
    [DynamicDependency(Fields, typeof(Levels))]
    [DynamicDependency(Fields, typeof((byte, Side)))]
    public static IEnumerable<string> Try(ShmChannelOptions options)
    {
        BlittablePayload<Quote> quotes = new();
        // The same two constants as in BlittablePayloadTests, which the JIT compiler runs.
        if (quotes.Schema != 0x56611FE4266B131D || quotes.Layout != "24 bytes: 0 long Id, 8 double Price, 16 bool IsBid")
        {
            yield return $"0x{quotes.Schema:X16}: {quotes.Layout}";
        }

        BlittablePayload<Book> books = new();
        string expected = "88 bytes: 0 DateTime Time, 8 long Levels[3 x 24].Id, 16 double Levels[3 x 24].Price, "
            + "24 bool Levels[3 x 24].IsBid, 80 short Key.Item2, 82 byte Key.Item1, 84 bool Flags[3 x 1]";
        if (books.Layout != expected)
        {
            yield return $"{books.Layout}, expected {expected}";
        }

        using ShmChannel<Book> channel = ShmChannel.Create("books", books, options);
        using Producer<Book> producer = channel.CreateProducer();
        using Consumer<Book> consumer = channel.CreateConsumer();
        Book sent = new() { Time = DateTime.MaxValue, Key = (3, Side.Sell) };
        sent.Levels[2] = new Quote(7, 2.5, true);
        producer.Write(sent);
        Book got = consumer.Read();
        if (got.Time != sent.Time || got.Key != sent.Key || got.Levels[2] != sent.Levels[2])
        {
            yield return "another book";
        }

        // Refused with the cure, or carried whole where the fields are there all the same; never taken for a struct without fields.
        string outcome = TryForgotten();
        if (outcome != "4 bytes: 0 int First.Number" && !outcome.Contains("DynamicDependency", StringComparison.Ordinal))
        {
            yield return outcome;
        }
    }

    private static string TryForgotten()
    {
        try
        {
            return new BlittablePayload<Forgotten>().Layout;
        }
        catch (NotSupportedException refused)
        {
            return refused.Message;
        }
    }
}
