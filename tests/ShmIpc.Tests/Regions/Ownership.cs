using System.Text;
using ShmIpc.Interop;
using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Regions;

/// <summary>Gives files away, which takes root.</summary>
internal static unsafe class Ownership
{
    public const uint SomebodyElse = 54321;

    public static void Give(string path, uint user, uint group)
    {
        Assert.SkipUnless(LinuxProcess.EffectiveUserId == 0, "Only root can give a file to another user.");
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            Assert.Equal(0, LibC.chown(name, user, group));
        }
    }
}
