import Datasets
import Foundation
import Testing
import TestSupport

@testable import coppice

/// `coppice cluster --resume`; tools/check-mpi tests it with several ranks.
@Suite struct CheckpointCommandTests {
    private let files = ["labels", "distances", "centroids"]

    /// A clustering that takes half a second, with a checkpoint after every iteration.
    private func arguments(_ folder: TemporaryFolder) throws -> [String] {
        try writeNoise(count: 20_000, dimensions: 16, to: folder / "X.npy")
        return [
            "cluster", "--features", folder / "X.npy", "--k", "1000", "--kmeans", "lloyd", "--iterations", "60",
            "--device", "cpu",
        ]
    }

    private func contents(_ folder: TemporaryFolder, _ out: String) throws -> [Data] {
        try files.map { try Data(contentsOf: URL(fileURLWithPath: folder / "\(out)/\($0).npy")) }
    }

    /// Sends a signal after the first checkpoint.
    private func stopped(by signal: String, _ arguments: [String], out: String, environment: [String: String] = [:])
        throws -> Outcome
    {
        let words = (arguments + ["--out", out, "--checkpoint-every", "0", "--quiet"]).joined(separator: " ")
        return try shell(
            """
            "$COPPICE" \(words) & process=$!
            until [ -f \(out)/clustering.checkpoint ]; do
                kill -0 $process || exit 99
                sleep 0.01
            done
            kill -\(signal) $process
            wait $process
            """, environment: environment)
    }

    @Test func goesOnAfterSignalsToTheSameBits() throws {
        let folder = try TemporaryFolder()
        let arguments = try arguments(folder)
        let whole = try coppice(arguments + ["--out", folder / "whole", "--quiet"])
        #expect(whole.status == 0, "\(whole.stderr)")
        let expected = try contents(folder, "whole")
        #expect(try folder.names(in: "whole") == ["centroids.npy", "distances.npy", "labels.npy"])
        for (signal, code, environment) in [
            ("TERM", Int32(130), [:]), ("USR1", 75, [:]), ("TERM", 75, ["SLURM_JOB_ID": "7"]), ("KILL", 137, [:]),
        ] {
            let outcome = try stopped(by: signal, arguments, out: folder / "out", environment: environment)
            #expect(outcome.status == code, "\(signal): \(outcome.stderr)")
            if signal != "KILL" {
                #expect(outcome.complaints.count == 1, "\(outcome.stderr)")
                #expect(outcome.stderr.hasPrefix("coppice: stopped after "), "\(outcome.stderr)")
                #expect(try folder.names(in: "out") == ["clustering.checkpoint"])
            }
            let resumed = try coppice(arguments + ["--out", folder / "out", "--resume"])
            #expect(resumed.status == 0, "\(resumed.stderr)")
            #expect(resumed.stderr.contains("going on after "), "\(resumed.stderr)")
            #expect(try contents(folder, "out") == expected, "\(signal)")
            #expect(try !folder.names(in: "out").contains("clustering.checkpoint"))
            try FileManager.default.removeItem(atPath: folder / "out")
        }
    }

    @Test func anotherClusteringIsRefusedByName() throws {
        let folder = try TemporaryFolder()
        let arguments = try arguments(folder)
        #expect(try stopped(by: "TERM", arguments, out: folder / "out").status == 130)
        let checkpoint = folder / "out/clustering.checkpoint"
        let before = try Data(contentsOf: URL(fileURLWithPath: checkpoint))
        func expectRefusal(_ options: [String], _ words: String, features: String? = nil) throws {
            var changed = arguments
            if let features { changed[2] = features }
            let outcome = try coppice(changed + options + ["--out", folder / "out", "--resume", "--quiet"])
            expectComplaint(outcome, code: 65, mentions: ["clustering.checkpoint", words, "--resume"])
            #expect(try Data(contentsOf: URL(fileURLWithPath: checkpoint)) == before)
        }
        try expectRefusal(["--k", "999"], "--k is 1000 there and 999 here")
        try expectRefusal(["--seed", "2"], "--seed is 1 there and 2 here")
        try expectRefusal(["--start", "random"], "--start is k-means++ there and random here")
        try expectRefusal(["--pca", "3"], "--pca is none there and 3 here")
        try expectRefusal(["--iterations", "61"], "--iterations is 60 there and 61 here")
        try writeNoise(count: 20_001, dimensions: 16, to: folder / "Y.npy")
        try expectRefusal([], "the samples of --features is 20000 x 16", features: folder / "Y.npy")
        try expectRefusal(["--normalize"], "the samples of --features is 20000 x 16")

        // Without --resume the checkpoint stays until there is a newer one, and a note mentions it.
        let fresh = try coppice(
            arguments + ["--k", "3", "--iterations", "2", "--out", folder / "out", "--checkpoint-every", "9"])
        #expect(fresh.status == 0 && fresh.stderr.contains("--resume goes on from there"), "\(fresh.stderr)")
        #expect(try !folder.names(in: "out").contains("clustering.checkpoint"))
    }

