import Foundation

/// How much memory there is for this process.
public enum HostMemory {
    /// Bytes that can still be taken: what the system has to spare, within the limits of the process and of its control
    /// groups; nil where nothing says.
    public static var available: Int? {
        [
            field("MemAvailable", of: "/proc/meminfo"), belowLimit,
            belowGroups(text("/proc/self/cgroup") ?? "", in: "/sys/fs/cgroup"),
        ].compactMap { $0 }.min()
    }

    /// Below the address space that `ulimit -v` leaves.
    private static var belowLimit: Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < UInt64(Int.max),
            let pages = text("/proc/self/statm")?.split(separator: " ").first.flatMap({ Int($0) })
        else { return nil }
        return max(0, Int(limit.rlim_cur) - pages * Int(sysconf(Int32(_SC_PAGESIZE))))
    }

    /// Below the limits of the control groups that `groups`, a file as /proc/self/cgroup is, names, of either version.
    /// - Parameter root: where control groups are mounted.
    static func belowGroups(_ groups: String, in root: String) -> Int? {
        var least: Int?
        for line in groups.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isFirst = fields[1].split(separator: ",").contains("memory")
            guard isFirst || fields[1].isEmpty else { continue }
            let (limit, usage) =
                isFirst ? ("memory.limit_in_bytes", "memory.usage_in_bytes") : ("memory.max", "memory.current")
            // A group's parents limit it too. In a container the path may be that of the host: the root is its own.
            let mounted = isFirst ? root + "/memory" : root
            var parts = fields[2].split(separator: "/")
            while true {
                let folder = ([mounted] + parts.map(String.init)).joined(separator: "/")
                if let most = number("\(folder)/\(limit)"), let used = number("\(folder)/\(usage)") {
                    // Files that nobody reads any more make room.
                    let files =
                        field(isFirst ? "total_inactive_file" : "inactive_file", of: "\(folder)/memory.stat") ?? 0
                    let left = max(0, most - max(0, used - files))
                    least = min(least ?? left, left)
                }
                if parts.isEmpty { break }
                parts.removeLast()
            }
        }
        return least
    }

    private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    /// "max" is no number.
    private static func number(_ path: String) -> Int? {
        text(path).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    /// The number after a name in a file of them, in bytes.
    private static func field(_ name: String, of path: String) -> Int? {
        for line in text(path)?.split(separator: "\n") ?? [] {
            let words = line.split(whereSeparator: { $0 == " " || $0 == ":" })
            guard words.count >= 2, words[0] == name, let value = Int(words[1]) else { continue }
            return words.count > 2 && words[2] == "kB" ? value << 10 : value
        }
        return nil
    }
}
