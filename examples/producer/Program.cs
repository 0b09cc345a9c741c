// The producer: publishes this machine's counters, or the lines of a file. ProducerProgram.cs has the command line.
using ShmIpc.Examples.Producer;

return await new ProducerProgram().RunAsync(args);
