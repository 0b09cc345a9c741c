// Two programs in one, both for check.sh: what valgrind runs, and what compares its counts with the recorded ones.
//
//     measure ROOT                           runs every scenario, and prints its name; ROOT is an empty directory in shared memory
//     compare PROFILES RECORDED [--record]   PROFILES is a directory with out.1, out.2 ..., one a scenario, and their names

using ShmIpc.InstructionCounts;

return args switch
{
    ["measure", var root] => Measure(root),
    ["compare", var profiles, var recorded] => Comparison.Compare(profiles, recorded),
    ["compare", var profiles, var recorded, "--record"] => Comparison.Record(profiles, recorded),
    _ => 2,
};

static int Measure(string root)
{
    foreach (Scenario scenario in Scenarios.All(root))
    {
        scenario.Run();
        Console.WriteLine(scenario.Name);
    }

    return 0;
}
