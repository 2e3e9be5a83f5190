import Foundation
import Ranks
import TestSupport
import Testing

@testable import coppice

/// Clusterings, selections and duplicates on two devices at once: a processor that PoCL shows twice.
@Suite(.enabled(if: hasTwoDevices, "PoCL does not show two devices here")) struct SpreadDevicesTests {
    private static let twice = ["POCL_DEVICES": "pthread pthread", "COPPICE_PROFILE": "cpu16"]

    private struct Place {
        let folder: TemporaryFolder

        /// Three whole chunks of rows and a short one, unless there are to be fewer rows.
        init(count: Int = 3 * 4096 + 100) throws {
            folder = try TemporaryFolder()
            try writeNoise(count: count, dimensions: 8, to: folder / "X.npy")
        }

        func run(
            _ command: String, _ options: [String], device: [String] = ["--device", "opencl-cpu"],
            environment: [String: String] = SpreadDevicesTests.twice
        ) throws -> Outcome {
            try coppice(
                [command, "--features", folder / "X.npy", "--k", "40"] + options + device, environment: environment,
                limit: 120)
        }

        func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: folder / name)) }
    }

    private static let two = ["--device", "opencl-cpu", "--devices", "2"]

    @Test(arguments: [
        ["--iterations", "9"], ["--pca", "3"], ["--start", "kmeans-parallel", "--iterations", "4"],
    ])
    func aClusteringHasTheBytesOfOneDevice(options: [String]) throws {
        let place = try Place()
        let lloyd = ["--kmeans", "lloyd"]
        for (name, device) in [
            ("one", ["--device", "opencl-cpu"]), ("two", Self.two), ("all", ["--device", "opencl-cpu:all"]),
            ("mixed", ["--device", "opencl-cpu:1,0", "--mix-devices"]),
        ] {
            let outcome = try place.run(
                "cluster", lloyd + options + ["--out", place.folder / name, "--json"], device: device)
            #expect(outcome.status == 0, "\(name): \(outcome.stderr)")
            #expect(try outcome.json()["ranks"] as? Int == (name == "one" ? nil : 2))
            if name == "two" {
                for words in ["device 1: ", "device 2: ", "\n2 devices, 12388 samples"] {
                    #expect(outcome.stderr.contains(words), "\(words): \(outcome.stderr)")
                }
            }
            for file in ["labels.npy", "distances.npy", "centroids.npy"] {
                #expect(try place.bytes("\(name)/\(file)") == place.bytes("one/\(file)"), "\(name), \(file)")
            }
        }
    }

    @Test(arguments: [[], ["--standardize", "--normalize"]])
    func aSelectionHasTheBytesOfOneDevice(scaling: [String]) throws {
        let place = try Place()
        for (name, device) in [("one", ["--device", "opencl-cpu"]), ("two", Self.two)] {
            let outcome = try place.run(
                "select",
                scaling + [
                    "--kmeans", "lloyd", "--iterations", "5", "--strategy", "furthest", "--size", "1000", "--out",
                    place.folder / "\(name).npy",
                ], device: device)
            #expect(outcome.status == 0, "\(outcome.stderr)")
        }
        #expect(try place.bytes("two.npy") == place.bytes("one.npy"))
    }

    @Test(arguments: [false, true]) func duplicatesHaveTheBytesOfOneDevice(hasOldSet: Bool) throws {
        let place = try Place()
        let old = place.folder / "old.npy"
        if hasOldSet { try writeNoise(count: 300, dimensions: 8, to: old) }
        for (name, device) in [("one", ["--device", "opencl-cpu"]), ("two", Self.two)] {
            let outcome = try place.run(
                "dedup",
                (hasOldSet ? ["--standardize", "--against", old] : []) + [
                    "--kmeans", "lloyd", "--iterations", "5", "--eps", "0.02", "--out", place.folder / "\(name).npy",
                    "--pairs", place.folder / "\(name).jsonl",
                ], device: device)
            #expect(outcome.status == 0, "\(outcome.stderr)")
        }
        #expect(try place.bytes("two.npy") == place.bytes("one.npy"))
        #expect(try place.bytes("two.jsonl") == place.bytes("one.jsonl"))
    }

    /// A signal ends both ranks after an iteration, and one device goes on.
    @Test func aCheckpointIsOfAnyNumberOfDevices() throws {
        let place = try Place()
        let options = ["--kmeans", "lloyd", "--iterations", "60"]
        let whole = try place.run("cluster", options + ["--out", place.folder / "whole", "--quiet"])
        #expect(whole.status == 0, "\(whole.stderr)")
        let out = place.folder / "out"
        let words = (options + Self.two).joined(separator: " ")
        let stopped = try shell(
            """
            "$COPPICE" cluster --features \(place.folder / "X.npy") --k 40 \(words) --out \(out) --checkpoint-every 0 --quiet &
            process=$!
            until [ -f \(out)/clustering.checkpoint ]; do
                kill -0 $process || exit 99
                sleep 0.001
            done
            kill -USR1 $process
            wait $process
            """, environment: Self.twice)
        #expect(stopped.status == 75, "\(stopped.stderr)")
        #expect(
            stopped.complaints.count == 1 && stopped.stderr.hasPrefix("coppice: stopped after "), "\(stopped.stderr)")
        let resumed = try place.run("cluster", options + ["--out", out, "--resume"])
        #expect(resumed.status == 0 && resumed.stderr.contains("going on after "), "\(resumed.stderr)")
        for file in ["labels.npy", "distances.npy", "centroids.npy"] {
            #expect(try place.bytes("out/\(file)") == place.bytes("whole/\(file)"), "\(file)")
        }
    }

    /// The other device waits for it, and ends too.
    @Test func aDeviceThatIsLostEndsTheClustering() throws {
        let place = try Place()
        let library = program.deletingLastPathComponent().appendingPathComponent("libFaultyOpenCL.so").path
        let outcome = try place.run(
            "cluster", ["--kmeans", "lloyd", "--iterations", "60", "--out", place.folder / "out", "--quiet"],
            device: Self.two,
            environment: Self.twice.merging(
                ["COPPICE_OPENCL_LIBRARY": library, "FAULTY_OPENCL": "quit=100:-36"]) { $1 })
        expectComplaint(outcome, code: 69, mentions: ["device ", " of 2 (pthread"])
        #expect(!FileManager.default.fileExists(atPath: place.folder / "out/labels.npy"))
    }

    @Test func requestsThatCannotBeMetAreRefused() throws {
        let place = try Place(count: 100)
        let lloyd = ["--kmeans", "lloyd", "--quiet"]
        for (options, device, code, words) in [
            (["--quiet"], Self.two, 64, "mini-batches are for one device; --kmeans lloyd works on 2 devices"),
            (lloyd + ["--k", "auto"], Self.two, 64, "--k auto is for one device; 2 devices need a number"),
            (
                lloyd, Self.two, 64,
                "2 devices are too many for 100 rows, which are spread in chunks of 4096; 1 to 1 are"
            ),
            (lloyd, ["--device", "opencl-cpu", "--devices", "3"], 69, "--devices 3 are too many"),
            (lloyd, ["--device", "opencl-cpu:0,7"], 69, "there is no number 7"),
        ] as [([String], [String], Int32, String)] {
            expectComplaint(try place.run("cluster", options, device: device), code: code, mentions: [words])
        }
        let selection = try place.run(
            "select", ["--strategy", "furthest", "--size", "5", "--out", place.folder / "kept.npy", "--quiet"],
            device: Self.two)
        expectComplaint(selection, code: 64, mentions: ["2 devices"])
        // Before the data is read.
        let early = try place.run(
            "select",
            [
                "--features", place.folder / "missing.npy", "--strategy", "furthest", "--size", "5", "--out",
                place.folder / "kept.npy", "--quiet",
            ], device: Self.two)
        expectComplaint(
            early, code: 64, mentions: ["mini-batches are for one device; --kmeans lloyd works on 2 devices"])
        for device in [["--device", "cpu", "--devices", "2"], ["--device", "opencl-cpu", "--mix-devices"]] {
            #expect(try place.run("cluster", lloyd, device: device).status == 64)
        }
        #expect(try place.folder.names() == ["X.npy"])
    }

    /// Two things are wrong; one sentence says one of them.
    @Test(arguments: ["select", "dedup"]) func oneOfTwoErrorsIsReported(command: String) throws {
        let place = try Place()
        let lines = place.folder / "short.txt"
        try "one\ntwo\n".write(toFile: lines, atomically: true, encoding: .utf8)
        let outcome = try place.run(
            command,
            ["--kmeans", "lloyd", "--ids", lines, "--size", "99999", "--out", place.folder / "kept.npy", "--quiet"]
                + (command == "select" ? ["--strategy", "furthest"] : []), device: Self.two)
        expectComplaint(outcome, code: 65, mentions: ["short.txt"])
    }
}

