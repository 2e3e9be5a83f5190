import Foundation

/// The file systems that a process sees, as Linux lists them in `/proc/self/mountinfo` (proc(5)).
package struct MountTable: Sendable {
    /// A file system at its place.
    package struct Mount: Equatable, Sendable {
        /// The folder that it is mounted at, from the root.
        package let point: String
        /// The type of the file system: `ext4`, `nfs4`, `lustre`.
        package let type: String
        /// The options of the mount, then those of its file system.
        package let options: [String]

        /// The option by which `flock` excludes only the processes of this machine, although the files may be on a server
        /// that others share: of Lustre, of NFS, and of GFS2 and OCFS2. Nil where there is none.
        package var localLockOption: String? {
            options.first {
                ["localflock", "localflocks", "local_lock=flock", "local_lock=all", "nolock"].contains($0)
            }
        }
    }

    /// In the order of the list: what covers another mount comes after it.
    package let mounts: [Mount]

    /// Reads the text of the list. Lines that describe no mount are left out.
    package init(_ text: String) {
        // By bytes, since a character may be a separator and what follows it.
        mounts = text.utf8.split(separator: UInt8(ascii: "\n")).compactMap(Self.mount)
    }

    /// The mounts that this process sees now; none where the system has no such list.
    package static var ofThisProcess: MountTable {
        MountTable(
            String(decoding: FileManager.default.contents(atPath: "/proc/self/mountinfo") ?? Data(), as: UTF8.self))
    }

    /// The mount that has a file or folder, which need not be there yet: its folder, or the next one above that is there,
    /// decides. Links are followed.
    package func mount(of path: String) -> Mount? {
        var current = path
        // A link may point into itself.
        for _ in 0..<1000 {
            if let resolved = realpath(current, nil) {
                defer { free(resolved) }
                return mount(ofResolved: String(cString: resolved))
            }
            // A link may point to what is not there yet.
            guard let target = Paths.destination(of: current) else { return nil }
            let parent = Paths.folder(of: target)
            guard parent != current else { return nil }
            current = parent
        }
        return nil
    }

    /// The mount with the longest point above a path without links; of several at one point, the last covers the others.
    func mount(ofResolved path: String) -> Mount? {
        // Bytes, since names that only look alike are different folders.
        let path = Array(path.utf8)
        func isAbove(_ point: String.UTF8View) -> Bool {
            path.starts(with: point)
                && (path.count == point.count || point.last == UInt8(ascii: "/")
                    || path[point.count] == UInt8(ascii: "/"))
        }
        var found: Mount?
        for mount in mounts where isAbove(mount.point.utf8) {
            if mount.point.utf8.count >= found?.point.utf8.count ?? 0 { found = mount }
        }
        return found
    }

    /// A line such as `36 35 98:0 /root /mnt rw,noatime shared:1 - ext4 /dev/sda1 rw,errors=continue`: between the options of
    /// the mount and the hyphen there may be any number of fields. Nil for another line.
    private static func mount(_ line: Substring.UTF8View) -> Mount? {
        let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard fields.count > 6, let hyphen = fields[6...].firstIndex(where: { $0.elementsEqual("-".utf8) }),
            fields.count > hyphen + 3
        else { return nil }
        let point = unescaped(fields[4])
        guard point.utf8.first == UInt8(ascii: "/") else { return nil }
        // Commas in the values of options are written in octal: those that are left separate options.
        let options = [fields[5], fields[hyphen + 3]].flatMap { $0.split(separator: UInt8(ascii: ",")) }
        return Mount(point: point, type: unescaped(fields[hyphen + 1]), options: options.map(unescaped))
    }

    /// A field with its octal escapes read, such as `\040` for a space.
    private static func unescaped(_ field: Substring.UTF8View) -> String {
        let bytes = Array(field)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let digits = bytes[(index + 1)...].prefix(3).map { Int($0) - 0x30 }
            if bytes[index] == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy((0...7).contains), digits[0] < 4
            {
                result.append(UInt8(64 * digits[0] + 8 * digits[1] + digits[2]))
                index += 4
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
