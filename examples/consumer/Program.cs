// The consumer: shows the counters a producer publishes, or checks a replay. ConsumerProgram.cs has the command line.
using ShmIpc.Examples.Consumer;

return await new ConsumerProgram().RunAsync(args);
