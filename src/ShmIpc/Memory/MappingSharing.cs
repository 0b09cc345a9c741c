namespace ShmIpc.Memory;

/// <summary>Who sees what is written to mapped memory.</summary>
public enum MappingSharing
{
    /// <summary>Everybody who maps the same memory, and the file where there is one (<c>MAP_SHARED</c>).</summary>
    Shared,

    /// <summary>This process alone (<c>MAP_PRIVATE</c>, copy-on-write): a page of a file is shared with the page cache until it is
    /// written, and copied then. Nothing reaches the file.</summary>
    Private,
}
