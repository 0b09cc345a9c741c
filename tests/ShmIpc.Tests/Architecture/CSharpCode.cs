// Blanks out what is not code in a C# source: comments, preprocessor lines, and the text of string and character literals. The code
// inside the holes of interpolated strings stays, and so does every line break, so that line numbers keep their meaning.

using System.Text;

namespace ShmIpc.Tests.Architecture;

internal sealed class CSharpCode
{
    private readonly string _source;
    private readonly StringBuilder _code = new();
    private int _at;

    private CSharpCode(string source) => _source = source;

    public static string WithoutCommentsAndStrings(string source)
    {
        var scanner = new CSharpCode(source);
        scanner.ReadCode(isHole: false);
        return scanner._code.ToString();
    }

    private char Current => _at < _source.Length ? _source[_at] : '\0';

    private bool IsAt(string text) => string.CompareOrdinal(_source, _at, text, 0, text.Length) == 0;

    private void ReadCode(bool isHole)
    {
        int depth = 0;
        bool isLineStart = true;
        while (_at < _source.Length)
        {
            char c = Current;
            if (IsAt("//") || (c == '#' && isLineStart)) SkipTo("\n");
            else if (IsAt("/*")) SkipPast("*/");
            else if (c == '\'') ReadCharacter();
            else if (c is '"' or '$' or '@' && IsString(out int dollars, out bool isVerbatim)) ReadString(dollars, isVerbatim);
            else if (isHole && depth == 0 && c == '}') return;
            else
            {
                depth += c == '{' ? 1 : c == '}' ? -1 : 0;
                isLineStart = c == '\n' || (isLineStart && char.IsWhiteSpace(c));
                _code.Append(c);
                _at++;
            }
        }
    }

    private void SkipTo(string end)
    {
        while (_at < _source.Length && !IsAt(end)) Skip();
    }

    private void SkipPast(string end)
    {
        SkipTo(end);
        _at = Math.Min(_source.Length, _at + end.Length);
    }

    private void Skip(int count = 1)
    {
        for (; count > 0 && _at < _source.Length; count--)
        {
            if (Current == '\n') _code.Append('\n');
            _at++;
        }
    }

    private void ReadCharacter()
    {
        Skip();
        while (_at < _source.Length && Current is not ('\'' or '\n')) Skip(Current == '\\' ? 2 : 1);
        if (Current == '\'') Skip();
    }

    /// <summary>Whether a string begins here; if so, moves on to its first quote.</summary>
    private bool IsString(out int dollars, out bool isVerbatim)
    {
        int at = _at;
        while (at < _source.Length && _source[at] is '$' or '@') at++;
        string prefix = _source[_at..at];
        dollars = prefix.Count(c => c == '$');
        isVerbatim = prefix.Contains('@', StringComparison.Ordinal);
        bool isString = at < _source.Length && _source[at] == '"';
        if (isString) _at = at;
        return isString;
    }

    private void ReadString(int dollars, bool isVerbatim)
    {
        int quotes = 0;
        while (_at + quotes < _source.Length && _source[_at + quotes] == '"') quotes++;
        _code.Append("\"\"");
        if (quotes >= 3) ReadText(new string('"', quotes), holeBraces: dollars, hasEscapes: false, isVerbatim: false);
        else ReadText("\"", holeBraces: Math.Min(dollars, 1), hasEscapes: !isVerbatim, isVerbatim);
    }

    private void ReadText(string end, int holeBraces, bool hasEscapes, bool isVerbatim)
    {
        Skip(end.Length);
        while (_at < _source.Length && !(hasEscapes && Current == '\n'))
        {
            int braces = 0;
            while (_at + braces < _source.Length && _source[_at + braces] == '{') braces++;
            if (holeBraces > 0 && braces >= holeBraces && (holeBraces > 1 || end.Length > 1 || braces % 2 == 1))
            {
                Skip(braces);
                ReadCode(isHole: true);
                Skip(holeBraces);
            }
            else if (isVerbatim && IsAt("\"\"")) Skip(2);
            else if (IsAt(end))
            {
                Skip(end.Length);
                return;
            }
            else Skip(Math.Max(braces, hasEscapes && Current == '\\' ? 2 : 1));
        }
    }
}
