import Foundation
import Testing
import TestSupport

@Suite struct BenchCommandTests {
    private static let gpu = "name: A card\ntflops: 50\ngbs: 2000\nlaunch_us: 4\ncompute_units: 100\n"

    private func file(_ folder: TemporaryFolder, _ text: String = gpu) throws -> String {
        try text.write(toFile: folder / "gpu.yaml", atomically: true, encoding: .utf8)
        return folder / "gpu.yaml"
    }

    /// Without any device, and nothing else than sums of what it prints itself.
    @Test func rooflineIsTheSumOfItsLaunches() throws {
        let folder = try TemporaryFolder()
        let outcome = try coppice(
            "bench", "--roofline", file(folder), "--replicas", "20", "--json",
            environment: ["COPPICE_OPENCL_LIBRARY": "none"])
        #expect(outcome.status == 0 && outcome.stderr.isEmpty, "\(outcome.stderr)")
        let report = try outcome.json()
        #expect(report["estimate"] as? Bool == true && report["replicas"] as? Int == 20)
        let launches = try #require(report["launches"] as? [[String: Any]])
        var seconds = 0.0
        var slowed = 0.0
        for launch in launches {
            let (operations, bytes) = (
                try #require(launch["operations"] as? Double), try #require(launch["bytes"] as? Double)
            )
            let (arithmetic, memory) = (operations / 50e12, bytes / 2000e9)
            #expect(abs(try #require(launch["seconds"] as? Double) - max(arithmetic, memory)) < 1e-12)
            #expect(launch["bound"] as? String == (arithmetic >= memory ? "arithmetic" : "memory"))
            seconds += max(arithmetic, memory) + 4e-6
            // 2 tiles of 32 for each of 20 networks: 40 of 100 units work.
            slowed += max(arithmetic / 0.4, memory) + 4e-6
        }
        let step = try #require(report["step"] as? [String: Double])
        #expect(abs(try #require(step["seconds"]) / seconds - 1) < 1e-9)
        #expect(abs(try #require(step["seconds_with_few_groups"]) / slowed - 1) < 1e-9)
        let epoch = try #require(report["epoch"] as? [String: Double])
        #expect(abs(try #require(epoch["seconds"]) / (938 * seconds) - 1) < 1e-9)
        // 20 + 15 runs of each size take as many steps as two trainings do.
        let training = try #require((report["study_training"] as? [String: Double])?["seconds"])
        #expect(training > epoch["seconds"] ?? 0)
        #expect((report["assumptions"] as? [String])?.count ?? 0 >= 6)
    }

    @Test func rooflineCallsItselfAnEstimateFirst() throws {
        let folder = try TemporaryFolder()
        let text = try coppice("bench", "--roofline", file(folder)).stdout
        let lines = text.split(separator: "\n")
        #expect(lines.first?.hasPrefix("an estimate from a data sheet, not a measurement: A card") == true, "\(text)")
        for words in [
            "40 networks", "study article", "no", "assumptions:", "reaches the peak", "read once", "none overlaps",
        ] {
            #expect(text.contains(words), "\(words)")
        }
    }

    @Test func rooflineSaysWhatIsWrongWithItsFile() throws {
        let folder = try TemporaryFolder()
        let path = try file(folder, Self.gpu.replacing("gbs: 2000", with: "gbs: much"))
        expectComplaint(
            try coppice("bench", "--roofline", path), code: 65,
            mentions: ["gpu.yaml:3:6: gbs is much; a number is needed"])
        expectComplaint(
            try coppice("bench", "--roofline", folder / "none.yaml"), code: 66, mentions: ["none.yaml: cannot be read"])
        let both = try coppice("bench", "--roofline", path, "--stage", "pca")
        #expect(both.status == 64 && both.stderr.contains("leave --kernel and --stage out"))
        let none = try coppice("bench", "--roofline", path, "--replicas", "0")
        #expect(none.status == 64 && none.stderr.contains("from 1 to 10000 networks are accepted"))
    }

    @Test func benchNamesTheNearestStage() throws {
        expectComplaint(
            try coppice("bench", "--quiet", "--stage", "pcs"), code: 64,
            mentions: ["no stage pcs", "the nearest is pca"])
    }

