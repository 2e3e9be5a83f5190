import Foundation
import Testing
import TestSupport

/// `coppice plan cluster`
@Suite struct PlanCommandTests {
    private let folder: TemporaryFolder
    private let gpu: String

    init() throws {
        folder = try TemporaryFolder()
        gpu = folder / "gpu.yaml"
        try "name: A card\ntflops: 50\ngbs: 2000\nlaunch_us: 4\ncompute_units: 100\n".write(
            toFile: gpu, atomically: true, encoding: .utf8)
    }

    /// A plan for the file's GPU, without any device.
    private func plan(_ arguments: String...) throws -> Outcome {
        try coppice(
            ["plan", "cluster", "--gpu", gpu] + arguments, environment: ["COPPICE_OPENCL_LIBRARY": "none"])
    }

    @Test func aPlanNeedsNoDevice() throws {
        let outcome = try plan(
            "--rows", "1e9", "--dim", "768", "--k", "50000", "--ranks", "64", "--network", "400Gbit/s", "--latency",
            "5us",
            "--iterations", "10", "--json")
        #expect(outcome.status == 0 && outcome.stderr.isEmpty, "\(outcome.stderr)")
        let report = try outcome.json()
        #expect(report["estimate"] as? Bool == true)
        for (key, value) in [
            ("rows", 1_000_000_000), ("dim", 768), ("k", 50_000), ("ranks", 64), ("iterations", 10),
            ("rows_per_rank", 15_626_240), ("chunk_rows", 4096), ("start_rows", 1_000_000_000),
            ("start_candidates", 125_001),
        ] {
            #expect(report[key] as? Int == value, "\(key)")
        }
        let device = try #require(report["device"] as? [String: Any])
        #expect(device["name"] as? String == "A card" && device["gflops"] as? Double == 50_000)
        #expect(device["gbs"] as? Double == 2000 && device["launch_us"] as? Double == 4)
        #expect(device["shares"] as? [String: Double] == ["assignment": 1, "update": 1])
        #expect(device["measured_on"] == nil)
        #expect(report["start_method"] as? String == "kmeans-parallel")
        let host = try #require(report["host"] as? [String: Double])
        #expect(host["gbs"] == 100 && (host["row_ns"] ?? 0) > 0 && host.count == 2)
        let network = try #require(report["network"] as? [String: Double])
        #expect(network["bytes_per_second"] == 50e9 && network["latency_seconds"] == 5e-6)
        func span(_ key: String) throws -> (compute: Double, network: Double) {
            let span = try #require(report[key] as? [String: Double])
            let (compute, network) = (
                try #require(span["compute_seconds"]), try #require(span["network_seconds"])
            )
            #expect(abs(try #require(span["seconds"]) - compute - network) < 1e-9)
            return (compute, network)
        }
        let (start, iteration, last, total) = (
            try span("start"), try span("iteration"), try span("last_assignment"), try span("total")
        )
        // 1.2 PFLOP, 48.2 GB, 9.38 TB of block sums, 15,263 launches; 605.6 MB, 126 messages.
        let computing = 24.00190464 + 0.0241099572 + 4.6922962 + 0.061052
        let sending = 0.01211175 + 0.00063
        #expect(abs(iteration.compute - computing) < 1e-6 && abs(iteration.network - sending) < 1e-9)
        #expect(abs(total.compute - start.compute - 10 * iteration.compute - last.compute) < 1e-6)
        #expect(abs(total.network - start.network - 10 * iteration.network) < 1e-9)
        let traffic = try #require(report["network_bytes_per_iteration"] as? [String: Double])
        #expect(traffic["summed"] == 307_600_000 && traffic["sent_per_rank"] == 605_587_500)
        #expect(abs(try #require(traffic["sent"]) - 64 * 605_587_500) < 1)
        let memory = try #require(report["memory_bytes_per_rank"] as? [String: Int])
        #expect(Set(memory.keys) == ["resident", "host", "device", "streamed", "gathered"])
        #expect(try #require(memory["streamed"]) < (try #require(memory["resident"])))
        let parts = try #require(report["start_parts"] as? [String: [String: Double]])
        #expect(Set(parts.keys) == ["searches", "choice"])
        // 19.3 TB of candidates.
        #expect(abs(try #require(parts["choice"]?["compute_seconds"]) - 193.001544) < 1e-6)
        #expect(report["network_bytes_of_start"] as? Double == 381_645_235.125)
        #expect((report["assumptions"] as? [String])?.count == 13)
    }

