import Foundation
import Testing

@testable import Studies
import Support

/// Parts of a study that job arrays decide, and the locks that several parts need.
@Suite struct ShardRequestTests {
    private func shard(_ request: String, _ variables: [String: String], in directory: String = "/none") throws
        -> String
    {
        try ShardRequest(written: request).shard(in: directory, environment: EnvironmentVariables(variables))
            .description
    }

    private func refusal(_ request: String, _ variables: [String: String], in directory: String = "/none") -> String {
        do { return "accepted as \(try shard(request, variables, in: directory))" } catch { return "\(error)" }
    }

    private func slurm(_ task: Int, first: Int, step: Int = 1, count: Int) -> [String: String] {
        [
            "SLURM_ARRAY_TASK_ID": "\(task)", "SLURM_ARRAY_TASK_MIN": "\(first)", "SLURM_ARRAY_TASK_STEP": "\(step)",
            "SLURM_ARRAY_TASK_COUNT": "\(count)", "SLURM_JOB_ID": "12",
        ]
    }

    @Test func whatIsWritten() throws {
        #expect(try ShardRequest(written: "auto") == .task(count: nil))
        #expect(try ShardRequest(written: "auto/4") == .task(count: 4))
        #expect(try ShardRequest(written: "2/4") == .part(try #require(Shard("2/4"))))
        // A part that is written needs no batch system.
        #expect(try shard("2/4", [:]) == "2/4")
    }