    @Test func aDamagedOneIsRefused() throws {
        let folder = try TemporaryFolder()
        let arguments = try arguments(folder)
        try FileManager.default.createDirectory(atPath: folder / "out", withIntermediateDirectories: true)
        for bytes in [Data(), Data("no checkpoint".utf8), Data("COPKMEAN".utf8)] {
            try bytes.write(to: URL(fileURLWithPath: folder / "out/clustering.checkpoint"))
            expectComplaint(
                try coppice(arguments + ["--out", folder / "out", "--resume", "--quiet"]), code: 65,
                mentions: ["out/clustering.checkpoint", "without --resume"])
        }
    }

    @Test func withoutACheckpointItStarts() throws {
        let folder = try TemporaryFolder()
        let outcome = try coppice(
            arguments(folder) + ["--k", "2", "--iterations", "1", "--out", folder / "out", "--resume"])
        #expect(outcome.status == 0 && outcome.stderr.contains("note: there is no checkpoint in "), "\(outcome.stderr)")
    }

    /// A process that is killed while it writes leaves these.
    @Test func temporaryFilesOfAKilledProcessAreRemoved() throws {
        let folder = try TemporaryFolder()
        let out = folder / "out"
        try FileManager.default.createDirectory(atPath: "\(out)/.4711.tmp", withIntermediateDirectories: true)
        for name in [
            ".4711.tmp/labels.npy", "clustering.checkpoint.4711-5.tmp", "labels.npy.4711-6.tmp", "notes.4711-5.tmp",
        ] {
            try Data([1]).write(to: URL(fileURLWithPath: "\(out)/\(name)"))
        }
        let outcome = try coppice(
            arguments(folder) + ["--k", "2", "--iterations", "1", "--out", out, "--resume", "--quiet"])
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(
            try folder.names(in: "out").sorted() == [
                "centroids.npy", "distances.npy", "labels.npy", "notes.4711-5.tmp",
            ])
    }

    @Test(arguments: [
        (["--resume"], "--resume needs --out"), (["--checkpoint-every", "5"], "--checkpoint-every needs --out"),
        (["--resume", "--out", "o", "--kmeans", "minibatch"], "--resume needs --kmeans lloyd"),
        (["--resume", "--out", "o", "--k", "auto"], "--resume needs a number of clusters"),
        (["--checkpoint-every=-1", "--out", "o"], "--checkpoint-every is -1"),
    ])
    func optionsWithoutEffect(_ more: [String], _ words: String) throws {
        let folder = try TemporaryFolder()
        expectComplaint(
            try coppice(arguments(folder) + more + ["--quiet"], directory: folder / "."), code: 64, mentions: [words])
        #expect(try folder.names() == ["X.npy"])
    }

    /// Files may be at most 8 KiB long, and a checkpoint of 64,000 bytes does not fit.
    @Test func aFullDiskEndsItInASentence() throws {
        let folder = try TemporaryFolder()
        let words = try arguments(folder).joined(separator: " ")
        let outcome = try shell(
            "ulimit -f 16; exec \"$COPPICE\" \(words) --out \(folder / "out") --checkpoint-every 0 --quiet")
        expectComplaint(outcome, code: 74, mentions: ["out/clustering.checkpoint: writing failed"])
        #expect(try folder.names() == ["X.npy"])
    }
}