    /// `--start` and the rate of the host.
    @Test func theStartIsThatOfTheClusteringUnlessGiven() throws {
        func start(_ arguments: String...) throws -> [String: Any] {
            try coppice(["plan", "cluster", "--gpu", gpu, "--rows", "1e6", "--dim", "16", "--json"] + arguments).json()
        }
        #expect(try start("--k", "10000")["start_method"] as? String == "kmeans++")
        #expect(try start("--k", "10001")["start_method"] as? String == "kmeans-parallel")
        let subset = try start("--k", "10001", "--start", "kmeans++")
        #expect(subset["start_method"] as? String == "kmeans++" && subset["start_rows"] as? Int == 30_003)
        #expect(subset["host"] == nil && subset["start_parts"] == nil && subset["start_candidates"] == nil)
        let few = try start("--k", "100", "--start", "kmeans-parallel", "--host", "400Gbit/s")
        #expect(few["start_candidates"] as? Int == 251)
        #expect((few["host"] as? [String: Double])?["gbs"] == 50)
        let parts = try #require(few["start_parts"] as? [String: [String: Double]])
        // One draw for the first centroid, six for each other one, and 80 bytes per candidate.
        let bytes: Double = 595 * 251 * 80
        let choice = try #require(parts["choice"]?["seconds"])
        #expect(abs(choice - bytes / 50e9) < 1e-12)
    }

    @Test func aPlanForPeopleHasItsAssumptions() throws {
        let outcome = try plan("--rows", "1e6", "--dim", "64", "--k", "1000", "--ranks", "4", "--network", "10GB/s")
        #expect(outcome.status == 0 && outcome.stderr.isEmpty, "\(outcome.stderr)")
        let lines = outcome.stdout.split(separator: "\n")
        #expect(lines.first?.hasPrefix("an estimate, not a measurement: 1000000 rows of 64 numbers") == true)
        for words in [
            "each rank: A card, 50.0 TFLOP/s, 2000 GB/s, 4.00 us a launch", "network: 10.0 GB/s per rank",
            "start  ", "iteration  ", "all, 20 iterations", "memory per rank", "rank 0 at the end",
            "network per iteration",
            "assumptions:",
            "around a ring", "on a real device none does",
        ] {
            #expect(outcome.stdout.contains(words), "\(words): \(outcome.stdout)")
        }
        let alone = try plan("--rows", "1000", "--dim", "8", "--k", "10")
        #expect(alone.status == 0 && alone.stdout.contains("on 1 rank of up to 1000 rows"), "\(alone.stderr)")
        #expect(!alone.stdout.contains("network:"))
    }

