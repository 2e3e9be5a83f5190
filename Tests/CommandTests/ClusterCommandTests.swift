import Datasets
import Foundation
import Testing
import TestSupport

@testable import coppice

@Suite struct ClusterCommandTests {
    /// Four groups far from each other: sample i belongs to group i mod 4 and stands i / 4 steps from its centre.
    private static let planted: [Float] = (0..<200).flatMap { index -> [Float] in
        let (group, step) = (index % 4, Float(index / 4))
        let angle = Float(index / 4) * 2.4
        return [
            Float(group % 2) * 1000 + step * cosf(angle), Float(group / 2) * 1000 + step * sinf(angle), 5,
        ]
    }

    private func writePlanted(_ folder: TemporaryFolder) throws -> String {
        try NumPy.write(Self.planted, shape: [200, 3], to: folder / "X.npy")
        return folder / "X.npy"
    }

    private let keys: Set = [
        "pca_seconds", "start_seconds", "kmeans_seconds", "inertia", "iterations", "device", "k", "n", "dimensions",
    ]

    @Test(arguments: [
        ("lloyd", "kmeans++", "auto"), ("lloyd", "random", "auto"), ("minibatch", "kmeans++", "auto"),
        ("minibatch", "random", "auto"), ("lloyd", "kmeans++", "cpu"), ("minibatch", "kmeans++", "cpu"),
        ("lloyd", "kmeans-parallel", "auto"), ("minibatch", "kmeans-parallel", "cpu"),
    ])
    func findsPlantedGroups(kmeans: String, start: String, device: String) throws {
        let folder = try TemporaryFolder()
        let features = try writePlanted(folder)
        // From k random points, groups can share a centroid for good: take more clusters than groups there.
        let k = start == "random" ? 12 : 4
        let outcome = try coppice(
            "cluster", "--features", features, "--k", "\(k)", "--kmeans", kmeans, "--start", start, "--out",
            folder / "deep/clusters", "--device", device, "--json", "--quiet")
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(outcome.stderr.isEmpty)
        let report = try outcome.json()
        #expect(keys.isSubset(of: report.keys), "\(report.keys)")
        #expect(report["n"] as? Int == 200)
        #expect(report["k"] as? Int == k)
        #expect(report["dimensions"] as? Int == 3)
        #expect(report["pca_seconds"] as? Double == 0)
        #expect(try folder.names(in: "deep/clusters") == ["centroids.npy", "distances.npy", "labels.npy"])

        let labels = try NumPyArray.read(folder / "deep/clusters/labels.npy")
        let distances = try NumPyArray.read(folder / "deep/clusters/distances.npy")
        let centroids = try NumPyArray.read(folder / "deep/clusters/centroids.npy")
        #expect(labels.type == .int32 && labels.shape == [200])
        #expect(distances.type == .float32 && distances.shape == [200])
        #expect(centroids.type == .float64 && centroids.shape == [k, 3])
        #expect(report["empty_clusters"] as? Int == k - Set(try labels.integers()).count)
        let (of, squares, centres) = (try labels.integers().map(Int.init), distances.floats, centroids.floats)
        if k == 4 { for index in 4..<200 { #expect(of[index] == of[index - 4]) } }
        var inertia = 0.0
        for index in 0..<200 {
            let expected = (0..<3).reduce(Float(0)) { sum, axis in
                let difference = Self.planted[index * 3 + axis] - centres[of[index] * 3 + axis]
                return sum + difference * difference
            }
            #expect(abs(squares[index] - expected) <= 1e-3 * max(expected, 1))
            inertia += Double(squares[index])
        }
        #expect(abs(inertia - (try #require(report["inertia"] as? Double))) < 1e-3 * inertia)
    }

    @Test func memoryIsBoundedByStreaming() throws {
        let folder = try TemporaryFolder()
        let (count, dimensions) = (600_000, 8)
        try writeNoise(count: count, dimensions: dimensions, to: folder / "X.npy")
        func cluster(_ memory: String...) throws -> Outcome {
            try coppice(
                [
                    "cluster", "--features", folder / "X.npy", "--k", "7", "--kmeans", "lloyd", "--iterations", "2",
                    "--start", "random", "--device", "cpu", "--json", "--quiet", "--out", folder / "out",
                ]
                    + memory.flatMap { ["--memory", $0] })
        }
        let refused = try cluster("1M")
        #expect(refused.status == 64 && refused.complaints.count == 1, "\(refused.stderr)")
        let needed = try #require(refused.stderr.split(separator: " ").first { $0.hasSuffix("M,") }?.dropLast(2))
        let least = try #require(Int(needed))
        #expect(refused.stderr.contains("600000 samples of 8 features, k 7") && refused.stderr.contains("1M are"))

        let streamed = try cluster("\(least + 4)M")
        #expect(try streamed.json()["streamed"] as? Bool == true, "\(streamed.stderr)")
        let labels = try NumPyArray.read(folder / "out/labels.npy").integers()
        let whole = try cluster("1.5G")
        #expect(try whole.json()["streamed"] as? Bool == false)
        #expect(try whole.json()["inertia"] as? Double == streamed.json()["inertia"] as? Double)
        #expect(try NumPyArray.read(folder / "out/labels.npy").integers() == labels)
        for wrong in ["2X", "0", "-1G", "G", "1e99", "", "0x10M", "1_0M", "infM", "1 G"] {
            let outcome = try cluster(wrong)
            #expect(outcome.status == 64 && outcome.stderr.contains("--memory"), "\(wrong): \(outcome.stderr)")
        }
    }

    @Test func aStudyBoundsTheMemoryOfItsClusterings() throws {
        let folder = try TemporaryFolder()
        try """
        dataset: shapes
        runs: 1
        steps: 1
        experiments:
          - pruning_method: cluster
            sizes: 8
            ks: 2
            selection_strategies: closest
        """.write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        try SyntheticData(train: 40, test: 20, height: 8, width: 16).write(to: folder / "data")
        func run(_ memory: String) throws -> Outcome {
            try coppice(
                "run", folder / "study.yaml", "--data", folder / "data", "--out", folder / "out", "--device", "cpu",
                "--quiet", "--memory", memory)
        }
        let refused = try run("1M")
        #expect(refused.status == 64 && refused.stderr.contains("1M are allowed"), "\(refused.stderr)")
        let allowed = try run("1G")
        #expect(allowed.status == 0, "\(allowed.stderr)")
    }

    @Test func startsWhereItIsTold() throws {
        let folder = try TemporaryFolder()
        let features = try writePlanted(folder)
        try NumPy.write([Float](arrayLiteral: 1000, 1000, 5, 0, 0, 5), shape: [2, 3], to: folder / "start.npy")
        let outcome = try coppice(
            "cluster", "--features", features, "--k", "2", "--kmeans", "lloyd", "--iterations", "1", "--start",
            folder / "start.npy", "--out", folder / "clusters", "--json", "--quiet")
        #expect(try outcome.json()["iterations"] as? Int == 1)
        let labels = try NumPyArray.read(folder / "clusters/labels.npy").integers()
        #expect(labels[0] == 1 && labels[3] == 0)
    }

    @Test(arguments: SyntheticData.all)
    func clustersAnyDataSetWithPCA(_ data: SyntheticData) throws {
        let folder = try TemporaryFolder()
        try data.write(to: folder / "data")
        let arguments = ["cluster", "--data", folder / "data", "--k", "5", "--pca", "6", "--quiet"]
        let report = try coppice(arguments + ["--out", folder / "clusters", "--json"]).json()
        #expect(report["n"] as? Int == data.train)
        #expect(report["dimensions"] as? Int == data.height * data.width)
        #expect(try #require(report["pca_seconds"] as? Double) > 0)
        #expect(try NumPyArray.read(folder / "clusters/centroids.npy").shape == [5, 6])
        let first = try Data(contentsOf: URL(fileURLWithPath: folder / "clusters/centroids.npy"))
        #expect(try coppice(arguments + ["--out", folder / "clusters"]).stdout.contains("inertia"))
        // Written again, to the bit.
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder / "clusters/centroids.npy")) == first)
    }

    @Test func takesEveryKindOfFeatures() throws {
        let folder = try TemporaryFolder()
        let shape = [200, 3]
        try NumPy.write(Self.planted.map { Double($0) }, shape: shape, to: folder / "float64.npy")
        try NumPy.write(Self.planted.map { UInt8(max(0, min(255, $0))) }, shape: shape, to: folder / "uint8.npy")
        for name in ["float64", "uint8"] {
            for pca in [[], ["--pca", "2"]] {
                let outcome = try coppice(
                    [
                        "cluster", "--features", folder / "\(name).npy", "--k", "3", "--json",
                        "--quiet",
                    ] + pca)
                #expect(outcome.status == 0, "\(outcome.stderr)")
            }
        }
    }

    @Test(arguments: [
        (["--k", "201"], 64, "--k is 201"), (["--k", "0"], 64, "--k is 0"), ([], 64, "--k is missing"),
        (["--k", "4", "--pca", "4"], 64, "--pca is 4"), (["--k", "4", "--iterations", "0"], 64, "--iterations"),
        (["--k", "4", "--start", "kmean"], 64, "the nearest accepted is kmeans++"),
        (["--k", "4", "--start", "kmeans||"], 64, "kmeans++, kmeans-parallel, random"),
        (["--k", "4", "--start", "none.npy"], 66, "none.npy"),
        (["--k", "4", "--data", "somewhere"], 64, "--features is mutually exclusive with --data"),
    ])
    func badOptions(_ more: [String], _ code: Int32, _ words: String) throws {
        let folder = try TemporaryFolder()
        let features = try writePlanted(folder)
        let outcome = try coppice(
            ["cluster", "--features", features, "--out", folder / "clusters", "--quiet"] + more)
        expectComplaint(outcome, code: code, mentions: [words])
        #expect(try folder.names() == ["X.npy"])
    }

    @Test func badFeatures() throws {
        let folder = try TemporaryFolder()
        func expectRefusal(_ code: Int32, _ words: String) throws {
            let outcome = try coppice(
                "cluster", "--features", folder / "X.npy", "--k", "2", "--out", folder / "clusters",
                "--quiet")
            expectComplaint(outcome, code: code, mentions: ["X.npy", words])
        }
        try expectRefusal(66, "cannot be read")
        var values = Self.planted
        values[200] = .nan
        try NumPy.write(values, shape: [200, 3], to: folder / "X.npy")
        try expectRefusal(65, "row 66, column 2")
        values[200] = .infinity
        try NumPy.write(values, shape: [200, 3], to: folder / "X.npy")
        try expectRefusal(65, "row 66, column 2")
        try NumPy.write(Self.planted, shape: [600], to: folder / "X.npy")
        try expectRefusal(65, "[600]")
        try NumPy.write(Self.planted, shape: [200, 3, 1], to: folder / "X.npy")
        try expectRefusal(65, "[200, 3, 1]")
        try NumPy.write([Float](), shape: [0, 3], to: folder / "X.npy")
        try expectRefusal(65, "[0, 3]")
        try damage(folder / "X.npy") { $0.append(1) }
        try expectRefusal(65, "oversized")
        #expect(try folder.names() == ["X.npy"])
    }

    @Test func badStarts() throws {
        let folder = try TemporaryFolder()
        let features = try writePlanted(folder)
        for (values, shape, words) in [
            ([Float](repeating: 1, count: 9), [3, 3], "2 rows are needed"),
            ([Float](repeating: 1, count: 4), [2, 2], "where 3 are needed"),
            ([1, 2, 3, 4, .nan, 6], [2, 3], "row 1, column 1"),
        ] {
            try NumPy.write(values, shape: shape, to: folder / "start.npy")
            let outcome = try coppice(
                "cluster", "--features", features, "--k", "2", "--start", folder / "start.npy",
                "--quiet")
            expectComplaint(outcome, code: 65, mentions: [words])
        }
    }

    @Test func outputsThatCannotBeMade() throws {
        let folder = try TemporaryFolder()
        let features = try writePlanted(folder)
        #expect(FileManager.default.createFile(atPath: folder / "file", contents: nil))
        let outcome = try coppice(
            "cluster", "--features", features, "--k", "2", "--out", folder / "file/clusters",
            "--quiet")
        expectComplaint(outcome, code: 73, mentions: [folder / "file/clusters"])
        expectComplaint(
            try coppice(
                "select", "--features", features, "--strategy", "random", "--size", "3", "--out",
                folder / "missing/kept.npy", "--quiet"), code: 73, mentions: ["missing/kept.npy"])
        expectComplaint(
            try coppice(
                "select", "--features", features, "--strategy", "random", "--size", "3", "--out", "/dev/full",
                "--quiet"), code: 74, mentions: ["/dev/full"])
    }

    /// PoCL obeys POCL_MEMORY_LIMIT, in GiB, and gives a buffer a quarter of it.
    @Test(.enabled(if: hasPoCL, "this host has no PoCL"))
    func aDeviceThatRunsOutOfMemory() throws {
        let folder = try TemporaryFolder()
        try NumPy.write([UInt8](repeating: 1, count: 72_000_000), shape: [9_000, 8_000], to: folder / "X.npy")
        let outcome = try coppice(
            "cluster", "--features", folder / "X.npy", "--k", "2", "--device", "portable", "--out",
            folder / "clusters", "--quiet", environment: ["POCL_MEMORY_LIMIT": "1"])
        expectComplaint(outcome, code: 69, mentions: ["no room for 9000 points"])
        #expect(try folder.names() == ["X.npy"])
    }

    @Test func sizesHaveTheirMedian() {
        #expect(describeSizes(of: [0, 0, 0, 1, 1, 1, 1, 2], k: 3) == "1 to 4 samples per cluster, median 3")
        #expect(describeSizes(of: [0, 0, 0, 1], k: 2) == "1 to 3 samples per cluster, median 2")
        #expect(describeSizes(of: [0, 0, 2], k: 4) == "0 to 2 samples per cluster, median 0.5, 2 empty")
    }

    /// Clusters with next to no samples are mentioned where they are many and could be larger.
    @Test func tinyClustersAreMentioned() throws {
        func labels(_ sizes: [Int]) -> [Int32] {
            sizes.enumerated().flatMap { [Int32](repeating: Int32($0), count: $1) }
        }
        let tenth = labels([1] + [Int](repeating: 20, count: 9))
        #expect(tinyClustersNote(tenth, k: 10) == nil)
        #expect(
            tinyClustersNote(labels([1, 0] + [Int](repeating: 20, count: 8)), k: 10)?.hasPrefix(
                "2 of 10 clusters have at most 1 sample, where the mean is 16.1: ") == true)
        #expect(
            tinyClustersNote(labels([3, 5, 6, 386]), k: 4)?.hasPrefix("2 of 4 clusters have at most 5 samples") == true)
        // Where all are small, one sample is not few.
        #expect(tinyClustersNote(labels([1, 1, 1, 1, 15]), k: 5) == nil)
        let folder = try TemporaryFolder()
        try writeNoise(count: 2000, dimensions: 16, to: folder / "X.npy")
        for (method, isMentioned) in [("minibatch", true), ("lloyd", false)] {
            let outcome = try coppice(
                "cluster", "--features", folder / "X.npy", "--k", "400", "--kmeans", method, "--device", "cpu")
            #expect(outcome.status == 0, "\(outcome.stderr)")
            #expect(
                outcome.stderr.contains("of 400 clusters have at most 1 sample") == isMentioned, "\(outcome.stderr)")
        }
    }

    @Test func ctrlCEndsAClusteringSoon() throws {
        let folder = try TemporaryFolder()
        try SyntheticData(train: 2000, test: 10).write(to: folder / "data")
        let outcome = try coppice(
            "cluster", "--data", folder / "data", "--k", "1000", "--kmeans", "minibatch", "--iterations", "1000000",
            "--out", folder / "deep/clusters", interrupting: "clustering 2000 samples")
        #expect(outcome.status == 130)
        #expect(outcome.complaints.last?.hasPrefix("coppice: interrupted") == true)
        #expect(outcome.secondsAfterInterrupt < 5)
        #expect(try folder.names() == ["data"])
    }
}
