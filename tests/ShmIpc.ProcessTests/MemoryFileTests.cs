// Files in memory that another process is handed, by each of the three ways, and what it can and cannot do with them.

using System.Net.Sockets;
using ShmIpc.Memory;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Roles;

namespace ShmIpc.ProcessTests;

public sealed class MemoryFileTests
{
    private static readonly int _page = Environment.SystemPageSize;

    [Theory]
    [InlineData(MemoryFileRole.Path)]
    [InlineData(MemoryFileRole.Inheritance)]
    [InlineData(MemoryFileRole.Socket)]
    public void A_child_reads_what_its_parent_wrote_and_answers(string way)
    {
        using MemoryFile file = MemoryFile.Create("shared", 3 * _page);
        using MemoryMapping mapping = file.Map();
        mapping.Write(0, 21L);
        using ChildProcess child = Hand(file, way);
        Assert.Equal(["ok"], child.Expect("receive"));
        Assert.Equal(["shared", $"{3 * _page}", "True"], child.Expect("received"));
        Assert.Equal(["ok"], child.Expect("require"));
        Assert.Equal(["21"], child.Expect("read"));
        Assert.Equal(["ok"], child.Expect("write"));
        Assert.Equal(["ok"], child.Expect("reopen"));
        Assert.Equal(42, mapping.Read<long>(sizeof(long)));
        End(child);
    }

    [Theory]
    [InlineData(MemoryFileRole.Path)]
    [InlineData(MemoryFileRole.Inheritance)]
    [InlineData(MemoryFileRole.Socket)]
    public void A_child_only_reads_what_is_sealed_and_its_parent_goes_on_writing(string way)
    {
        using MemoryFile file = MemoryFile.Create("sealed", _page);
        using MemoryMapping mapping = file.Map();
        mapping.Write(0, 21L);
        file.Seal(MemorySeals.FutureWrite);
        using ChildProcess child = Hand(file, way);
        Assert.Equal(["ok"], child.Expect("receive"));
        Assert.Equal(["sealed", $"{_page}", "True"], child.Expect("received"));
        Assert.Equal(["ok"], child.Expect("require"));
        Assert.Equal(["21"], child.Expect("read"));
        IsRefused(child, "write", "sealed with FutureWrite");
        IsRefused(child, "reopen", "sealed with FutureWrite");
        mapping.Write(0, 22L);
        Assert.Equal(22, mapping.Read<long>(0));
        Assert.Equal(0, mapping.Read<long>(sizeof(long)));
        End(child);
    }

    [Theory]
    [InlineData(MemoryFileRole.Inheritance)]
    [InlineData(MemoryFileRole.Socket)]
    public void A_read_only_descriptor_keeps_only_other_users_from_writing(string way)
    {
        using MemoryFile file = MemoryFile.Create("mine", _page, new MemoryFileOptions { Seals = MemorySeals.None });
        using MemoryFile readOnly = file.OpenReadOnly();
        using MemoryMapping mapping = file.Map();
        mapping.Write(0, 21L);
        bool isOther = Environment.IsPrivilegedProcess; // as an ordinary user there is only that one
        using ChildProcess child = Hand(readOnly, way, isOther ? Party.As(Users.First, Users.Group) : []);
        Assert.Equal(["ok"], child.Expect("receive"));
        Assert.Equal(["mine", $"{_page}", "False"], child.Expect("received"));
        string refusal = string.Join(' ', child.Expect("require"));
        Assert.StartsWith("ShmException", refusal, StringComparison.Ordinal);
        Assert.Contains("truncate it", refusal, StringComparison.Ordinal);
        Assert.Contains("SIGBUS", refusal, StringComparison.Ordinal);
        Assert.Equal(["21"], child.Expect("read"));
        IsRefused(child, "write", "opened read-only");
        if (isOther)
        {
            IsRefused(child, "reopen", "not this user's to write");
        }
        else
        {
            Assert.Equal(["ok"], child.Expect("reopen")); // which the documentation warns of
        }

        Assert.Equal(0, mapping.Read<long>(sizeof(long)));
        End(child);
    }

