import Foundation
import Testing
import TestSupport

/// `coppice run` inside batch jobs: its part, and the signals by which it is asked to stop.
@Suite struct BatchCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try """
        dataset: shapes
        runs: 400
        epochs: 1
        batch_size: 20
        experiments:
          - {pruning_method: random, sizes: [10, 20]}
        """.write(toFile: folder / "study.yaml", atomically: true, encoding: .utf8)
        try SyntheticData(train: 60, test: 20).write(to: folder / "data")
    }

    private func arguments(_ more: [String], device: String = "cpu") -> [String] {
        [
            "run", folder / "study.yaml", "--data", folder / "data", "--out", folder / "out", "--device", device,
            "--no-report",
        ] + more
    }

    private func stored() throws -> Int {
        let names = try folder.names(in: "out").filter { $0.hasPrefix("runs.") }
        return try names.reduce(0) {
            try $0 + String(contentsOfFile: folder / "out/\($1)", encoding: .utf8).split(separator: "\n").count
        }
    }

    @Test(arguments: [
        (SIGUSR1, "", 75), (SIGUSR1, "SLURM_JOB_ID", 75), (SIGTERM, "", 130), (SIGTERM, "SLURM_JOB_ID", 75),
        (SIGTERM, "PBS_JOBID", 75), (SIGTERM, "JOB_ID", 75), (SIGTERM, "JOB_COMPLETION_INDEX", 75),
        (SIGINT, "SLURM_JOB_ID", 130),
    ])
    func signalsStopARunThatGoesOn(signal: Int32, variable: String, code: Int32) throws {
        let unset = ["SLURM_JOB_ID", "PBS_JOBID", "JOB_ID", "JOB_COMPLETION_INDEX"].map { ($0, "") }
        var environment = Dictionary(uniqueKeysWithValues: unset)
        if !variable.isEmpty { environment[variable] = "3" }
        let outcome = try coppice(
            arguments(["--shard", "1/2"]), environment: environment, interrupting: "\n[3/", by: signal)
        #expect(outcome.status == code, "\(outcome.stderr)")
        #expect(outcome.complaints.last?.hasPrefix("coppice: stopped after ") == true, "\(outcome.stderr)")
        #expect(outcome.stderr.contains("running again goes on from there"))
        // All that was reported is in the one log.
        let reported = outcome.stderr.split(separator: "\n").count { $0.hasPrefix("[") }
        #expect(reported >= 3)
        #expect(try stored() == reported)
        #expect(try folder.names(in: "out").allSatisfy { !$0.contains("-of-") && !$0.hasSuffix(".tmp") })
    }

    /// The compiler of PoCL handles SIGUSR1 too, and would leave it without effect. It is taken back a moment later.
    @Test(.enabled(if: hasOpenCL, "this host has no OpenCL device")) func aDriverDoesNotTakeTheSignal() throws {
        let command = arguments([], device: "opencl-cpu").map { "'\($0)'" }.joined(separator: " ")
        let outcome = try shell(
            """
            "$COPPICE" \(command) 2>err & p=$!
            for i in $(seq 1200); do grep -q '^\\[3/' err && break; sleep 0.02; done
            sleep 0.5; kill -USR1 $p; wait $p; echo $?
            tail -n 1 err
            """, directory: folder.path)
        #expect(outcome.stdout.hasPrefix("75\ncoppice: stopped after "), "\(outcome.stdout) \(outcome.stderr)")
    }

    /// Slurm signals a script and what it runs; the second signal must not end what the first one has begun.
    @Test func signalsOfABatchSystemMayComeTwice() throws {
        let command = arguments([]).map { "'\($0)'" }.joined(separator: " ")
        let outcome = try shell(
            """
            "$COPPICE" \(command) 2>err & p=$!
            for i in $(seq 1200); do grep -q '^\\[3/' err && break; sleep 0.02; done
            kill -USR1 $p; kill -TERM $p; kill -USR1 $p; kill -TERM $p; wait $p; echo $?
            tail -n 1 err
            """, environment: ["SLURM_JOB_ID": "3"], directory: folder.path)
        #expect(outcome.stdout.hasPrefix("75\ncoppice: stopped after "), "\(outcome.stdout) \(outcome.stderr)")
    }

    @Test func thePartOfATaskIsItsArrays() throws {
        let array = [
            "SLURM_JOB_ID": "15", "SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_MIN": "2", "SLURM_ARRAY_TASK_STEP": "2",
            "SLURM_ARRAY_TASK_COUNT": "4",
        ]
        let run = try coppice(arguments(["--runs", "2", "--shard", "auto"]), environment: array)
        #expect(
            run.status == 0 && run.stdout.contains("3 runs are left for other shards"), "\(run.stdout)\(run.stderr)")
        let text = try String(contentsOfFile: folder / "out/environment.json", encoding: .utf8)
        #expect(text.contains(#""shard" : "2/4""#), "\(text)")
        let again = array.merging(["SLURM_ARRAY_TASK_COUNT": "1", "SLURM_ARRAY_TASK_MIN": "4"]) { $1 }
        expectComplaint(
            try coppice(arguments(["--runs", "2", "--shard", "auto", "--quiet"]), environment: again), code: 64,
            mentions: ["--shard auto: ", folder / "out", "was begun in 4 parts", "auto/4"])
        let plan = try coppice(arguments(["--runs", "2", "--shard", "auto/4", "--dry-run"]), environment: again)
        #expect(plan.status == 0 && plan.stdout.contains("shard 4/4 has 1 of 4 runs"), "\(plan.stdout)\(plan.stderr)")
        expectComplaint(
            try coppice(arguments(["--quiet", "--shard", "auto"]), environment: ["SLURM_ARRAY_TASK_ID": ""]), code: 64,
            mentions: ["--shard auto: a Slurm job array is needed", "auto/n", "i/n"])
        let outcome = try coppice(arguments(["--shard", "auto/0"]))
        #expect(outcome.status == 64 && outcome.stderr.contains("--shard is 'auto/0'; i/n is accepted"))
    }
}
