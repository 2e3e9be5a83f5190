import Datasets
import Foundation
import Testing
import TestSupport

@Suite struct AutomaticKTests {
    /// Four groups far from each other, 50 samples in each.
    private func writeGroups(_ folder: TemporaryFolder) throws -> String {
        let values = (0..<200).flatMap { index -> [Float] in
            let (group, step) = (index % 4, Float(index / 4))
            return [Float(group % 2) * 400 + step * cosf(step * 2.4), Float(group / 2) * 400 + step * sinf(step * 2.4)]
        }
        try NumPy.write(values, shape: [200, 2], to: folder / "X.npy")
        return folder / "X.npy"
    }

    @Test(arguments: ["lloyd", "minibatch"]) func theClusteringIsThatOfTheChosenNumber(kmeans: String) throws {
        let folder = try TemporaryFolder()
        let features = try writeGroups(folder)
        func cluster(_ k: String, _ more: String...) throws -> Outcome {
            try coppice(
                ["cluster", "--features", features, "--kmeans", kmeans, "--k", k, "--seed", "3", "--quiet"] + more)
        }
        let chosen = try cluster("auto", "--out", folder / "auto", "--json", "--curve", folder / "curve.csv")
        #expect(chosen.status == 0 && chosen.stderr.isEmpty, "\(chosen.stderr)")
        let report = try chosen.json()
        let choice = try #require(report["k_auto"] as? [String: Any])
        #expect(report["k"] as? Int == 4 && choice["k"] as? Int == 4)
        #expect(choice["stands_out"] as? Bool == true && choice["structure"] as? String == "strong")
        #expect(choice["silhouette_samples"] as? Int == 200 && choice["compared_samples"] as? Int == 200)
        #expect((choice["seconds"] as? Double ?? 0) > 0 && choice["curve"] as? String == folder / "curve.csv")
        let steps = try #require(choice["steps"] as? [[String: Any]])
        #expect(steps.map { $0["k"] as? Int } == (2...14).map { $0 })
        let own = try #require(steps.first { $0["k"] as? Int == 4 })
        #expect(own["inertia"] as? Double == report["inertia"] as? Double && own["stability"] as? Double == 1)
        #expect(own["is_eligible"] as? Bool == true && own["silhouette"] as? Double == choice["silhouette"] as? Double)
        for key in ["silhouette", "empty_clusters", "iterations", "seconds"] { #expect(own[key] != nil, "\(key)") }
        let lines = try String(contentsOfFile: folder / "curve.csv", encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 14 && lines[0] == "k,inertia,silhouette,stability,chosen")
        #expect(lines.filter { $0.hasSuffix(",True") }.map { $0.prefix(2) } == ["4,"])

        let given = try cluster("4", "--out", folder / "given", "--json")
        #expect(try given.json()["k_auto"] == nil)
        for file in ["labels.npy", "distances.npy", "centroids.npy"] {
            let bytes = try ["auto", "given"].map {
                try Data(contentsOf: URL(fileURLWithPath: folder / "\($0)/\(file)"))
            }
            #expect(bytes[0] == bytes[1], "\(file)")
        }
        let text = try cluster("auto")
        #expect(text.stdout.contains("->       4 ") && text.stdout.contains("k 4, chosen from 13 numbers tried in"))
        #expect(
            text.stdout.contains("It stands out: strong structure") && text.stdout.contains("200 samples in 4 clusters")
        )
        #expect(text.stdout.contains("two standard errors over the samples (not counting the effect of another start)"))
    }

    @Test func selectsWithinTheChosenClusters() throws {
        let folder = try TemporaryFolder()
        let features = try writeGroups(folder)
        func select(_ k: String, _ method: [String]) throws -> (outcome: Outcome, kept: [Int64]) {
            let outcome = try coppice(
                ["select", "--features", features, "--k", k, "--size", "20", "--out", folder / "kept.npy", "--quiet"]
                    + method)
            return (outcome, try NumPyArray.read(folder / "kept.npy").integers())
        }
        for method in [["--strategy", "closest"], ["--score", "semdedup", "--within", "cluster"]] {
            let chosen = try select("auto:2-6", method + ["--json"])
            let choice = try #require(try chosen.outcome.json()["k_auto"] as? [String: Any], "\(chosen.outcome.stderr)")
            #expect(choice["k"] as? Int == 4 && (choice["steps"] as? [Any])?.count == 5)
            #expect(try chosen.kept == select("4", method).kept)
        }
        #expect(try select("auto", ["--strategy", "closest"]).outcome.stdout.contains("It stands out"))
    }

    @Test func drawsTheCurve() throws {
        let folder = try TemporaryFolder()
        let features = try writeGroups(folder)
        for (file, start) in [("k.svg", Array("<?xml".utf8)), ("k.png", [0x89, 0x50, 0x4E, 0x47])] {
            let outcome = try coppice(
                "cluster", "--features", features, "--k", "auto:2-6", "--curve", folder / file, "--quiet")
            #expect(outcome.status == 0, "\(outcome.stderr)")
            #expect(outcome.stdout.contains("the curve is in"))
            #expect(try Data(contentsOf: URL(fileURLWithPath: folder / file)).starts(with: start))
        }
        let without = try coppice(
            "cluster", "--features", features, "--k", "auto:2-4", "--curve", folder / "none.svg", "--device", "cpu",
            environment: ["PATH": "/nonexistent"])
        #expect(without.status == 0 && without.stderr.contains("none.svg is not written: gnuplot is not on the PATH"))
        #expect(!FileManager.default.fileExists(atPath: folder / "none.svg"))
        #expect(!without.stdout.contains("the curve is in"))
    }

