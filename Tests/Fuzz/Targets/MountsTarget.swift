import Support

/// Lists of mounts. Whatever a line holds, those that are read have a folder, and a folder is in the mount with the longest
/// point above it. A list is read where every line is.
func acceptsMounts(_ bytes: [UInt8]) throws(Violation) -> Bool {
    let text = String(decoding: bytes, as: UTF8.self)
    let table = MountTable(text)
    // By bytes: a line feed and a combining mark after it are one character.
    let lines = text.utf8.split(separator: UInt8(ascii: "\n"))
    try require(table.mounts.count <= lines.count, "\(table.mounts.count) mounts in \(lines.count) lines")
    for mount in table.mounts {
        try require(mount.point.utf8.first == UInt8(ascii: "/"), "a mount at \(mount.point.debugDescription)")
        if let option = mount.localLockOption {
            try require(mount.options.contains(option), "\(option) is no option of \(mount)")
        }
    }
    if table.mounts.contains(where: { $0.point == "/" }) {
        try require(table.mount(of: "/")?.point == "/", "the root is in \(String(describing: table.mount(of: "/")))")
    }
    return !lines.isEmpty && table.mounts.count == lines.count
}