    /// docs/clusters.md prints the example as the command does.
    @Test func theDocumentationHasWhatIsPrinted() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
            .standardizedFileURL
        let page = try String(contentsOf: root.appendingPathComponent("docs/clusters.md"), encoding: .utf8)
        let command = try #require(page.split(separator: "\n").first { $0.hasPrefix("coppice plan cluster --rows") })
        let outcome = try coppice(
            command.split(separator: " ").dropFirst().map { String($0) }, directory: root.path)
        #expect(outcome.status == 0 && outcome.stderr.isEmpty, "\(outcome.stderr)")
        let figures = outcome.stdout.components(separatedBy: "\n\nassumptions:")[0]
        #expect(page.contains("\n```\n\(figures)\n```\n"), "\(figures)")
    }

    /// The plan has the operations that bench counts for a stage of the same size, and those of the blocks' sums.
    @Test func anIterationIsThatOfTheBenchmark() throws {
        let size = ["--rows", "5000", "--dim", "13", "--k", "40"]
        let stage = try #require(
            try coppice(["bench", "--stage", "lloyd", "--device", "cpu", "--quiet", "--json"] + size).json()["stages"]
                as? [[String: Any]])[0]
        let operations =
            try #require(stage["gflops"] as? Double) * (try #require(stage["seconds"] as? Double)) * 1e9
        let iterations = try #require(stage["iterations"] as? Int)
        // Memory bandwidth is so high and launches are so short that only arithmetic takes time.
        try "name: A card\ntflops: 1e-3\ngbs: 9e8\nlaunch_us: 1e-9\ncompute_units: 1\n".write(
            toFile: gpu, atomically: true, encoding: .utf8)
        let outcome = try coppice(
            ["plan", "cluster", "--gpu", gpu, "--json", "--iterations", "\(iterations)"] + size)
        let report = try outcome.json()
        func seconds(_ key: String) throws -> Double {
            try #require((report[key] as? [String: Double])?["compute_seconds"])
        }
        let planned = try Double(iterations) * seconds("iteration") + seconds("last_assignment")
        // The plan includes the scaling of the blocks' sums: 20 blocks of 256 rows, sums and corrections.
        let scaled = Double(iterations * 20 * 2 * 40 * 13)
        #expect(abs((planned * 1e9 - scaled) / operations - 1) < 1e-6)
    }

    /// The measured rates of this machine's device: limits, latency, and the share that an iteration reaches.
    @Test(arguments: ["cpu", "auto"]) func withoutAFileTheDeviceIsMeasured(_ device: String) throws {
        let outcome = try coppice(
            "plan", "cluster", "--rows", "20000", "--dim", "16", "--k", "20", "--device", device, "--json", "--quiet")
        #expect(outcome.status == 0 && outcome.stderr.isEmpty, "\(outcome.stderr)")
        let report = try outcome.json()
        let rates = try #require(report["device"] as? [String: Any])
        for key in ["gflops", "gbs", "launch_us"] {
            #expect(try #require(rates[key] as? Double) > 0, "\(key)")
        }
        let shares = try #require(rates["shares"] as? [String: Double])
        #expect(shares.count == 3 && shares.values.allSatisfy { $0 > 0 && $0 < 1000 }, "\(shares)")
        #expect((rates["measured_on"] as? String)?.hasSuffix("made rows of 16 numbers, k 20") == true, "\(rates)")
        #expect(report["network"] == nil && report["host"] == nil)
        #expect(try #require((report["total"] as? [String: Double])?["seconds"]) > 0)
    }

    /// The host is measured too if the start is k-means||.
    @Test func withoutAFileTheHostIsMeasured() throws {
        let outcome = try coppice(
            "plan", "cluster", "--rows", "20000", "--dim", "16", "--k", "20", "--start", "kmeans-parallel", "--device",
            "cpu", "--json", "--quiet")
        #expect(outcome.status == 0 && outcome.stderr.isEmpty, "\(outcome.stderr)")
        let report = try outcome.json()
        let host = try #require(report["host"] as? [String: Any])
        let (rate, row) = (try #require(host["gbs"] as? Double), try #require(host["row_ns"] as? Double))
        #expect(rate > 0.01 && rate < 1e5 && row > 0.1 && row < 1e5, "\(host)")
        #expect(host["measured_on"] as? String == "51 made rows of 16 numbers")
        let shares = try #require((report["device"] as? [String: Any])?["shares"] as? [String: Double])
        #expect(Set(shares.keys) == ["assignment", "update"])
    }

    @Test func whatMakesNoSenseIsRefused() throws {
        let size = ["--rows", "1000", "--dim", "8", "--k", "10"]
        let cases: [(arguments: [String], words: String)] = [
            (["--rows", "0", "--dim", "8", "--k", "1"], "--rows is 0; from 1 to 2147418111 are accepted"),
            (["--rows", "10", "--dim", "0", "--k", "1"], "--dim is 0; from 1 to 8388607 are accepted"),
            (
                ["--rows", "10", "--dim", "8", "--k", "11"],
                "--k is 11; for 10 rows of 8 numbers from 1 to 10 are accepted"
            ),
            (size + ["--iterations", "0"], "--iterations is 0; from 1 to 1000000 are accepted"),
            (size + ["--ranks", "0"], "--ranks is 0; from 1 to 100000 are accepted"),
            (
                size + ["--ranks", "5", "--network", "1GB/s"],
                "--ranks is 5, but 1000 rows come in 1 chunk of 4096, of which every rank has at least one; from 1 to 1 are accepted"
            ),
            (
                ["--rows", "3e9", "--dim", "8", "--k", "10", "--ranks", "4", "--network", "1GB/s"],
                "--rows is 3000000000; from 1 to 2147418111 are accepted"
            ),
            (
                ["--rows", "1e4"] + size.dropFirst(2) + ["--ranks", "2"],
                "--network is missing: 2 ranks need the rate at which each of them sends"
            ),
            (
                ["--rows", "1e4"] + size.dropFirst(2) + ["--ranks", "2", "--network", "50"],
                "--network is '50'; a number with its unit is needed"
            ),
            (size + ["--network", "50"], "--network is '50'; a number with its unit is needed"),
            (size + ["--host", "50"], "--host is '50'; a number with its unit is needed"),
            (
                size + ["--host", "50GB/s"],
                "--host has no effect on a k-means++ start; --start kmeans-parallel uses the host"
            ),
            (size + ["--latency", "5"], "--latency is '5'; a number with its unit is needed, such as 5us"),
            (size + ["--latency", "2e4s"], "--latency is '2e4s'; a time from 0 to 3600 s is accepted"),
            (size + ["--device", "cpu"], "--gpu and --device are mutually exclusive"),
            (size + ["--profile", "cpu16"], "--gpu and --profile are mutually exclusive"),
        ]
        for (arguments, words) in cases {
            expectComplaint(
                try coppice(["plan", "cluster", "--gpu", gpu] + arguments), code: 64, mentions: [words])
        }
        for missing in [
            ["--dim", "8", "--k", "10"], ["--rows", "1e3", "--k", "10"], ["--rows", "1e3", "--dim", "8"],
        ] {
            let outcome = try coppice(["plan", "cluster", "--gpu", gpu] + missing)
            #expect(outcome.status == 64 && outcome.stderr.contains("Missing expected argument"), "\(outcome.stderr)")
        }
        expectComplaint(
            try coppice(["plan", "cluster", "--host", "50GB/s", "--device", "cpu"] + size), code: 64,
            mentions: ["--host requires --gpu; without --gpu the rate of this machine's host is measured"])
        let word = try plan("--rows", "1e3", "--dim", "8", "--k", "10", "--start", "kmeans")
        #expect(word.status == 64 && word.stderr.contains("'kmeans-parallel'"), "\(word.stderr)")
        let fraction = try plan("--rows", "1.5", "--dim", "8", "--k", "1")
        #expect(fraction.status == 64 && fraction.stderr.contains("a whole number is needed"), "\(fraction.stderr)")
        expectComplaint(
            try coppice(["plan", "cluster", "--gpu", folder / "none.yaml"] + size), code: 66,
            mentions: ["none.yaml: cannot be read"])
    }
}