    /// A stage's share is that of the limit, its operations are those of its shape.
    @Test func aStageIsTimedAlone() throws {
        let outcome = try coppice("bench", "--stage", "lloyd", "--quiet", "--json")
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let report = try outcome.json()
        #expect((report["cases"] as? [Any])?.isEmpty == true)
        let stages = try #require(report["stages"] as? [[String: Any]])
        #expect(stages.count == 1 && stages[0]["stage"] as? String == "lloyd")
        #expect(stages[0]["case"] as? String == "60000x50, k 500, 20 iterations")
        let seconds = try #require(stages[0]["seconds"] as? Double)
        let operations = try #require(stages[0]["gflops"] as? Double) * seconds * 1e9
        #expect(abs(operations - (21 * 2 * 60_000 * 500 * 50 + 20 * 60_500 * 50)) < 1e4)
        let limit = try #require((report["limits"] as? [String: Any])?["gflops"] as? Double)
        let share = try #require(stages[0]["share"] as? Double)
        #expect(share >= 0.999 * operations / (seconds * limit * 1e9) && share < 1.5)
    }

    /// A training of another model is timed against its own launches.
    @Test func aTrainingOfAnyModelIsTimed() throws {
        let outcome = try coppice(
            "bench", "--stage", "training", "--model", "linear", "--replicas", "1", "--quiet", "--json")
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let stages = try #require(try outcome.json()["stages"] as? [[String: Any]])
        #expect(
            stages.compactMap { $0["case"] as? String } == [
                "linear, a step of 64, 1 network", "linear, an epoch of 60,000, 1 network",
            ])
        let seconds = try #require(stages[0]["seconds"] as? Double)
        let operations = try #require(stages[0]["gflops"] as? Double) * seconds * 1e9
        // 7,840 multiply-adds forward and as many for the weights, 12 operations for each of 785 rows of 16 parameters, and 2
        // for each pixel that is read; the softmax is small.
        let least = Double(64 * 4 * 7840 + 12 * 785 * 16 + 64 * 2 * 784)
        #expect(operations > 0.95 * least && operations < 1.05 * least, "\(operations), \(least)")
        #expect(try #require(stages[0]["share"] as? Double) > 0)
        let alone = try coppice("bench", "--model", "linear")
        #expect(alone.status == 64 && alone.stderr.contains("--model requires --stage training"), "\(alone.stderr)")
        let unknown = try coppice("bench", "--stage", "training", "--model", "linaer")
        #expect(unknown.status == 64 && unknown.stderr.contains("unknown model 'linaer'"), "\(unknown.stderr)")
    }

    /// What kernels are built with says which profile they have: those of a stage too, which has a backend of its own.
    @Test(
        .enabled(if: hasOpenCL, "this host has no OpenCL device"),
        arguments: [
            ["bench", "--stage", "evaluation", "--replicas", "1", "--profile", "cpu4"],
            [
                "select", "--features", "X.npy", "--k", "2", "--strategy", "closest", "--size", "5", "--out",
                "kept.npy",
                "--profile", "cpu4",
            ],
        ])
    func aProfileIsThatOfEveryKernel(_ arguments: [String]) throws {
        let folder = try TemporaryFolder()
        try writeNoise(count: 60, dimensions: 8, to: folder / "X.npy")
        let outcome = try coppice(
            arguments + ["--quiet"], environment: ["COPPICE_SAVE_PROGRAMS": folder / "programs"], directory: folder.path
        )
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let launches = try String(contentsOfFile: folder / "programs/launches.jsonl", encoding: .utf8)
            .split(separator: "\n")
        #expect(launches.count > 3)
        for launch in launches { #expect(launch.contains(" -D VW=4 "), "\(launch)") }
        expectComplaint(
            try coppice(Array(arguments.dropLast()) + ["cpu3"], directory: folder.path), code: 64,
            mentions: ["--profile", "cpu3"])
    }

    /// The kernel cases have the networks that are asked for: their arithmetic grows with them.
    @Test(arguments: ["cpu", "auto"])
    func kernelsRunWithTheReplicasThatAreAskedFor(_ device: String) throws {
        let outcome = try coppice(
            "bench", "--kernel", "classifier_step", "--replicas", "2", "--device", device, "--quiet", "--json")
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let cases = try #require(try outcome.json()["cases"] as? [[String: Any]])
        #expect(cases.count == 4 && cases.allSatisfy { $0["replicas"] as? Int == 2 })
        let seconds = try #require(cases[0]["seconds"] as? Double)
        #expect(abs(try #require(cases[0]["gflops"] as? Double) * seconds * 1e9 - 0.4 * 76_076_800) < 1)
    }

    /// Made rows of any size: what is reported is of that size, and the arithmetic is counted from it.
    @Test(arguments: ["cpu", "auto"])
    func aStageIsTimedOnRowsOfAnySize(_ device: String) throws {
        func stage(_ arguments: String...) throws -> [String: Any] {
            let outcome = try coppice(["bench", "--device", device, "--quiet", "--json"] + arguments)
            #expect(outcome.status == 0, "\(outcome.stderr)")
            let report = try outcome.json()
            #expect((report["cases"] as? [Any])?.isEmpty == true)
            let stages = try #require(report["stages"] as? [[String: Any]])
            #expect(stages.count == 1)
            #expect(try #require(stages[0]["share"] as? Double) > 0)
            return stages[0]
        }
        func operations(_ stage: [String: Any]) throws -> Double {
            try #require(stage["gflops"] as? Double) * (try #require(stage["seconds"] as? Double)) * 1e9
        }
        let lloyd = try stage("--stage", "lloyd", "--rows", "5000", "--dim", "13", "--k", "40")
        #expect(lloyd["rows"] as? Int == 5000 && lloyd["dim"] as? Int == 13 && lloyd["k"] as? Int == 40)
        let iterations = try #require(lloyd["iterations"] as? Int)
        #expect((1...20).contains(iterations))
        #expect(lloyd["case"] as? String == "5000x13, k 40, \(iterations) iterations")
        let counted = (iterations + 1) * 2 * 5000 * 40 * 13 + iterations * 5040 * 13
        #expect(abs(try operations(lloyd) - Double(counted)) < 1)

        let pca = try stage("--stage", "pca", "--rows", "3000", "--dim", "20")
        #expect(pca["rows"] as? Int == 3000 && pca["dim"] as? Int == 20 && pca["components"] as? Int == 20)
        #expect(pca["k"] == nil && pca["iterations"] == nil)
        #expect(pca["case"] as? String == "3000x20 to 20, fit and projection")
        // A multiply-add per row and half the pairs of columns, and the shift of each value; then the projection.
        #expect(abs(try operations(pca) - Double(3000 * 20 * 22 + 3000 * 20 * 41)) < 1)

        let dedup = try coppice(
            "bench", "--device", device, "--quiet", "--json", "--stage", "dedup", "--rows", "2000", "--dim", "64",
            "--k",
            "1"
        ).json()
        let parts = try #require(dedup["stages"] as? [[String: Any]])
        #expect(
            parts.count == 2 && parts.allSatisfy { $0["stage"] as? String == "dedup" && $0["rows"] as? Int == 2000 })
        // Every tenth is nearly another row.
        #expect(parts[1]["case"] as? String == "2000x64, k 1, comparing, 200 dropped")
        #expect(abs(try operations(parts[1]) - Double(2000 * 1999 * 64)) < 1)

        // What is not given is as ever; one row and one column are enough.
        let few = try stage("--stage", "lloyd", "--rows", "600")
        #expect((few["case"] as? String)?.hasPrefix("600x50, k 500, ") == true)
        #expect(try stage("--stage", "pca", "--rows", "1", "--dim", "1")["components"] as? Int == 1)
    }

    @Test func sizesThatMakeNoSenseAreRefused() throws {
        for (arguments, words) in [
            (["--rows", "10"], "--rows requires --stage lloyd, pca or dedup"),
            (["--stage", "training", "--dim", "10"], "--dim requires --stage lloyd, pca or dedup"),
            (["--kernel", "kmeans_assign", "--k", "10"], "--k requires --stage lloyd, pca or dedup"),
            (["--stage", "pca", "--k", "10"], "--k requires --stage lloyd or dedup: PCA has no clusters"),
            (["--stage", "lloyd", "--rows", "0"], "--rows is 0; from 1 to 2147483647 are accepted"),
            (["--stage", "pca", "--dim", "32769"], "--dim is 32769; from 1 to 32768 are accepted"),
            (["--stage", "lloyd", "--rows", "9", "--k", "10"], "for 9 rows of 50 numbers from 1 to 9 are accepted"),
            (
                ["--stage", "lloyd", "--dim", "32768", "--k", "70000", "--rows", "100000"],
                "from 1 to 65535 are accepted"
            ),
            (["--stage", "lloyd", "--rows=-5"], "--rows is -5"), (["--stage", "lloyd", "--rows", "many"], "--rows"),
        ] {
            let outcome = try coppice(["bench", "--quiet"] + arguments)
            #expect(outcome.status == 64 && outcome.stdout.isEmpty, "\(arguments): \(outcome.stderr)")
            #expect(outcome.stderr.contains(words), "\(arguments): \(outcome.stderr)")
        }
    }

    /// Looked at before anything is made: systems end a process that uses memory which they do not have.
    @Test(arguments: ["cpu", "auto"], ["lloyd", "pca"])
    func rowsThatDoNotFitAreRefused(_ device: String, _ stage: String) throws {
        let outcome = try coppice(
            "bench", "--stage", stage, "--rows", "2000000000", "--dim", "32768", "--device", device, "--quiet")
        expectComplaint(
            outcome, code: 69, mentions: ["2000000000 rows of 32768 numbers", "fewer --rows need less"])
    }
}