/// What needs no device.
@Suite struct SpreadOptionsTests {
    /// A checkpoint of devices that differ names all of them, and another order is another computation.
    @Test func aCheckpointNamesAllDevicesThatDiffer() throws {
        func found(_ names: [String], mixes: Bool) throws -> [String] {
            try Communicator.onThreads(names.count) { ranks in
                ranks.computesAlike = !mixes
                return try CheckpointKeeper.devices(names[ranks.rank], over: ranks)
            }
        }
        #expect(try found(["A 1", "B 2"], mixes: true) == ["A 1 and B 2", "A 1 and B 2"])
        #expect(try found(["B 2", "A 1"], mixes: true) == ["B 2 and A 1", "B 2 and A 1"])
        #expect(try found(["A 1", "A 1"], mixes: true) == ["A 1", "A 1"])
        #expect(try found(["A 1", "A 1"], mixes: false) == ["A 1", "A 1"])
        #expect(CheckpointKeeper.devices("A 1 and B 2", "B 2") == "A 1 and B 2, then B 2")
        #expect(CheckpointKeeper.devices("A 1 and B 2, then B 2", "B 2") == "A 1 and B 2, then B 2")
        #expect(CheckpointKeeper.devices("B 2", "B 2") == "B 2")
    }

    @Test func ranksThatAreProcessesTakeOneDeviceEach() throws {
        for arguments in [["--device", "gpu:all"], ["--device", "gpu:0,1"], ["--device", "gpu", "--devices", "2"]] {
            let error = #expect(throws: SharedRefusal.self) {
                try SpreadOptions.parse(arguments).refuseSeveral(on: Communicator())
            }
            #expect(error?.failure.exitCode == 64)
            #expect(
                error?.failure.message.contains("asks for several devices, and each of the 1 ranks takes one") == true)
        }
        for arguments in [[], ["--device", "gpu:1"], ["--devices", "1"]] {
            try SpreadOptions.parse(arguments).refuseSeveral(on: Communicator())
        }
        let options = try SpreadOptions.parse(["--device", "gpu", "--seed", "7", "--quiet"])
        #expect(options.compute.device == "gpu" && options.compute.seed == 7 && options.compute.quiet)
    }
}
