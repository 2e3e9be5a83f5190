import Datasets
import Foundation
import Testing
import TestSupport

@Suite struct SelectCommandTests {
    /// Ten samples in two clusters of six and four, with distances that rank them.
    private func writeClustering(_ folder: TemporaryFolder) throws -> String {
        let path = folder / "clusters"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try NumPy.write([Int32](arrayLiteral: 0, 1, 0, 1, 0, 1, 0, 1, 0, 0), shape: [10], to: "\(path)/labels.npy")
        try NumPy.write(
            [Float](arrayLiteral: 9, 1, 8, 2, 7, 3, 6, 4, 5, 0), shape: [10], to: "\(path)/distances.npy")
        try NumPy.write([Float](repeating: 0, count: 6), shape: [3, 2], to: "\(path)/centroids.npy")
        return path
    }

    private func kept(_ path: String) throws -> [Int64] {
        let array = try NumPyArray.read(path)
        #expect(array.type == .int64 && array.shape == [array.count])
        return try array.integers()
    }

    /// A cosine of exactly 1 - eps is no duplicate: 24 / 25 is 0.96.
    @Test func aCosineAtTheThresholdIsKept() throws {
        let folder = try TemporaryFolder()
        try NumPy.write([25, 0, 24, 7] as [Float], shape: [2, 2], to: folder / "x.npy")
        for (eps, kept) in [("0.04", 2), ("0.041", 1)] {
            for command in [["select", "--score", "semdedup"], ["dedup"]] {
                let outcome = try coppice(
                    command + [
                        "--features", folder / "x.npy", "--k", "1", "--eps", eps, "--out", folder / "kept.npy",
                        "--device", "cpu", "--quiet",
                    ])
                #expect(outcome.status == 0, "\(outcome.stderr)")
                #expect(try NumPyArray.read(folder / "kept.npy").shape == [kept])
            }
        }
    }

    @Test(arguments: [
        ("closest", [9, 1, 8, 3]), ("furthest", [0, 7, 2, 5]), ("hybrid", [9, 1, 0, 7]), ("none", Array(0..<10)),
    ])
    func selectsFromAClustering(strategy: String, expected: [Int64]) throws {
        let folder = try TemporaryFolder()
        let size = strategy == "none" ? [] : ["--size", "4"]
        let outcome = try coppice(
            [
                "select", "--clustering", try writeClustering(folder), "--strategy", strategy, "--out",
                folder / "kept.npy", "--json", "--quiet",
            ] + size)
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let report = try outcome.json()
        #expect(try kept(folder / "kept.npy") == expected)
        #expect(report["requested"] as? Int == expected.count)
        #expect(report["kept"] as? Int == expected.count)
        // The third cluster has a centroid and no sample.
        #expect((report["per_cluster"] as? [Int])?.count == 3)
        #expect((report["per_cluster"] as? [Int])?.reduce(0, +) == expected.count)
        #expect((report["per_class"] as? [Int]) == [])
    }

