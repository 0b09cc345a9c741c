// worker-pool compress FILE: a job farm. Each chunk becomes a member of a gzip file, in order; the file is read back and compared.
using System.Buffers.Binary;
using System.CommandLine;
using System.Diagnostics;
using System.IO.Compression;
using System.Security.Cryptography;
using ShmIpc.Examples.Terminal;
using ShmIpc.Workers;

namespace ShmIpc.Examples.Pool.Commands;

internal static class CompressCommand
{
    private const int ChunkBytes = 1 << 18;
    private const byte IsPlace = 0;
    private const byte IsChunk = 1;

    public static Command Create()
    {
        var file = new Argument<FileInfo>("FILE") { Description = "The file to compress" };
        var output = new Option<FileInfo?>("--output") { Description = "Where to (default: FILE.gz); it must not be there", HelpName = "FILE" };
        var settings = new PoolSettings();
        var command = new Command("compress", "Compresses a file to gzip in parallel; ends with 2 when it cannot be decompressed to the same")
        {
            file, output, settings.Workers, settings.Mode, settings.Quick, settings.Json,
        };
        command.SetAction(parsed =>
        {
            string path = PoolSettings.Require(parsed.GetRequiredValue(file));
            string target = parsed.GetValue(output)?.FullName ?? path + ".gz";
            if (Path.Exists(target))
                throw new ExampleException(ExitCode.Failed, $"{target} is there already: remove it, or name another with --output.");
            PoolReport report = RunAsync(path, target, settings.ToOptions(parsed, path, Preload)).GetAwaiter().GetResult();
            return settings.Report(report, parsed);
        });
        return command;
    }

    /// <summary>A job is a byte that says what follows: a place in the file, which the worker has mapped, or the chunk itself.</summary>
    public static byte[] Compress(byte[] job, WorkerContext context)
    {
        if (job[0] == IsChunk)
        {
            SharedFile.Unmap();
            return Member(job.AsSpan(1));
        }
        return SharedFile.Of(context, isCopied: false).Read(
            BinaryPrimitives.ReadInt64LittleEndian(job.AsSpan(1)), BinaryPrimitives.ReadInt32LittleEndian(job.AsSpan(9)), Member);
    }

    private static void Preload() => Member("one"u8);

    private static byte[] Member(ReadOnlySpan<byte> chunk)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Optimal))
            gzip.Write(chunk);
        return buffer.ToArray();
    }

    private static async Task<PoolReport> RunAsync(string path, string target, WorkerPoolOptions options)
    {
        options.JobBufferBytes = 8 << 20;
        options.ResultBufferBytes = 2 << 20;
        var clock = Stopwatch.StartNew();
        await using var pool = await WorkerPool.StartAsync<byte[], byte[]>(Compress, options);
        double ready = clock.Elapsed.TotalMilliseconds;

        using var source = File.OpenHandle(path);
        long length = RandomAccess.GetLength(source);
        clock.Restart();
        using var unfinished = new TemporaryFile(target + ".unfinished");
        await using (FileStream stream = unfinished.Rewrite())
        {
            await foreach (byte[] member in pool.RunAsync(Chunks(hasBytes: false)))
                await stream.WriteAsync(member);
        }
        double poolSeconds = clock.Elapsed.TotalSeconds;
        WorkerMemory shared = WorkerMemory.Of(pool);
        byte[] viaJobs = await HashAsync(Chunks(hasBytes: true));
        WorkerMemory notShared = WorkerMemory.Of(pool);

        clock.Restart();
        foreach (byte[] job in Chunks(hasBytes: true))
            Member(job.AsSpan(1));
        double singleSeconds = clock.Elapsed.TotalSeconds;

        bool isSame = IsSame(path, unfinished.Path, viaJobs);
        long compressed = new FileInfo(unfinished.Path).Length;
        if (isSame)
            File.Move(unfinished.Path, target);
        return PoolReport.Of(pool, path, length, ready, poolSeconds, singleSeconds, shared, notShared, isSame) with
        {
            CompressedBytes = compressed,
        };

        async Task<byte[]> HashAsync(IEnumerable<byte[]> jobs)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await foreach (byte[] member in pool.RunAsync(jobs))
                hash.AppendData(member);
            return hash.GetHashAndReset();
        }

        IEnumerable<byte[]> Chunks(bool hasBytes)
        {
            for (long offset = 0; offset < length; offset += ChunkBytes)
            {
                int size = (int)Math.Min(ChunkBytes, length - offset);
                byte[] job = new byte[1 + (hasBytes ? size : 12)];
                job[0] = hasBytes ? IsChunk : IsPlace;
                BinaryPrimitives.TryWriteInt64LittleEndian(job.AsSpan(1), offset);
                if (!hasBytes)
                    BinaryPrimitives.WriteInt32LittleEndian(job.AsSpan(9), size);
                else if (RandomAccess.Read(source, job.AsSpan(1), offset) != size)
                    throw new IOException($"{path} became shorter while it was read.");
                yield return job;
            }
        }
    }

    // What was made from mapped chunks is what was made from chunks in the jobs, and it becomes the file again.
    private static bool IsSame(string path, string compressed, byte[] hash)
    {
        using var original = File.OpenRead(path);
        using var members = File.OpenRead(compressed);
        if (!SHA256.HashData(members).AsSpan().SequenceEqual(hash))
            return false;
        members.Position = 0;
        using var stream = new GZipStream(members, CompressionMode.Decompress);
        return SHA256.HashData(original).AsSpan().SequenceEqual(SHA256.HashData(stream));
    }
}
