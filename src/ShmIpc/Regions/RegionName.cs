// The rules for the names of regions, in one place.

namespace ShmIpc.Regions;

internal static class RegionName
{
    public const int MaxLength = 200;
    private const string Rule = "A name has 1 to 200 of the characters A-Z a-z 0-9 . _ - and starts with a letter or a digit.";

    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="ArgumentException">The name breaks the rule; the message says where.</exception>
    public static void Check(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length == 0)
        {
            throw new ArgumentException($"The name is empty. {Rule}", nameof(name));
        }

        if (name.Length > MaxLength)
        {
            throw new ArgumentException($"The name has {name.Length} characters. {Rule}", nameof(name));
        }

        for (int i = 0; i < name.Length; i++)
        {
            char c = name[i];
            if (!char.IsAsciiLetterOrDigit(c) && (i == 0 || c is not ('.' or '_' or '-')))
            {
                string shown = char.IsControl(c) ? $"U+{(int)c:X4}" : $"'{c}'";
                throw new ArgumentException($"The name must not have {shown} at index {i}. {Rule}", nameof(name));
            }
        }
    }
}
