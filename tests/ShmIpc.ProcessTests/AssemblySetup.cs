// How the whole assembly runs: one test at a time (each fills the machine with processes), and a look around at the end.

using ShmIpc.ProcessTests.Harness;
using Xunit.Sdk;
using Xunit.v3;

[assembly: Parallelization(Mode = ParallelMode.None)]
[assembly: AssemblyFixture(typeof(LeftoverCheck))]