    [Fact]
    public void Another_user_cannot_take_it_from_this_process()
    {
        Users.RequireRoot();
        using MemoryFile file = MemoryFile.Create("mine", _page);
        using ChildProcess child = Hand(file, MemoryFileRole.Path, Party.As(Users.First, Users.Group));
        IsRefused(child, "receive", "EACCES", "belongs to another user", "DescriptorPassing");
        child.ExpectEnd();
    }

    [Fact]
    public void A_child_does_not_inherit_what_nobody_made_inheritable_nor_what_is_closed_again()
    {
        using MemoryFile file = MemoryFile.Create("mine", _page);
        using ChildProcess child = Start(MemoryFileRole.Inheritance, file.Descriptor, []);
        IsRefused<ArgumentException>(child, "receive", $"no descriptor {file.Descriptor} that this process inherited");
        child.ExpectEnd();
        int number;
        using (InheritableDescriptor inheritable = file.MakeInheritable())
        {
            number = inheritable.Number;
        }

        using ChildProcess late = Start(MemoryFileRole.Inheritance, number, []);
        IsRefused<ArgumentException>(late, "receive", $"no descriptor {number} that this process inherited");
        late.ExpectEnd();
    }

    [Fact]
    public void A_receiver_without_descriptors_closes_those_that_it_was_given()
    {
        using ScratchRoot root = new();
        using MemoryFile file = MemoryFile.Create("x", _page);
        using Socket listener = Listen(root, out string path);
        using ChildProcess child = ChildProcess.Start("descriptor-receiver", ("socket", path));
        using Socket socket = Accept(listener);
        Send();
        Assert.Equal(["2"], child.Expect("received"));
        Send();
        string[] words = child.Expect("refused");
        Assert.Equal("0", words[0]);
        Assert.Contains("RLIMIT_NOFILE", string.Join(' ', words), StringComparison.Ordinal);
        Send();
        Assert.Equal(["2"], child.Expect("received"));
        child.ExpectEnd();

        void Send() => DescriptorPassing.Send(socket, [1], file.Handle, file.Handle);
    }

    private static ChildProcess Hand(MemoryFile file, string way, params (string Key, object Value)[] user)
    {
        if (way == MemoryFileRole.Path)
        {
            return Start(way, file.Descriptor, user);
        }

        if (way == MemoryFileRole.Inheritance)
        {
            using InheritableDescriptor inheritable = file.MakeInheritable();
            return Start(way, inheritable.Number, user);
        }

        using ScratchRoot root = new();
        Users.Open(root.Path);
        using Socket listener = Listen(root, out string path);
        ChildProcess child = ChildProcess.Start("memory-file", [("way", way), ("socket", path), .. user]);
        try
        {
            using Socket socket = Accept(listener);
            DescriptorPassing.Send(socket, [1], file.Handle);
            return child;
        }
        catch
        {
            child.Dispose();
            throw;
        }
    }

    private static ChildProcess Start(string way, int descriptor, (string Key, object Value)[] user) =>
        ChildProcess.Start("memory-file", [("way", way), ("descriptor", descriptor), .. user]);

    private static Socket Listen(ScratchRoot root, out string path)
    {
        path = root.FileOf("s");
        Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        Users.Open(path);
        return listener;
    }

    private static Socket Accept(Socket listener)
    {
        Assert.True(listener.Poll(ChildProcess.Patience, SelectMode.SelectRead), "The child does not connect.");
        return listener.Accept();
    }

    private static void End(ChildProcess child)
    {
        child.Send("end");
        child.ExpectEnd();
    }

    private static void IsRefused(ChildProcess child, string what, params string[] parts) =>
        IsRefused<UnauthorizedAccessException>(child, what, parts);

    private static void IsRefused<TException>(ChildProcess child, string what, params string[] parts)
    {
        string answer = string.Join(' ', child.Expect(what));
        Assert.StartsWith(typeof(TException).Name, answer, StringComparison.Ordinal);
        foreach (string part in parts)
        {
            Assert.Contains(part, answer, StringComparison.Ordinal);
        }
    }
}
