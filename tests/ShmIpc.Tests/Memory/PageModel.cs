// What the pages of a mapping are to be, page by page, without any cleverness: what Protect said, raised by open scopes, and by uses that
// needed more than Protect gave them.

using ShmIpc.Memory;

namespace ShmIpc.Tests.Memory;

internal sealed class PageModel(int pages)
{
    private readonly MemoryAccess[] _protected = [.. Enumerable.Repeat(MemoryAccess.ReadWrite, pages)];
    private readonly List<Use> _uses = [];

    public enum Kind
    {
        Scope,
        Reader,
        Writer,
    }

    public IEnumerable<string> Permissions => Enumerable.Range(0, pages).Select(page => Expected(page) switch
    {
        MemoryAccess.ReadOnly => "r--p",
        MemoryAccess.ReadWrite => "rw-p",
        MemoryAccess.ReadExecute => "r-xp",
        _ => "---p",
    });

    public bool Allows(Kind kind, int first, int end) => Enumerable.Range(first, end - first).All(page =>
        Suffices(_protected[page], kind) || _uses.Any(use => use.Kind == Kind.Scope && use.Has(page)));

    public Use Add(Kind kind, int first, int end)
    {
        var use = new Use(kind, first, end);
        _uses.Add(use);
        return use;
    }

    public void Remove(Use use) => _uses.Remove(use);

    public bool TryProtect(int first, int end, MemoryAccess access)
    {
        var isNeeded = _uses.Any(use => use.Kind != Kind.Scope && Enumerable.Range(first, end - first)
            .Any(page => use.Has(page) && Suffices(_protected[page], use.Kind) && !Suffices(access, use.Kind)));
        if (!isNeeded) Array.Fill(_protected, access, first, end - first);
        return !isNeeded;
    }

    private MemoryAccess Expected(int page)
    {
        var needs = _uses.Where(use => use.Has(page) && !Suffices(_protected[page], use.Kind)).ToArray();
        if (needs.Any(use => use.Kind != Kind.Reader)) return MemoryAccess.ReadWrite;
        return needs.Length > 0 ? MemoryAccess.ReadOnly : _protected[page];
    }

    private static bool Suffices(MemoryAccess access, Kind kind) =>
        kind == Kind.Reader ? access != MemoryAccess.None : access == MemoryAccess.ReadWrite;

    public sealed class Use(Kind kind, int first, int end)
    {
        public Kind Kind => kind;

        public bool Has(int page) => page >= first && page < end;
    }
}
