// A control group that lets this process have a few huge pages of 2 MiB only, while the pool has more: the kernel notices at the touch, not
// when memory is mapped. As root, where the process is in the root group and that group can limit huge pages; skipped elsewhere.

using System.Globalization;
using Xunit;

namespace ShmIpc.Tests.Memory;

internal sealed class HugePageLimit : IDisposable
{
    private readonly string _root;
    private readonly string _group;
    private readonly bool _wasOn;

    public HugePageLimit(long bytes)
    {
        string[] roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
        _root = roots.FirstOrDefault(root => Read(root, "cgroup.controllers").Contains("hugetlb"), "");
        Assert.SkipWhen(_root.Length == 0, "Control groups do not limit huge pages here.");
        Assert.SkipUnless(File.ReadAllLines("/proc/self/cgroup").Contains("0::/"), "This process is not in the root control group.");
        _wasOn = Read(_root, "cgroup.subtree_control").Contains("hugetlb");
        _group = Path.Combine(_root, "shmipc-test-" + Guid.NewGuid().ToString("N"));
        try
        {
            if (!_wasOn) File.WriteAllText(Path.Combine(_root, "cgroup.subtree_control"), "+hugetlb");
            Directory.CreateDirectory(_group);
            File.WriteAllText(Path.Combine(_group, "hugetlb.2MB.max"), bytes.ToString(CultureInfo.InvariantCulture));
            MoveTo(_group);
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            Remove();
            Assert.Skip($"This user may not limit huge pages: {error.Message}");
        }
    }

    public void Dispose()
    {
        MoveTo(_root);
        Remove();
    }

    private static string[] Read(string directory, string name)
    {
        var path = Path.Combine(directory, name);
        return File.Exists(path) ? File.ReadAllText(path).Split([' ', '\n']) : [];
    }

    private static void MoveTo(string group) =>
        File.WriteAllText(Path.Combine(group, "cgroup.procs"), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));

    private void Remove()
    {
        if (Directory.Exists(_group)) Directory.Delete(_group); // rmdir: what is in it is the kernel's
        if (!_wasOn && Read(_root, "cgroup.subtree_control").Contains("hugetlb"))
        {
            File.WriteAllText(Path.Combine(_root, "cgroup.subtree_control"), "-hugetlb");
        }
    }
}
