import Datasets
import Foundation
import Testing
import TestSupport

/// `cluster` and `select` of samples that lie far from the origin, are wide, or are too large, on both devices.
@Suite struct FarFeaturesTests {
    private func cluster(_ folder: TemporaryFolder, _ arguments: String...) throws -> Outcome {
        try coppice(
            ["cluster", "--features", folder / "X.npy", "--out", folder / "out", "--json", "--quiet"] + arguments)
    }

    @Test(arguments: ["auto", "cpu"], [true, false]) func twoYearsAreTwoClusters(device: String, isFloat: Bool) throws {
        let folder = try TemporaryFolder()
        if isFloat {
            try NumPy.write([Float](arrayLiteral: 5001, 5001, 5002, 5002), shape: [4, 1], to: folder / "X.npy")
        } else {
            try NumPy.write([Int64](arrayLiteral: 5001, 5001, 5002, 5002), shape: [4, 1], to: folder / "X.npy")
        }
        for kmeans in ["lloyd", "minibatch"] {
            let outcome = try cluster(folder, "--k", "2", "--device", device, "--kmeans", kmeans)
            #expect(try outcome.json()["inertia"] as? Double == 0)
            #expect(try outcome.json()["empty_clusters"] as? Int == 0)
            let labels = try NumPyArray.read(folder / "out/labels.npy").integers()
            #expect(labels[0] == labels[1] && labels[2] == labels[3] && labels[0] != labels[2], "\(labels)")
            #expect(try NumPyArray.read(folder / "out/centroids.npy").doubles.sorted() == [5001, 5002])
        }
        let more = try cluster(folder, "--k", "3", "--device", device, "--kmeans", "lloyd")
        #expect(try more.json()["empty_clusters"] as? Int == 1)
    }

    /// Rows that would all have the same direction in float32 are refused; those whose directions differ are not.
    @Test func normalizedRowsAreToldApart() throws {
        for (offset, status) in [(1e9, 65), (1, 0)] {
            let folder = try TemporaryFolder()
            let values = (0..<40).map { offset + Double($0 * 7 % 40) }
            try NumPy.write(values, shape: [20, 2], to: folder / "X.npy")
            let outcome = try cluster(folder, "--k", "2", "--device", "cpu", "--normalize")
            #expect(outcome.status == status, "\(outcome.stderr)")
            #expect(outcome.stderr.contains("lie so far from the origin") == (status == 65))
        }
    }

    /// Integers beyond 2^53 are refused where float64 would make one of them, and the largest ones cluster exactly.
    @Test func largeIntegersAreToldApart() throws {
        for base in [Int64(1) << 62, Int64.max - 9] as [Int64] {
            let folder = try TemporaryFolder()
            let values = [Int64](repeating: base, count: 5) + [Int64](repeating: base + 8, count: 5)
            try NumPy.write(values, shape: [10, 1], to: folder / "X.npy")
            let refused = try cluster(folder, "--k", "2", "--device", "cpu", "--standardize")
            #expect(refused.status == 65 && refused.stderr.contains("subtract a constant first"), "\(refused.stderr)")
            let outcome = try cluster(folder, "--k", "2", "--device", "cpu", "--kmeans", "lloyd")
            #expect(try outcome.json()["inertia"] as? Double == 0)
            let labels = try NumPyArray.read(folder / "out/labels.npy").integers()
            #expect(labels == [Int64](repeating: labels[0], count: 5) + [Int64](repeating: labels[9], count: 5))
            #expect(labels[0] != labels[9])
        }
    }

    /// Five places in a town, from a start in float64 and in float32.
    @Test(arguments: ["auto", "cpu"]) func placesInATown(device: String) throws {
        let folder = try TemporaryFolder()
        let centres = [(52.50, 13.40), (52.53, 13.40), (52.50, 13.44), (52.54, 13.45), (52.47, 13.36)]
        let values = (0..<500).flatMap { index -> [Double] in
            let (place, angle) = (centres[index % 5], Double(index) * 2.4)
            let radius = 0.01 * Double(index % 7) / 7
            return [place.0 + radius * cos(angle), place.1 + radius * sin(angle)]
        }
        try NumPy.write(values, shape: [500, 2], to: folder / "X.npy")
        try NumPy.write(Array(values[..<10]), shape: [5, 2], to: folder / "start.npy")
        try NumPy.write(values[..<10].map { Float($0) }, shape: [5, 2], to: folder / "start32.npy")
        for start in ["start.npy", "start32.npy", "kmeans++"] {
            let outcome = try cluster(
                folder, "--k", "5", "--device", device, "--kmeans", "lloyd", "--start",
                start == "kmeans++" ? start : folder / start)
            #expect(outcome.status == 0, "\(outcome.stderr)")
            let labels = try NumPyArray.read(folder / "out/labels.npy").integers()
            #expect(labels.indices.allSatisfy { labels[$0] == labels[$0 % 5] }, "\(start)")
            #expect(Set(labels).count == 5)
            let found = try NumPyArray.read(folder / "out/centroids.npy")
            #expect(found.type == .float64)
            for group in 0..<5 {
                let mean = stride(from: group, to: 500, by: 5).reduce(0) { $0 + values[2 * $1] } / 100
                #expect(abs(found.doubles[2 * Int(labels[group])] - mean) < 1e-8)
            }
        }
        let kept = try coppice(
            "select", "--features", folder / "X.npy", "--k", "5", "--kmeans", "lloyd", "--strategy", "closest",
            "--size",
            "5", "--out", folder / "kept.npy", "--device", device, "--quiet")
        #expect(kept.status == 0, "\(kept.stderr)")
        #expect(Set(try NumPyArray.read(folder / "kept.npy").integers().map { $0 % 5 }).count == 5)
    }

