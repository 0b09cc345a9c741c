// The door: what an application calls first. It stands in the namespace where every host's Program.cs looks for such methods.
#pragma warning disable IDE0130 // not the folder's namespace: see above

using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using ShmIpc.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds ShmIpc to a host's services.</summary>
public static class ShmIpcServiceCollectionExtensions
{
    /// <summary>Adds ShmIpc with the settings of the host's configuration section <c>ShmIpc</c>, where there is one.</summary>
    /// <param name="services">The services of the host.</param>
    /// <returns>A builder that adds producers and consumers.</returns>
    public static ShmIpcBuilder AddShmIpc(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<ShmIpcOptions>().Configure<IServiceProvider>(static (options, provider) =>
        {
            IConfigurationSection? section = provider.GetService<IConfiguration>()?.GetSection(ShmIpcOptions.SectionName);
            if (section is not null) ShmIpcConfiguration.Read(section, options);
        });
        return AddCore(services);
    }

    /// <summary>Adds ShmIpc with the settings of a configuration section.</summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="section">The section that holds <c>Root</c> and <c>Channels</c>. A key that is not known is an error when the host
    /// starts.</param>
    /// <returns>A builder that adds producers and consumers.</returns>
    public static ShmIpcBuilder AddShmIpc(this IServiceCollection services, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(section);
        services.AddOptions<ShmIpcOptions>().Configure(options => ShmIpcConfiguration.Read(section, options));
        return AddCore(services);
    }

    /// <summary>Adds ShmIpc with settings from code. What is set here changes what an earlier call took from the configuration.</summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="configure">Changes the settings.</param>
    /// <returns>A builder that adds producers and consumers.</returns>
    public static ShmIpcBuilder AddShmIpc(this IServiceCollection services, Action<ShmIpcOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<ShmIpcOptions>().Configure(configure);
        return AddCore(services);
    }

    private static ShmIpcBuilder AddCore(IServiceCollection services)
    {
        services.AddOptions<ShmIpcOptions>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ShmIpcOptions>, ShmIpcOptionsValidator>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, ChannelStartup>());
        return new ShmIpcBuilder(services);
    }
}
