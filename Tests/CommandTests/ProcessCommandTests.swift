import Datasets
import Foundation
import Testing
import TestSupport

/// What the program makes of the process it finds itself in: descriptors, signals, limits, environment, arguments.
@Suite struct ProcessCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try SyntheticData(train: 40, test: 20, height: 8, width: 16).write(to: folder / "data")
    }

    private func inFolder(_ script: String, environment: [String: String] = [:]) throws -> Outcome {
        try shell(script, environment: environment, directory: folder.path)
    }

    private func indices(_ name: String) throws -> [Int64] { try NumPyArray.read(folder / name).integers() }

    // Descriptors.

    /// Without them the first file that is opened would be standard output, or standard error.
    @Test(arguments: ["1>&-", "2>&-", "0<&-", "1>&- 2>&-", "0<&- 1>&- 2>&-"])
    func closedDescriptorsDoNotBecomeFiles(_ closed: String) throws {
        let select = "\"$COPPICE\" select --data data --strategy random --size 7 --seed 5 --out"
        #expect(try inFolder("\(select) whole.npy").status == 0)
        let outcome = try inFolder("\(select) closed.npy \(closed)")
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: folder / "closed.npy"))
                == Data(contentsOf: URL(fileURLWithPath: folder / "whole.npy")))
        // A study keeps a log and locks open while it prints.
        try "runs: 1\nsteps: 1\nexperiments:\n  - {pruning_method: random, sizes: 8}\n"
            .write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        let run = try inFolder(
            "\"$COPPICE\" run study.yaml --data data --out out --device cpu --no-report \(closed)")
        #expect(run.status == 0, "\(run.stderr)")
        for line in try String(contentsOfFile: folder / "out/runs.jsonl", encoding: .utf8).split(separator: "\n") {
            #expect(try JSONSerialization.jsonObject(with: Data(line.utf8)) is [String: Any], "\(line)")
        }
        #expect(try folder.names(in: "out").allSatisfy { !$0.hasSuffix(".tmp") })
    }

    @Test(arguments: [8, 16, 20, 24]) func fewDescriptorsAreNamed(limit: Int) throws {
        try "runs: 1\nsteps: 1\nexperiments:\n  - {pruning_method: random, sizes: 8}\n"
            .write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        let run = "\"$COPPICE\" run study.yaml --data data --out out --device cpu --quiet --no-report"
        #expect(try inFolder(run).status == 0)
        let report = try inFolder("ulimit -n \(limit); exec \"$COPPICE\" report out --data data")
        // What a plot takes is a matter of the libraries; in between it works.
        if limit < 20 || report.status != 0 {
            expectComplaint(
                report, code: 74, mentions: ["file descriptors", "the limit is \(limit) (ulimit -n)", "raises it"])
        }
        let more = try inFolder("ulimit -n \(limit); exec \(run) --runs 2")
        if limit < 16 {
            expectComplaint(more, code: 74, mentions: ["file descriptors", "the limit is \(limit)"])
        } else {
            #expect(more.status == 0, "\(more.stderr)")
        }
    }

    /// A soft limit is the program's own to raise.
    @Test func aSoftLimitIsRaised() throws {
        let outcome = try inFolder("ulimit -Sn 10; exec \"$COPPICE\" data info data")
        #expect(outcome.status == 0, "\(outcome.stderr)")
    }

    // Limits.

    @Test func aLimitOnTheSizeOfFilesIsAFailedWrite() throws {
        try writeNoise(count: 3000, dimensions: 4, to: folder / "X.npy")
        for command in [
            "select --features X.npy --strategy random --size 2000 --out out/kept.npy",
            "cluster --features X.npy --k 3 --device cpu --out out",
        ] {
            try FileManager.default.createDirectory(atPath: folder / "out", withIntermediateDirectories: true)
            let outcome = try inFolder("ulimit -f 4; exec \"$COPPICE\" \(command) --quiet")
            expectComplaint(outcome, code: 74, mentions: ["writing failed: File too large"])
            #expect(try folder.names(in: "out").isEmpty)
        }
        try "runs: 1\nsteps: 1\nexperiments:\n  - {pruning_method: random, sizes: 2000}\n"
            .write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        try SyntheticData(train: 2000, test: 20, height: 8, width: 16).write(to: folder / "data")
        let run = try inFolder(
            "ulimit -f 4; exec \"$COPPICE\" run study.yaml --data data --out results --device cpu --quiet --no-report")
        expectComplaint(run, code: 74, mentions: ["File too large", "what was finished before is kept"])
        #expect(try folder.names(in: "results/selections").isEmpty)
    }

    // Signals, and readers that go away.

    @Test func nohupIsHeeded() throws {
        let script = """
            trap '' HUP
            "$COPPICE" train --data data --device cpu --epochs 1000000 2>err & p=$!
            for i in $(seq 600); do grep -q 'training 1 network' err && break; sleep 0.05; done
            kill -HUP $p; sleep 0.3; kill -0 $p && echo lives
            kill -TERM $p; wait $p; echo $?
            """
        let outcome = try inFolder(script)
        #expect(outcome.stdout == "lives\n130\n", "\(outcome.stdout) \(outcome.stderr)")
    }

    @Test(.enabled(if: hasOpenCL, "this host has no OpenCL device"))
    func verifysProcessesEndWithIt() throws {
        let start = ContinuousClock.now
        // The last pipe ends when nobody has it any more.
        let outcome = try inFolder(
            """
            { "$COPPICE" verify --jobs 2 --verbose >out 2>&3 3>&- & p=$!
            for i in $(seq 1200); do grep -q right out && break; sleep 0.05; done
            kill -TERM $p; wait $p; echo $? >&3; } 3>&1 | cat
            """)
        #expect(outcome.stdout.hasSuffix("130\n"), "\(outcome.stdout)")
        #expect(outcome.stdout.contains("coppice: interrupted after "))
        #expect((ContinuousClock.now - start) / .seconds(1) < 60)
    }

    @Test func messagesThatNobodyReadsAreDropped() throws {
        let train = "\"$COPPICE\" train --data data --device cpu --epochs 1 --save"
        // Wait until the reader is gone, so that every message meets a broken pipe.
        for (name, script) in [
            ("stdout", "{ sleep 0.3; \(train) stdout; echo $? >code; } | true"),
            ("stderr", "{ sleep 0.3; \(train) stderr 2>&1 >/dev/null; echo $? >code; } | true"),
        ] {
            let outcome = try inFolder(script)
            #expect(outcome.status == 0 && outcome.stderr.filter { $0 == ":" }.count <= 3, "\(outcome.stderr)")
            #expect(try String(contentsOfFile: folder / "code", encoding: .utf8) == "0\n", "\(name)")
            #expect(FileManager.default.fileExists(atPath: folder / name))
        }
        // More than one buffer's worth is no other case.
        let long = try inFolder("{ sleep 0.3; \"$COPPICE\" help run; echo $? >code; } | true")
        #expect(long.status == 0)
        #expect(try String(contentsOfFile: folder / "code", encoding: .utf8) == "0\n")
        #expect(try inFolder("\"$COPPICE\" study show article >/dev/full").status == 74)
    }

    // Arguments and environment.

    @Test func argumentsAreUTF8() throws {
        for script in [
            #""$COPPICE" data info "$(printf 'caf\351')""#, #""$COPPICE" "--data=$(printf '\377')" train"#,
            #"COPPICE_DATA="$(printf '/\300\257')" "$COPPICE" data list"#,
        ] {
            let outcome = try inFolder(script)
            expectComplaint(outcome, code: 64, mentions: ["is not valid UTF-8", "\\x"])
        }
        expectComplaint(
            try inFolder(#""$COPPICE" data info "$(printf 'caf\351')""#), code: 64,
            mentions: [#"argument 3"#, #"'caf\xe9'"#])
        try FileManager.default.moveItem(atPath: folder / "data", toPath: folder / "Daten für 猫")
        #expect(try inFolder(#""$COPPICE" data info "Daten für 猫""#).status == 0)
    }

    /// An empty variable is an unset one; above all it is no path.
    @Test func emptyVariablesAreUnset() throws {
        let names = [
            "HOME", "XDG_CACHE_HOME", "TMPDIR", "COPPICE_DATA", "COPPICE_CACHE", "COPPICE_OPENCL_LIBRARY",
            "COPPICE_PROFILE", "COPPICE_STALL_SECONDS", "COPPICE_KERNELS", "COPPICE_SAVE_PROGRAMS", "POCL_CACHE_DIR",
            "OCL_ICD_VENDORS", "COLUMNS",
        ]
        try FileManager.default.createDirectory(atPath: folder / "empty", withIntermediateDirectories: true)
        let environment = Dictionary(uniqueKeysWithValues: names.map { ($0, "") })
        let unset = "unset \(names.joined(separator: " "))"
        for command in ["devices --json", "data list", "study list"] {
            let here = "cd empty; \(unset)"
            let expected = try inFolder("\(here); exec \"$COPPICE\" \(command)")
            let outcome = try inFolder("cd empty; exec \"$COPPICE\" \(command)", environment: environment)
            #expect(expected.status == 0 && outcome.status == 0, "\(command): \(outcome.stderr)")
            #expect(outcome.stdout == expected.stdout && outcome.stderr == expected.stderr, "\(command)")
        }
        let train = try inFolder(
            "cd empty; exec \"$COPPICE\" train --data ../data --epochs 1 --quiet", environment: environment)
        #expect(train.status == 0, "\(train.stderr)")
        #expect(try folder.names(in: "empty").isEmpty)
    }

    // PoCL's cache.

    @Test(
        .enabled(if: hasPoCL, "this host has no PoCL"),
        arguments: [
            ["POCL_CACHE_DIR": "/dev/null/cache"], ["XDG_CACHE_HOME": "/dev/null"],
            ["XDG_CACHE_HOME": "", "HOME": "/dev/null"],
            ["POCL_CACHE_DIR": "/proc/self"],
        ])
    func aCacheThatCannotBeWrittenIsReplaced(_ variables: [String: String]) throws {
        let variable = try #require(variables.first { !$0.value.isEmpty })
        let temporary = folder / "tmp"
        try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
        let environment = variables.merging(["TMPDIR": temporary, "COPPICE_CACHE": folder / "cache"]) { $1 }
        // What is compiled here is compiled in vain: this is next to nothing.
        let outcome = try coppice(
            "bench", "--kernel", "relu_forward", "--device", "opencl-cpu", environment: environment)
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let notes = outcome.complaints.filter { $0.hasPrefix("PoCL's cache ") }
        #expect(notes.count == 1, "\(outcome.stderr)")
        for words in [variable.key, variable.value, "cannot be written", temporary, "POCL_CACHE_DIR"] {
            #expect(notes.first?.contains(words) == true, "\(words): \(notes)")
        }
        // Nothing is left of it.
        #expect(try folder.names(in: "tmp").isEmpty)
        let devices = try coppice("devices", environment: environment)
        let usual = try coppice("devices")
        #expect(devices.stderr.contains("PoCL's cache") && devices.stdout == usual.stdout)
    }

    @Test(.enabled(if: hasPoCL, "this host has no PoCL")) func aCacheThatCanBeWrittenIsNotSpokenOf() throws {
        let outcome = try coppice(
            "cluster", "--data", folder / "data", "--k", "3", "--kmeans", "lloyd", "--device", "opencl-cpu",
            environment: ["POCL_CACHE_DIR": folder / "new/cache"])
        #expect(outcome.status == 0 && !outcome.stderr.contains("cache"), "\(outcome.stderr)")
        #expect(FileManager.default.fileExists(atPath: folder / "new/cache"))
    }
}
