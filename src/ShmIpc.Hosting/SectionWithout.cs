// A configuration section without one of its children, which is read into options of another type.

using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;

namespace ShmIpc.Hosting;

internal sealed class SectionWithout(IConfigurationSection section, string child) : IConfigurationSection
{
    public string Key => section.Key;

    public string Path => section.Path;

    public string? Value
    {
        get => section.Value;
        set => section.Value = value;
    }

    public string? this[string key]
    {
        get => section[key];
        set => section[key] = value;
    }

    public IConfigurationSection GetSection(string key) => section.GetSection(key);

    public IEnumerable<IConfigurationSection> GetChildren() =>
        section.GetChildren().Where(inner => !inner.Key.Equals(child, StringComparison.OrdinalIgnoreCase));

    public IChangeToken GetReloadToken() => section.GetReloadToken();
}