    @Test(arguments: [
        "auto/", "auto/0", "auto/1001", "auto/x", "auto/4/2", "auto4", "Auto", " auto", "auto/-1", "auto/04",
    ])
    func whatIsNotAccepted(text: String) {
        #expect {
            _ = try ShardRequest(written: text)
        } throws: {
            "\($0)".hasPrefix("i/n is accepted") && "\($0)".contains("auto or auto/n")
        }
    }

    @Test(arguments: [
        (1, 1, 1, 4, "1/4"), (4, 1, 1, 4, "4/4"), (0, 0, 1, 3, "1/3"), (7, 3, 2, 5, "3/5"), (30, 10, 10, 3, "3/3"),
        (9, 9, 1, 1, "1/1"),
    ])
    func autoCountsFromTheFirstTask(task: Int, first: Int, step: Int, count: Int, part: String) throws {
        #expect(try shard("auto", slurm(task, first: first, step: step, count: count)) == part)
        #expect(try shard("auto/\(count)", slurm(task, first: first, step: step, count: count)) == part)
    }

    /// --array=1,2,4 has three tasks, and --array=1,4,6 in steps of 2 has one in between.
    @Test(arguments: [(4, 1, 1, 3), (4, 1, 2, 3), (1, 2, 1, 3), (1001, 1, 1, 1001)])
    func autoRefusesWhatIsNoPart(task: Int, first: Int, step: Int, count: Int) {
        let refusal = refusal("auto", slurm(task, first: first, step: step, count: count))
        #expect(refusal.contains("SLURM_ARRAY_TASK_ID \(task) is no part of \(count)"), "\(refusal)")
        #expect(refusal.contains("auto/n"), "\(refusal)")
    }

    @Test func autoNeedsAnArrayOfSlurm() {
        for variables in [[:], ["SGE_TASK_ID": "1"], ["JOB_COMPLETION_INDEX": "0"], ["SLURM_JOB_ID": "3"]] {
            #expect(refusal("auto", variables).contains("a Slurm job array is needed"))
        }
        #expect(refusal("auto", ["SLURM_ARRAY_TASK_ID": "1"]).contains("SLURM_ARRAY_TASK_COUNT is needed"))
        #expect(
            refusal("auto", ["SLURM_ARRAY_TASK_ID": "one"]).contains("SLURM_ARRAY_TASK_ID is 'one': a whole number"))
    }

    /// A part of an array that is submitted again numbers its tasks as before.
    @Test func aStatedCountTakesSomeTasksOfAnArray() throws {
        #expect(try shard("auto/4", slurm(3, first: 3, count: 1)) == "3/4")
        #expect(try shard("auto/4", slurm(4, first: 2, step: 2, count: 2)) == "4/4")
        #expect(refusal("auto/4", slurm(5, first: 5, count: 1)).contains("tasks from 1 to 4 are accepted"))
        #expect(refusal("auto/4", slurm(0, first: 0, count: 2)).contains("SLURM_ARRAY_TASK_ID is 0"))
    }

    @Test(arguments: [
        (["PBS_ARRAY_INDEX": "3"], "3/4"), (["SGE_TASK_ID": "4"], "4/4"), (["JOB_COMPLETION_INDEX": "0"], "1/4"),
        (["JOB_COMPLETION_INDEX": "3"], "4/4"), (["SGE_TASK_ID": "undefined", "JOB_COMPLETION_INDEX": "1"], "2/4"),
        (["PBS_ARRAY_INDEX": "", "SGE_TASK_ID": "2"], "2/4"),
        (["SLURM_ARRAY_TASK_ID": "2", "SGE_TASK_ID": "3"], "2/4"),
    ])
    func otherBatchSystemsNeedACount(variables: [String: String], part: String) throws {
        #expect(try shard("auto/4", variables) == part)
    }

    @Test func whatOtherBatchSystemsDoNotHave() {
        for (variables, words) in [
            ([:], "a job array is needed"), (["SGE_TASK_ID": "undefined"], "a job array is needed"),
            (["PBS_ARRAY_INDEX": "0"], "tasks from 1 to 4 are accepted"),
            (["PBS_ARRAY_INDEX": "-1"], "PBS_ARRAY_INDEX is '-1'"),
            (["SGE_TASK_ID": "x"], "SGE_TASK_ID is 'x': a whole number"),
            (["JOB_COMPLETION_INDEX": "4"], "JOB_COMPLETION_INDEX is 4, which is no part of 4; indices from 0 to 3"),
        ] as [([String: String], String)] {
            #expect(refusal("auto/4", variables).contains(words), "\(refusal("auto/4", variables))")
        }
    }

    @Test func autoKeepsTheNumberOfPartsOfADirectory() throws {
        let temporary = try TemporaryDirectory()
        func run(_ shard: String) throws {
            let runner = StudyRunner(
                try study(everything), directory: temporary.results, shard: Shard(shard),
                executor: FakeExecutor(), replicas: 4, environment: ["shard": shard])
            _ = try runner.run()
        }
        try run("1/4")
        // Nothing of the shard is left but the session.
        #expect(StudyDirectory.shardCount(of: temporary.results) == 4)
        #expect(try shard("auto", slurm(2, first: 1, count: 4), in: temporary.results) == "2/4")
        let refusal = refusal("auto", slurm(3, first: 3, count: 1), in: temporary.results)
        #expect(
            refusal.contains("\(temporary.results) was begun in 4 parts, and this array has 1 task: auto/4 goes on"))
        #expect(try shard("auto/4", slurm(3, first: 3, count: 1), in: temporary.results) == "3/4")
        #expect(try shard("auto/2", slurm(1, first: 1, count: 2), in: temporary.results) == "1/2")
        try run("1/2")
        #expect(try shard("auto", slurm(2, first: 1, count: 2), in: temporary.results) == "2/2")
    }

    @Test func whatShardsLeaveTellsTheirNumber() throws {
        let temporary = try TemporaryDirectory()
        #expect(StudyDirectory.shardCount(of: temporary.results) == nil)
        try FileManager.default.createDirectory(atPath: temporary.results, withIntermediateDirectories: true)
        try temporary.write("", to: ".lock.2-of-3")
        #expect(StudyDirectory.shardCount(of: temporary.results) == 3)
    }

    // Locks that other machines do not see.

    private func run(_ shard: String?, _ temporary: TemporaryDirectory, options: String) throws -> StudyError? {
        let folder = try #require(realpath(temporary.path, nil).map { String(cString: $0) })
        let runner = StudyRunner(
            try study(everything), directory: temporary.results, shard: shard.flatMap(Shard.init),
            executor: FakeExecutor(),
            replicas: 4,
            mounts: MountTable("1 0 0:1 / / rw,nolock - x y rw\n2 1 0:2 / \(folder) rw - nfs s:/x rw,\(options)\n"))
        return studyError { _ = try runner.run() }
    }

    @Test(arguments: ["localflock", "local_lock=flock", "local_lock=all", "nolock"])
    func severalShardsNeedLocksThatAllMachinesSee(option: String) throws {
        let temporary = try TemporaryDirectory()
        let error = try #require(try run("1/4", temporary, options: "vers=3,\(option)"))
        #expect(error.category == .cannotCreate)
        let folder = temporary.path.split(separator: "/").last ?? ""
        for words in ["\(folder) (nfs) is mounted with \(option)", "without --shard", temporary.results] {
            #expect(error.description.contains(words), "\(error)")
        }
        // Nothing was made.
        #expect(!temporary.exists(""))
        // A single process needs no locks that other machines can see.
        #expect(try run("1/1", temporary, options: option) == nil)
        #expect(try run(nil, temporary, options: option) == nil)
    }

    @Test func locksOfTheServerWillDo() throws {
        #expect(try run("1/4", TemporaryDirectory(), options: "vers=4.2,local_lock=none") == nil)
    }
}