    @Test func aFileOfScoresRanksLikeAScoreOfOurs() throws {
        let folder = try TemporaryFolder()
        let clustering = try writeClustering(folder)
        try NumPy.write([Double](arrayLiteral: 3, 1, 4, 1, 5, 9, 2, 6, 5, .infinity), shape: [10], to: folder / "s.npy")
        func select(_ options: String...) throws -> [Int64] {
            let outcome = try coppice(
                ["select", "--clustering", clustering, "--size", "4", "--out", folder / "kept.npy", "--quiet"] + options
            )
            #expect(outcome.status == 0, "\(outcome.stderr)")
            return try kept(folder / "kept.npy")
        }
        #expect(try select("--score", folder / "s.npy") == [9, 5, 7, 4])
        #expect(try select("--score", folder / "s.npy", "--keep", "easy") == [1, 3, 6, 0])
        #expect(try select("--score", folder / "s.npy", "--within", "cluster") == [9, 5, 4, 7])
        // What float32 cannot tell apart keeps its order, far from 0 too.
        let close: [Double] = [3, 1, 4, 1, 5, 9, 2, 6, 5, 7].map { 1e9 + $0 * 1e-6 }
        try NumPy.write(close, shape: [10], to: folder / "close.npy")
        #expect(try select("--score", folder / "close.npy") == [5, 9, 7, 4])
        #expect(try select("--score", folder / "close.npy", "--keep", "easy") == [1, 3, 6, 0])
        let next: [Double] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 8].map { 0.1 + $0 * 4e-17 }
        try NumPy.write([0.0] + next.dropFirst(), shape: [10], to: folder / "next.npy")
        #expect(try select("--score", folder / "next.npy") == [8, 9, 7, 6])
        #expect(try select("--score", "distance") == select("--strategy", "furthest"))
        #expect(try select("--score", "distance", "--within", "none", "--keep", "easy") == [9, 1, 3, 5])
    }

    @Test func scoresThatCannotRankAreRefused() throws {
        let folder = try TemporaryFolder()
        let clustering = try writeClustering(folder)
        try NumPy.write([Float](repeating: 1, count: 9), shape: [9], to: folder / "short.npy")
        try NumPy.write([Float](repeating: .nan, count: 10), shape: [10], to: folder / "nan.npy")
        try NumPy.write([Float](repeating: 1, count: 20), shape: [10, 2], to: folder / "wide.npy")
        try NumPy.write((0..<10).map { 1e300 * Double($0) }, shape: [10], to: folder / "huge.npy")
        for (options, status, word) in [
            (["--score", folder / "short.npy"], 65, "9"), (["--score", folder / "nan.npy"], 65, "not a number"),
            (["--score", folder / "wide.npy"], 65, "one dimension"),
            (["--score", folder / "huge.npy"], 65, "float32"),
            (["--score", folder / "none.npy"], 66, "none.npy"), (["--score", "distanec"], 64, "distance"),
            (["--score", folder / "nan.npy", "--keep", "beta"], 64, "beta"), (["--keep", "hard"], 64, "--score"),
            (["--score", folder / "huge.npy", "--beta", "0.1"], 64, "--keep stratified"),
            (["--score", folder / "huge.npy", "--keep", "stratified", "--beta", "1"], 64, "beta is 1"),
            (["--strategy", "closest", "--strata", "5"], 64, "--strata"),
            (["--score", "distance", "--strategy", "closest"], 64, "--strategy"), ([], 64, "--strategy or --score"),
        ] {
            let outcome = try coppice(
                ["select", "--clustering", clustering, "--size", "4", "--out", folder / "kept.npy"] + options)
            #expect(outcome.status == status && outcome.stderr.contains(word), "\(options): \(outcome.stderr)")
            #expect(!FileManager.default.fileExists(atPath: folder / "kept.npy"))
        }
    }

    @Test func theArticlesQuotaKeepsWhatItKeeps() throws {
        let folder = try TemporaryFolder()
        let report = try coppice(
            "select", "--clustering", try writeClustering(folder), "--strategy", "closest", "--size", "8", "--quota",
            "article", "--out", folder / "kept.npy", "--json", "--quiet"
        ).json()
        #expect(report["requested"] as? Int == 8)
        #expect(report["kept"] as? Int == 4)
    }

    @Test func randomDrawsFromTheWholeSetOrFromClusters() throws {
        let folder = try TemporaryFolder()
        try SyntheticData().write(to: folder / "data")
        let arguments = [
            "select", "--data", folder / "data", "--strategy", "random", "--size", "31", "--json",
            "--quiet",
        ]
        let whole = try coppice(arguments + ["--out", folder / "a.npy"]).json()
        #expect((whole["per_cluster"] as? [Int])?.isEmpty == true)
        #expect((whole["per_class"] as? [Int])?.reduce(0, +) == 31)
        #expect(whole["device"] == nil)
        let again = try coppice(arguments + ["--out", folder / "b.npy"])
        #expect(again.status == 0)
        #expect(try kept(folder / "a.npy") == kept(folder / "b.npy"))
        #expect(try coppice(arguments + ["--out", folder / "c.npy", "--seed", "2"]).status == 0)
        #expect(try kept(folder / "a.npy") != kept(folder / "c.npy"))
        let clustered = try coppice(arguments + ["--out", folder / "d.npy", "--k", "5", "--pca", "4"]).json()
        #expect((clustered["per_cluster"] as? [Int])?.count == 5)
        for key in ["pca_seconds", "start_seconds", "kmeans_seconds", "inertia", "iterations", "device"] {
            #expect(clustered[key] != nil, "\(key)")
        }
        let indices = try kept(folder / "d.npy")
        #expect(Set(indices).count == 31 && indices.allSatisfy { (0..<300).contains($0) })
    }

    @Test func balancesClasses() throws {
        let folder = try TemporaryFolder()
        try SyntheticData(train: 100, classes: 4).write(to: folder / "data")
        let clustering = try coppice(
            "cluster", "--data", folder / "data", "--k", "7", "--out", folder / "clusters", "--quiet"
        )
        #expect(clustering.status == 0, "\(clustering.stderr)")
        let report = try coppice(
            "select", "--clustering", folder / "clusters", "--data", folder / "data", "--strategy", "furthest",
            "--size", "20", "--balance", "class", "--out", folder / "kept.npy", "--json", "--quiet"
        ).json()
        #expect(report["per_class"] as? [Int] == [5, 5, 5, 5])
        #expect((report["per_cluster"] as? [Int])?.count == 7)
        // What was kept trains.
        let trained = try coppice(
            "train", "--data", folder / "data", "--indices", folder / "kept.npy", "--epochs", "1", "--json", "--quiet")
        #expect(try trained.json()["images"] as? Int == 20)
    }

    @Test func worksOnFeaturesAlone() throws {
        let folder = try TemporaryFolder()
        try NumPy.write((0..<60).map { Float($0 * $0 % 17) }, shape: [30, 2], to: folder / "X.npy")
        let report = try coppice(
            "select", "--features", folder / "X.npy", "--k", "3", "--strategy", "closest", "--size", "9", "--out",
            folder / "kept.npy", "--json", "--quiet"
        ).json()
        #expect(report["kept"] as? Int == 9)
        #expect((report["per_cluster"] as? [Int])?.reduce(0, +) == 9)
        let text = try coppice(
            "select", "--features", folder / "X.npy", "--k", "3", "--strategy", "closest", "--size", "9", "--out",
            folder / "kept.npy", "--quiet")
        #expect(text.stdout.contains("kept 9 of 30"))
    }

    @Test(arguments: [
        (["--strategy", "closest", "--size", "0"], 64, "--size is 0"),
        (["--strategy", "closest", "--size", "11"], 64, "size 11 is out of range"),
        (["--strategy", "closest"], 64, "--size is missing"),
        (["--strategy", "closest", "--size", "3", "--balance", "recall"], 64, "a validation split"),
        (["--strategy", "closest", "--size", "3", "--balance", "class"], 64, "class"),
        (["--strategy", "hybrid", "--size", "3", "--n-closest", "0", "--n-furthest", "0"], 64, "hybrid"),
        (["--strategy", "hybrid", "--size", "3", "--n-closest", "9223372036854775807"], 64, "from 0 to 1000000"),
        (["--strategy", "closest", "--size", "3", "--k", "4"], 64, "--clustering and --k are mutually exclusive"),
        (
            ["--strategy", "closest", "--size", "3", "--kmeans", "lloyd"], 64,
            "--clustering and --kmeans are mutually exclusive"
        ),
        (
            ["--strategy", "closest", "--size", "3", "--memory", "1G"], 64,
            "--clustering and --memory are mutually exclusive"
        ),
    ])
    func badOptions(_ more: [String], _ code: Int32, _ words: String) throws {
        let folder = try TemporaryFolder()
        let clusters = try writeClustering(folder)
        let outcome = try coppice(
            ["select", "--clustering", clusters, "--out", folder / "kept.npy", "--quiet"] + more)
        expectComplaint(outcome, code: code, mentions: [words])
        #expect(try folder.names() == ["clusters"])
    }

    @Test(arguments: [
        ("strategy", "none, random, closest, furthest, hybrid"), ("quota", "exact, article"),
        ("balance", "none, class"),
        ("kmeans", "minibatch, lloyd"),
    ]) func helpAndErrorsListTheWords(option: String, words: String) throws {
        let help = try coppice("select", "--help").stdout.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(help.contains("--\(option) <\(option)>") && help.contains("(values: \(words)"), "\(help)")
        let outcome = try coppice(
            "select", "--features", "X.npy", "--k", "2", "--size", "3", "--out", "kept.npy", "--\(option)", "furthst")
        #expect(outcome.status == 64 && outcome.stdout.isEmpty, "\(outcome.stderr)")
        #expect(
            outcome.stderr.hasPrefix("coppice: The value 'furthst' is invalid for '--\(option)"), "\(outcome.stderr)")
        for word in words.split(separator: ", ") { #expect(outcome.stderr.contains("'\(word)'"), "\(outcome.stderr)") }
    }

    @Test func labelsAreNamesWhereThereAreNoCentroids() throws {
        let folder = try TemporaryFolder()
        let clusters = try writeClustering(folder)
        func select(_ labels: [Int64]) throws -> [String: Any] {
            try NumPy.write(labels, shape: [10], to: "\(clusters)/labels.npy")
            let outcome = try coppice(
                "select", "--clustering", clusters, "--strategy", "closest", "--size", "4", "--quota", "article",
                "--out",
                folder / "kept.npy", "--json", "--quiet")
            #expect(outcome.status == 0, "\(outcome.stderr)")
            return try outcome.json()
        }
        let small: [Int64] = [0, 1, 0, 1, 0, 1, 0, 1, 0, 0]
        try FileManager.default.removeItem(atPath: "\(clusters)/centroids.npy")
        #expect(try select(small)["k"] as? Int == 2)
        let expected = try kept(folder / "kept.npy")
        // Below 2^31, above it, and two that are the same in 32 bits.
        for names in [[5, 2_000_000_000], [1 << 31, 1 << 62], [7, 7 + 1 << 32], [Int64.max - 1, Int64.max]] as [[Int64]]
        {
            let report = try select(small.map { names[Int($0)] })
            #expect(report["k"] as? Int == 2 && report["per_cluster"] as? [Int] == [2, 2])
            #expect(try kept(folder / "kept.npy") == expected)
        }
        // A gap below the number of samples is an empty cluster, as before.
        #expect(try select(small.map { 3 * $0 })["k"] as? Int == 4)
    }

    @Test func needsAClustering() throws {
        let folder = try TemporaryFolder()
        try NumPy.write([Float](repeating: 1, count: 20), shape: [10, 2], to: folder / "X.npy")
        for strategy in ["closest", "furthest", "hybrid"] {
            let outcome = try coppice(
                "select", "--features", folder / "X.npy", "--strategy", strategy, "--size", "3", "--out",
                folder / "kept.npy", "--quiet")
            expectComplaint(outcome, code: 64, mentions: ["--k or --clustering"])
        }
    }

    @Test(arguments: [["--pca", "1"], ["--kmeans", "lloyd"], ["--iterations", "3"], ["--start", "random"]])
    func optionsOfAClusteringNeedOne(options: [String]) throws {
        let folder = try TemporaryFolder()
        try NumPy.write([Float](repeating: 1, count: 20), shape: [10, 2], to: folder / "X.npy")
        let outcome = try coppice(
            ["select", "--features", folder / "X.npy", "--strategy", "random", "--size", "3", "--out"]
                + [folder / "kept.npy", "--quiet"] + options)
        expectComplaint(outcome, code: 64, mentions: [options[0], "--k"])
        #expect(try folder.names() == ["X.npy"])
    }

    @Test func badClusterings() throws {
        let folder = try TemporaryFolder()
        let clusters = try writeClustering(folder)
        func expectRefusal(_ code: Int32, _ words: String, _ change: () throws -> Void) throws {
            _ = try writeClustering(folder)
            try change()
            let outcome = try coppice(
                "select", "--clustering", clusters, "--strategy", "closest", "--size", "3", "--out",
                folder / "kept.npy", "--quiet")
            expectComplaint(outcome, code: code, mentions: [words])
        }
        try expectRefusal(65, "outside 0 to 2") {
            try NumPy.write([Int32](repeating: 3, count: 10), shape: [10], to: "\(clusters)/labels.npy")
        }
        try expectRefusal(65, "labels.npy: label 4294967296 at position 0 is outside 0 to 2, the rows of") {
            try NumPy.write([Int64](repeating: 1 << 32, count: 10), shape: [10], to: "\(clusters)/labels.npy")
        }
        try expectRefusal(65, "labels.npy: label -1 at position 0 is negative, as some programs mark noise") {
            try NumPy.write([Int64](repeating: -1, count: 10), shape: [10], to: "\(clusters)/labels.npy")
        }
        try expectRefusal(65, "centroids.npy: its shape is [2000000000, 0]") {
            try NumPy.write([Float](), shape: [2_000_000_000, 0], to: "\(clusters)/centroids.npy")
        }
        try expectRefusal(65, "labels.npy: it is empty") {
            try NumPy.write([Int32](), shape: [0], to: "\(clusters)/labels.npy")
        }
        try expectRefusal(65, "10 samples") {
            try NumPy.write([Float](repeating: 3, count: 9), shape: [9], to: "\(clusters)/distances.npy")
        }
        try expectRefusal(65, "not a number") {
            try NumPy.write([Float](repeating: .nan, count: 10), shape: [10], to: "\(clusters)/distances.npy")
        }
        try expectRefusal(65, "one dimension is needed") {
            try NumPy.write([Float](repeating: 1, count: 10), shape: [5, 2], to: "\(clusters)/distances.npy")
        }
        try expectRefusal(65, "floats") {
            try NumPy.write([Float](repeating: 1, count: 10), shape: [10], to: "\(clusters)/labels.npy")
        }
        try expectRefusal(66, "labels.npy") { try FileManager.default.removeItem(atPath: "\(clusters)/labels.npy") }
    }
}
