import Foundation

/// Memory that this process can still take, in bytes: the least of what the machine has, what its control groups allow and
/// what its own limits (`ulimit -v`, `-d`) leave.
///
/// A limit of a control group counts what files take in its cache as free, since the system gives that back.
package struct AvailableMemory: Sendable {
    /// Bytes.
    package let bytes: Int
    /// What sets this limit, as the subject of a sentence: "this machine", "the limit ulimit -v".
    package let source: String

    /// What is free now; nil where the system does not say.
    package static var now: AvailableMemory? { find(in: "/") }

    /// The same from the files below `root`, as `/proc` and `/sys/fs/cgroup` have them.
    static func find(in root: String, limits: [Limit] = Limit.allCases) -> AvailableMemory? {
        let files = SystemFiles(root: root)
        var found: [AvailableMemory] = []
        if let bytes = files.kilobytes("proc/meminfo", key: "MemAvailable:") {
            let swap = files.kilobytes("proc/meminfo", key: "SwapFree:") ?? 0
            found.append(AvailableMemory(bytes: bytes + swap, source: "this machine"))
        }
        if let bytes = files.leftInControlGroups {
            found.append(AvailableMemory(bytes: bytes, source: "this process's control group"))
        }
        for limit in limits {
            guard let most = limit.value, let taken = files.kilobytes("proc/self/status", key: limit.statusKey) else {
                continue
            }
            found.append(AvailableMemory(bytes: max(0, most - taken), source: "the limit \(limit.rawValue)"))
        }
        return found.min { $0.bytes < $1.bytes }
    }

    /// A limit that a shell sets for its processes.
    enum Limit: String, CaseIterable {
        case addressSpace = "ulimit -v"
        case data = "ulimit -d"

        var statusKey: String { self == .addressSpace ? "VmSize:" : "VmData:" }

        /// Bytes; nil where there is none.
        var value: Int? {
            var limit = rlimit()
            let resource = __rlimit_resource_t((self == .addressSpace ? RLIMIT_AS : RLIMIT_DATA).rawValue)
            guard getrlimit(resource, &limit) == 0,
                limit.rlim_cur < UInt64(Int.max)
            else { return nil }
            return Int(limit.rlim_cur)
        }
    }

    /// Whether `needed` more bytes are beyond what there is; what there is, in that case. Little is always allowed, and so
    /// is everything where the system does not say.
    package static func shortage(of needed: Int) -> AvailableMemory? {
        guard needed > 1 << 24, let now, needed > now.bytes else { return nil }
        return now
    }
}

/// Files that the system writes.
private struct SystemFiles {
    let root: String

    func text(_ path: String) -> String? { try? String(contentsOfFile: root + path, encoding: .utf8) }

    /// The number behind `key` in a file of lines such as "MemAvailable:  1234 kB".
    func kilobytes(_ path: String, key: String) -> Int? { number(path, key: key).map { $0 << 10 } }

    private func number(_ path: String, key: String) -> Int? {
        for line in text(path)?.split(separator: "\n") ?? [] where line.hasPrefix(key) {
            return line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) }
        }
        return nil
    }

    private func number(_ path: String) -> Int? {
        (text(path)?.split(whereSeparator: \.isWhitespace).first).flatMap { Int($0) }
    }

    /// The least that this process's control groups, of version 1 or 2, and those above them leave.
    var leftInControlGroups: Int? {
        var least: Int?
        for line in text("proc/self/cgroup")?.split(separator: "\n") ?? [] {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isSecond = fields[0] == "0" && fields[1].isEmpty
            guard isSecond || fields[1].split(separator: ",").contains("memory") else { continue }
            var path = fields[2].split(separator: "/").map(String.init)
            while true {
                let folder = (isSecond ? "sys/fs/cgroup/" : "sys/fs/cgroup/memory/") + path.joined(separator: "/")
                if let left = left(in: folder, isSecond: isSecond) { least = min(least ?? left, left) }
                if path.isEmpty { break }
                path.removeLast()
            }
        }
        return least
    }

    private func left(in folder: String, isSecond: Bool) -> Int? {
        let (limit, usage, cache) =
            isSecond
            ? ("memory.max", "memory.current", "inactive_file ")
            : ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file ")
        // "max", or a number beyond any memory, is no limit.
        guard let most = number("\(folder)/\(limit)"), most < 1 << 60, let taken = number("\(folder)/\(usage)") else {
            return nil
        }
        return max(0, most - taken + (number("\(folder)/memory.stat", key: cache) ?? 0))
    }
}