    /// 100 rows of 50,176 columns: a matrix of columns would take 20 GB.
    @Test(arguments: ["auto", "cpu"]) func componentsOfWideSamples(device: String) throws {
        let folder = try TemporaryFolder()
        let values = (0..<100 * 50_176).map { element -> Float in
            let (row, column) = element.quotientAndRemainder(dividingBy: 50_176)
            return Float((row % 4) * (column % 4 == row % 4 ? 3 : 0)) + Float((element &* 2_654_435_761) >> 8 % 97) / 97
        }
        try NumPy.write(values, shape: [100, 50_176], to: folder / "X.npy")
        let begin = ContinuousClock.now
        let outcome = try cluster(folder, "--k", "4", "--pca", "5", "--device", device, "--kmeans", "lloyd")
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(ContinuousClock.now - begin < .seconds(60))
        let labels = try NumPyArray.read(folder / "out/labels.npy").integers()
        #expect(Set(labels).count == 4 && labels.indices.allSatisfy { labels[$0] == labels[$0 % 4] })
    }

    @Test(arguments: ["auto", "cpu"], [[], ["--pca", "1"]]) func valuesThatAreTooLargeAreNamed(
        device: String, pca: [String]
    ) throws {
        let folder = try TemporaryFolder()
        try NumPy.write([1, 2, 3, 1e300, 5, 6], shape: [3, 2], to: folder / "X.npy")
        func run() throws -> Outcome {
            try coppice(
                ["cluster", "--features", folder / "X.npy", "--k", "2", "--device", device, "--quiet"] + pca)
        }
        for value in [1e300, 1e38, pca.isEmpty ? 1e20 : 3e17] {
            try NumPy.write([1, 2, 3, value, 5, 6], shape: [3, 2], to: folder / "X.npy")
            let outcome = try run()
            #expect(outcome.status == 65 && outcome.complaints.count == 1, "\(outcome.stderr)")
            for word in ["X.npy", "row 1, column 1", "\(value)", "too large", "by at most"] {
                #expect(outcome.stderr.contains(word), "\(outcome.stderr)")
            }
        }
        try NumPy.write([1, 2, 3, 1e17, 5, 6], shape: [3, 2], to: folder / "X.npy")
        let outcome = try run()
        #expect(outcome.status == 0, "\(outcome.stderr)")
    }

    /// A float64 file larger than the memory that is allowed: streamed; and what cannot be streamed ends in a sentence.
    @Test func limitsOfMemoryEndInASentence() throws {
        let folder = try TemporaryFolder()
        // 480 MB that take no room on the disk.
        let (count, dimensions) = (60_000, 1000)
        try sparse(folder / "X.npy", shape: (count, dimensions))
        func limited(_ kilobytes: Int, _ arguments: String) throws -> (status: Int32, stderr: String) {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = [
                "-c", "ulimit -v \(kilobytes); exec \"$0\" \(arguments) --device cpu --quiet", program.path,
            ]
            process.standardOutput = FileHandle.nullDevice
            let pipe = Pipe()
            process.standardError = pipe
            try process.run()
            let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return (process.terminationStatus, text)
        }
        let streamed = try limited(
            560_000, "cluster --features \(folder / "X.npy") --k 2 --kmeans lloyd --iterations 1 --start random")
        // Threads of many cores may take it all.
        #expect(
            streamed.status == 0 || streamed.status == 69 && streamed.stderr.contains("leaves"), "\(streamed.stderr)")
        try sparse(folder / "labels.npy", shape: (100_000_000, 1))
        let refused = try limited(
            700_000, "cluster --features \(folder / "X.npy") --k 100000000 --start \(folder / "labels.npy")")
        #expect([65, 69].contains(refused.status), "\(refused.stderr)")
        #expect(refused.stderr.contains("leaves"), "\(refused.stderr)")
    }

    /// A float64 file of zeros.
    private func sparse(_ path: String, shape: (Int, Int)) throws {
        try NumPy.write([Double](), shape: [0, shape.1], to: path)
        var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        let old = Array("(0, \(shape.1)), }".utf8)
        let new = Array("(\(shape.0), \(shape.1)), }".utf8)
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: old) })
        // The padding behind the dictionary makes room.
        bytes.replaceSubrange(place..<place + old.count, with: new)
        bytes.removeSubrange(bytes.count - 1 - (new.count - old.count)..<bytes.count - 1)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.truncate(atOffset: UInt64(bytes.count + 8 * shape.0 * shape.1))
        try file.close()
    }
}