    @Test(arguments: [
        (["--k", "auto:"], 64, "range"), (["--k", "auto:3"], 64, "auto:10-100"), (["--k", "auto:9-3"], 64, "9-3"),
        (["--k", "auto:1-3"], 64, "LOW must be at least 2"), (["--k", "automatic"], 64, "auto:10-100"),
        (["--k", "many"], 64, "auto:LOW-HIGH"), (["--k", "auto:2-200"], 64, "2 to 199 are accepted"),
        (["--k", "auto", "--start", "c.npy"], 64, "give a number"),
        (["--k", "3", "--curve", "k.csv"], 64, "--curve is for --k auto"),
        (["--k", "auto", "--curve", "k.pdf"], 64, ".csv, .svg or .png"),
        (["--k", "auto", "--curve", "/nonexistent/k.csv"], 73, "/nonexistent/k.csv"),
        (["--k", "auto", "--memory", "1M"], 64, "choosing k for 200 samples"),
    ])
    func badOptions(_ more: [String], _ code: Int32, _ words: String) throws {
        let folder = try TemporaryFolder()
        let features = try writeGroups(folder)
        let outcome = try coppice(["cluster", "--features", features, "--quiet"] + more)
        #expect(outcome.status == code && outcome.stderr.contains(words), "\(outcome.stderr)")
        #expect(outcome.stdout.isEmpty)
    }

    @Test func otherCommandsTakeANumber() throws {
        let folder = try TemporaryFolder()
        let features = try writeGroups(folder)
        for command in [
            ["dedup", "--eps", "0.1"], ["score", "--score", "distance"],
            ["select", "--score", "prototypes", "--size", "9"],
        ] {
            let outcome = try coppice(
                command + ["--features", features, "--k", "auto", "--out", folder / "out.npy", "--quiet"])
            expectComplaint(outcome, code: 64, mentions: ["--k auto is not for", "give a number"])
        }
        expectComplaint(
            try coppice(
                "select", "--features", features, "--k", "auto", "--strategy", "closest", "--size", "9", "--out",
                folder / "k.csv", "--curve", folder / "k.csv", "--quiet"), code: 64, mentions: ["--curve", "--out"])
        #expect(try folder.names() == ["X.npy"])
    }

    @Test func samplesThatHaveNoClusters() throws {
        let folder = try TemporaryFolder()
        func cluster(_ values: [Float], _ count: Int) throws -> Outcome {
            try NumPy.write(values, shape: [count, values.count / count], to: folder / "Y.npy")
            return try coppice("cluster", "--features", folder / "Y.npy", "--k", "auto", "--device", "cpu", "--quiet")
        }
        expectComplaint(try cluster([Float](repeating: 2, count: 80), 40), code: 65, mentions: ["equal samples"])
        expectComplaint(try cluster([1, 2, 3, 4], 2), code: 64, mentions: ["at least 3 samples", "are 2"])
        expectComplaint(try cluster([1, 2], 1), code: 64, mentions: ["there is 1"])
        let three = try cluster([0, 1, 9], 3)
        #expect(three.status == 0 && three.stdout.contains("k 2 is the only number tried"), "\(three.stderr)")
        #expect(three.stdout.contains("No k stands out: no other number was tried"))
    }

    @Test func streamedSamplesGiveTheSameChoice() throws {
        let folder = try TemporaryFolder()
        try writeNoise(count: 300_000, dimensions: 4, to: folder / "X.npy")
        func cluster(_ memory: String) throws -> Outcome {
            try coppice(
                "cluster", "--features", folder / "X.npy", "--k", "auto:2-3", "--kmeans", "lloyd", "--iterations", "2",
                "--memory", memory, "--device", "cpu", "--json", "--quiet")
        }
        let refused = try cluster("1M")
        #expect(refused.status == 64 && refused.complaints.count == 1, "\(refused.stderr)")
        let needed = try #require(refused.stderr.split(separator: " ").first { $0.hasSuffix("M,") }?.dropLast(2))
        let streamed = try cluster("\(try #require(Int(needed)) + 4)M").json()
        let whole = try cluster("2G").json()
        #expect(streamed["streamed"] as? Bool == true && whole["streamed"] as? Bool == false)
        let measures = try [streamed, whole].map { report in
            let choice = try #require(report["k_auto"] as? [String: Any])
            return try #require(choice["steps"] as? [[String: Any]]).map { step in
                ["inertia", "silhouette", "stability"].map { step[$0] as? Double }
            }
        }
        #expect(measures[0] == measures[1] && measures[0].count == 2)
        #expect(streamed["inertia"] as? Double == whole["inertia"] as? Double)
    }

    @Test func ctrlCEndsASweep() throws {
        let folder = try TemporaryFolder()
        try writeNoise(count: 20_000, dimensions: 64, to: folder / "X.npy")
        let outcome = try coppice(
            [
                "cluster", "--features", folder / "X.npy", "--k", "auto:500-1000", "--kmeans", "lloyd", "--iterations",
                "100000", "--out", folder / "clusters",
            ], interrupting: "trying 4 numbers")
        #expect(outcome.status == 130 && outcome.secondsAfterInterrupt < 5)
        #expect(outcome.complaints.last?.hasPrefix("coppice: interrupted") == true)
        #expect(!FileManager.default.fileExists(atPath: folder / "clusters"))
    }
}
