// Every number and every struct that crosses into C, compared with the C headers of the machine at hand.

using System.Globalization;
using System.Reflection;
using ShmIpc.Interop;
using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Interop;

public sealed class CHeadersTests
{
    private const BindingFlags Everything = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    [Fact]
    public void Constants_of_our_own_are_those_of_C()
    {
        var program = new CHeaderProgram();
        foreach (var field in typeof(LibCExtras).GetFields(Everything).Where(field => field.IsLiteral))
        {
            program.Constant(field.Name, ToDecimal(field.GetRawConstantValue()));
        }

        foreach (var property in typeof(LibCExtras).GetProperties(Everything))
        {
            program.Constant(property.Name, ToDecimal(property.GetValue(null)));
        }

        Assert.True(program.AssertCount >= 25, $"Reflection found {program.AssertCount} constants only.");
        Assert.Equal("", CCompiler.Check(program.ToString()));
    }

    [Fact]
    public void Constants_taken_from_TmdsLibC_are_those_of_C()
    {
        var program = new CHeaderProgram();
        foreach (var name in LibCUse.Constants.Except(["errno", "MAP_FAILED", "SIG_IGN"])) // a variable and pointers
        {
            var value = typeof(LibC).GetProperty(name)!.GetValue(null);
            program.Constant(name, value switch
            {
                mode_t mode => (uint)mode,
                sa_family_t family => (ushort)family,
                _ => ToDecimal(value),
            });
        }

        Assert.True(program.AssertCount >= 30, $"The metadata has {program.AssertCount} constants only.");
        Assert.Equal("", CCompiler.Check(program.ToString()));
    }

    [Fact]
    public unsafe void MapFailed_is_minus_one() => Assert.Equal(-1, (nint)LibC.MAP_FAILED);

    [Fact]
    public unsafe void The_handler_that_ignores_is_one() => Assert.Equal(1, (nint)LibC.SIG_IGN);

    [Fact]
    public void Error_numbers_have_their_C_names()
    {
        var program = new CHeaderProgram();
        foreach (var (number, name) in LinuxErrorNames.All) program.Constant(name, number);

        Assert.Equal(131, program.AssertCount);
        Assert.Equal("", CCompiler.Check(program.ToString()));
    }

    [Fact]
    public void Structs_have_the_sizes_and_offsets_of_C()
    {
        var structs = typeof(LibCExtras).GetNestedTypes(BindingFlags.Public | BindingFlags.NonPublic)
            .Where(type => type.IsValueType)
            .Concat(LibCUse.Structs())
            .ToArray();
        var program = new CHeaderProgram();
        foreach (var type in structs) program.Struct(type);

        foreach (var expected in (string[])["cmsghdr", "flock", "futex_waitv", "iovec", "msghdr", "rlimit", "stat", "statfs", "statvfs", "timespec"])
        {
            Assert.Contains(structs, type => type.Name == expected);
        }

        Assert.Equal("", CCompiler.Check(program.ToString()));
    }

    // The check itself must be able to fail; each of these differs from the truth by one thing.
    [Theory]
    [InlineData("a wrong number")]
    [InlineData("a name that C does not have")]
    [InlineData("a wrong size")]
    [InlineData("a wrong offset")]
    [InlineData("a field that C does not have")]
    [InlineData("nothing")]
    public void The_check_fails_on(string mistake)
    {
        var program = new CHeaderProgram();
        program.Constant("FUTEX_WAKE", mistake == "a wrong number" ? 2 : 1);
        program.Constant(mistake == "a name that C does not have" ? "FUTEX_SNORE" : "FUTEX_WAIT", 0);
        program.Size("flock", mistake == "a wrong size" ? 24 : 32);
        program.Field("flock", mistake == "a field that C does not have" ? "l_owner" : "l_start", mistake == "a wrong offset" ? 4 : 8, 8);

        var complaints = CCompiler.Check(program.ToString());
        Assert.Equal(mistake == "nothing", complaints.Length == 0);
    }

    private static decimal ToDecimal(object? value) => Convert.ToDecimal(value, CultureInfo.InvariantCulture);
}
