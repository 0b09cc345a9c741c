using ShmIpc.Interop;
using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Interop;

public sealed class LinuxErrorTests
{
    [Fact]
    public void The_message_says_what_was_tried_why_it_failed_and_what_to_do()
    {
        var error = LinuxError.ToException(LibC.ENOMEM, "mmap", "length 8192");

        Assert.StartsWith("mmap(length 8192) failed: ENOMEM (12, Cannot allocate memory). ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("Try again, or map less.", error.Message, StringComparison.Ordinal);
        Assert.Equal(LibC.ENOMEM, Assert.IsType<ShmException>(error).ErrorNumber);
    }

    [Fact]
    public void A_cure_of_the_caller_replaces_the_general_one() =>
        Assert.EndsWith("No such file or directory). Make it.", LinuxError.ToException(LibC.ENOENT, "open", "\"x\"", "Make it.").Message);

    [Theory]
    [InlineData(1)] // EPERM
    [InlineData(13)] // EACCES
    public void Missing_permission_is_an_UnauthorizedAccessException(int errno) =>
        Assert.IsType<UnauthorizedAccessException>(LinuxError.ToException(errno, "open", "\"x\""));

    [Theory]
    [InlineData(28)] // ENOSPC
    [InlineData(122)] // EDQUOT
    public void A_full_file_system_is_a_ShmNoSpaceException(int errno) =>
        Assert.Equal(errno, Assert.IsType<ShmNoSpaceException>(LinuxError.ToException(errno, "posix_fallocate", "length 1")).ErrorNumber);

    [Fact]
    public void Every_number_gives_a_whole_sentence()
    {
        for (var errno = 1; errno <= 140; errno++)
        {
            var message = LinuxError.ToException(errno, "call", "").Message;
            Assert.Matches(@"^call\(\) failed: (E[A-Z0-9]+|errno \d+) \(\d+, .+\)\.( .+[.)])?$", message);
        }
    }

    [Fact]
    public void Numbers_without_a_name_are_told_by_number()
    {
        Assert.Equal("errno 0", LinuxError.NameOf(0));
        Assert.Equal("errno 41", LinuxError.NameOf(41));
        Assert.Equal("errno 134", LinuxError.NameOf(134));
        Assert.Equal("errno -5", LinuxError.NameOf(-5));
        Assert.Equal("EHWPOISON", LinuxError.NameOf(133));
    }

    [Fact]
    public void LastErrno_is_that_of_the_call_before()
    {
        Assert.Equal(-1, LibC.close(-1));
        Assert.Equal(LibC.EBADF, LinuxError.LastErrno);
    }
}
