import Foundation
import TestSupport
import Testing

@testable import Support

/// What is left of memory, from files as Linux writes them.
@Suite struct AvailableMemoryTests {
    /// The memory found in a root with these files.
    private func find(_ files: [String: String]) throws -> AvailableMemory? {
        let root = try TemporaryFolder()
        for (path, text) in files { _ = try root.file(path, Array(text.utf8)) }
        return AvailableMemory.find(in: root.path + "/", limits: [])
    }

    private let machine = "MemTotal:       16000000 kB\nMemAvailable:    8000000 kB\nSwapFree:         500000 kB\n"

    @Test func theMachineAlone() throws {
        #expect(try find([:]) == nil)
        let found = try #require(try find(["proc/meminfo": machine]))
        #expect(found.bytes == 8_500_000 << 10 && found.source == "this machine")
    }

    /// The groups above count too; the cache of files is given back.
    @Test func controlGroupsOfVersion2() throws {
        var files = [
            "proc/meminfo": machine, "proc/self/cgroup": "0::/job/step\n",
            "sys/fs/cgroup/job/step/memory.max": "max\n", "sys/fs/cgroup/job/step/memory.current": "100\n",
            "sys/fs/cgroup/job/memory.max": "3000000000\n", "sys/fs/cgroup/job/memory.current": "1000000000\n",
            "sys/fs/cgroup/job/memory.stat": "anon 5\ninactive_file 600000000\nactive_file 7\n",
        ]
        let found = try #require(try find(files))
        #expect(found.bytes == 2_600_000_000 && found.source.contains("control group"))
        files["sys/fs/cgroup/job/memory.max"] = "max\n"
        #expect(try find(files)?.source == "this machine")
        // More in use than is allowed: nothing is left.
        files["sys/fs/cgroup/job/step/memory.max"] = "50\n"
        #expect(try find(files)?.bytes == 0)
    }

    /// In a container the path is often that of the host, and only the root is there.
    @Test func controlGroupsOfVersion1() throws {
        var files = [
            "proc/meminfo": machine, "proc/self/cgroup": "5:cpu,cpuacct:/\n4:memory:/docker/abc\n0::/\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "2000000000\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "1500000000\n",
            "sys/fs/cgroup/memory/memory.stat": "inactive_file 1\ntotal_inactive_file 250000000\n",
        ]
        #expect(try find(files)?.bytes == 750_000_000)
        files["sys/fs/cgroup/memory/memory.limit_in_bytes"] = "9223372036854771712\n"
        #expect(try find(files)?.source == "this machine")
    }

    @Test func littleIsAlwaysAllowedAndMoreThanAnyMachineNever() throws {
        #expect(AvailableMemory.shortage(of: 1 << 20) == nil)
        let least = try #require(AvailableMemory.shortage(of: 1 << 60))
        #expect(least.bytes > 0 && least.bytes < 1 << 60 && !least.source.isEmpty)
    }
}
