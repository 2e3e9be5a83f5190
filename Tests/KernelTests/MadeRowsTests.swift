import Foundation
import KernelChecks
import Testing

@testable import Clustering

@Suite struct MadeRowsTests {
    @Test func rowsAreTheSameForTheirSeedAndSizeAlone() {
        let some = MadeRows.floats(count: 3000, dimensions: 7, seed: 5)
        #expect(some == MadeRows.floats(count: 3000, dimensions: 7, seed: 5))
        #expect(some != MadeRows.floats(count: 3000, dimensions: 7, seed: 6))
        // More rows than a thread makes at a time.
        let many = MadeRows.floats(count: 20_000, dimensions: 7, seed: 5)
        #expect(many.count == 140_000 && Array(many.prefix(21_000)) == some)
    }

    /// Centres spread as far as they should, and noise of variance 1 around each: of both together the variance per
    /// column is 1 + 6^2 / 2 d.
    @Test(arguments: [1, 6, 100]) func columnsVaryAsTheyShould(dimensions: Int) {
        let count = 200_000 / dimensions
        let values = MadeRows.floats(count: count, dimensions: dimensions, seed: 1)
        #expect(values.allSatisfy { $0.isFinite })
        let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
        let variance = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(values.count)
        let expected = 1 + 18 / Double(dimensions)
        #expect(abs(variance / expected - 1) < 0.1, "\(variance) instead of \(expected)")
        #expect(abs(mean) < 0.5)
    }

    /// Control groups of both versions, their parents included.
    @Test func theLeastOfAllLimitsCounts() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("coppice-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        func write(_ path: String, _ text: String) throws {
            let file = folder.appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        try write("slice/job/memory.max", "max\n")
        try write("slice/job/memory.current", "900\n")
        try write("slice/memory.max", "5000\n")
        try write("slice/memory.current", "1000\n")
        try write("slice/memory.stat", "anon 700\ninactive_file 300\n")
        #expect(HostMemory.belowGroups("0::/slice/job\n", in: folder.path) == 4300)
        #expect(HostMemory.belowGroups("0::/elsewhere\n", in: folder.path) == nil)
        try write("memory/group/memory.limit_in_bytes", "2000\n")
        try write("memory/group/memory.usage_in_bytes", "1800\n")
        #expect(HostMemory.belowGroups("4:memory:/group\n0::/slice/job\n", in: folder.path) == 200)
        #expect(HostMemory.belowGroups("5:cpu:/group\n", in: folder.path) == nil)
        #expect(try #require(HostMemory.available) > 1 << 20)
    }
}
