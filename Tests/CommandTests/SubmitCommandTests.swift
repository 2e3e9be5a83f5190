import Foundation
import Testing
import TestSupport

/// `coppice submit slurm`: its output, the scripts' work with fakes of Slurm's programs, and its refusals.
/// tools/check-slurm runs them under a real one.
@Suite struct SubmitCommandTests {
    private let folder: TemporaryFolder
    /// Stand-ins: sbatch keeps each script and its arguments, scontrol notes what it was told.
    private let bin: String

    init() throws {
        folder = try TemporaryFolder()
        bin = folder / "bin"
        try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
        try put(
            "sbatch",
            """
            #!/bin/sh
            file=-; words=
            for word; do if [ -f "$word" ]; then file=$word; else words="$words $word"; fi; done
            n=$(ls "$STUBS" | grep -c script); cat "$file" >"$STUBS/script$n"; echo $words >"$STUBS/arguments$n"
            [ ! -e "$STUBS/refuse$n" ] || { echo "sbatch: error: Invalid partition name specified" >&2; exit 1; }
            echo "$((100 + n));cluster"
            """)
        try put("scontrol", "#!/bin/sh\necho \"$@\" >>\"$STUBS/scontrol\"\n")
    }

    private func put(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(bin)/\(name)", atomically: true, encoding: .utf8)
        chmod("\(bin)/\(name)", 0o755)
    }

    private func variables(_ more: [String: String] = [:]) -> [String: String] {
        ["STUBS": folder.path, "PATH": "\(bin):/usr/bin:/bin"].merging(more) { $1 }
    }

    private func submit(_ arguments: String..., in directory: String? = nil) throws -> Outcome {
        try coppice(["submit", "slurm"] + arguments, environment: variables(), directory: directory ?? folder.path)
    }

    private func text(_ name: String) throws -> String { try String(contentsOfFile: folder / name, encoding: .utf8) }

    @Test func aScriptHasWhatItWasTold() throws {
        let outcome = try submit(
            "article", "--tasks", "4", "--partition", "gpu", "--account", "a-b", "--time", "1-12", "--gres",
            "gpu:a100:1",
            "--cpus-per-task", "8", "--mem", "16G", "--sbatch", "--qos=low", "--out", "out dir", "--data", "it's",
            "--restarts", "7", "--", "--device", "gpu", "--runs", "20")
        #expect(outcome.status == 0 && outcome.stderr.isEmpty, "\(outcome.stderr)")
        let parts = outcome.stdout.components(separatedBy: "report() {")
        try #require(parts.count == 2)
        for line in [
            "#SBATCH --job-name=coppice-article", "#SBATCH --array=1-4", "#SBATCH --requeue",
            "#SBATCH --signal=B:USR1@120",
            "#SBATCH --partition=gpu", "#SBATCH --account=a-b", "#SBATCH --time=1-12", "#SBATCH --gres=gpu:a100:1",
            "#SBATCH --cpus-per-task=8", "#SBATCH --mem=16G", "#SBATCH --qos=low",
            #"\#(program.path) run article --out 'out dir' --shard auto/4 --no-report --data 'it'\''s' --device gpu --runs 20 &"#,
        ] {
            #expect(parts[0].split(separator: "\n").contains { $0 == line }, "\(line) in \(parts[0])")
        }
        for line in [
            "#SBATCH --job-name=coppice-article-report", "#SBATCH --partition=gpu", "#SBATCH --account=a-b",
            "#SBATCH --time=30",
            "#SBATCH --qos=low", "\(program.path) status 'out dir'",
            #"exec \#(program.path) report 'out dir' --data 'it'\''s'"#,
        ] {
            #expect(parts[1].split(separator: "\n").contains { $0 == line }, "\(line) in \(parts[1])")
        }
        #expect(!parts[1].contains("#SBATCH --gres") && !parts[1].contains("#SBATCH --array"))
    }

    /// The script submits the array, then the report that waits for it; what is submitted without being printed is the same.
    @Test(arguments: [false, true]) func bothJobsAreSubmitted(byTheProgram: Bool) throws {
        let arguments = ["submit", "slurm", "article", "--tasks", "3"]
        let outcome =
            byTheProgram
            ? try coppice(arguments + ["--run"], environment: variables(), directory: folder.path)
            : try shell(
                "\"$COPPICE\" \(arguments.joined(separator: " ")) >s && sh ./s", environment: variables(),
                directory: folder.path)
        #expect(outcome.status == 0 && outcome.stdout == "tasks: job 100\nreport: job 101\n", "\(outcome)")
        #expect(try text("arguments0") == "--parsable\n")
        #expect(try text("arguments1") == "--parsable --dependency=afterany:100\n")
        #expect(try text("script0").hasPrefix("#!/bin/bash\n#SBATCH --job-name=coppice-article\n"))
        #expect(try text("script0").hasSuffix("\nexit \"$status\"\n"))
        #expect(try text("script1").hasSuffix("report results/article\n"))
        for script in ["script0", "script1"] {
            #expect(try shell("bash -n \(script)", directory: folder.path).status == 0)
        }
    }

    /// One that ends at once must not end the program by a broken pipe.
    @Test func anSbatchThatReadsNothingIsAFailure() throws {
        try put("sbatch", "#!/bin/sh\necho 'sbatch: error: no partition' >&2\nexit 1\n")
        for _ in 0..<5 {
            expectComplaint(
                try submit("article", "--tasks", "3", "--run"), code: 69,
                mentions: ["sbatch did not take the tasks: sbatch: error: no partition"])
        }
    }

    @Test func whatSbatchRefusesIsSaid() throws {
        #expect(FileManager.default.createFile(atPath: folder / "refuse0", contents: nil))
        expectComplaint(
            try submit("article", "--tasks", "3", "--run"), code: 69,
            mentions: ["sbatch did not take the tasks: sbatch: error: Invalid partition name"])
        for name in ["script0", "arguments0"] { try FileManager.default.removeItem(atPath: folder / name) }
        try FileManager.default.moveItem(atPath: folder / "refuse0", toPath: folder / "refuse1")
        expectComplaint(
            try submit("article", "--tasks", "3", "--run"), code: 69,
            mentions: ["sbatch did not take the report", "the tasks are job 100", "coppice report results/article"])
        try FileManager.default.removeItem(atPath: bin + "/sbatch")
        expectComplaint(
            try coppice(
                ["submit", "slurm", "article", "--tasks", "3", "--run"], environment: ["PATH": bin],
                directory: folder.path), code: 69, mentions: ["sbatch is not on the PATH", "slurm-client"])
    }

    /// The parts of a task's script, with another program instead of this one.
    private func task(_ body: String, in directory: String? = nil) throws -> String {
        let directory = directory ?? folder.path
        let printed = try submit("article", "--tasks", "4", "--restarts", "2", in: directory).stdout
        let script = try #require(
            printed.components(separatedBy: "<<'END_OF_TASK'\n").last?.components(separatedBy: "END_OF_TASK").first)
        try put("body", "#!/bin/bash\n\(body)\n")
        return script.replacingOccurrences(of: program.path, with: "\(bin)/body")
    }

    private func run(_ script: String, _ more: [String: String] = [:], then: String = "") throws -> Outcome {
        try script.write(toFile: folder / "task", atomically: true, encoding: .utf8)
        // Threads that run tests hear no signals, and hand that on to the programs they start. Slurm's do not.
        var (none, before) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let task = ["SLURM_ARRAY_JOB_ID": "12", "SLURM_ARRAY_TASK_ID": "3", "SLURM_RESTART_COUNT": ""]
        return try shell(
            "bash \"$STUBS/task\" & p=$!\n\(then)\nwait $p; exit $?",
            environment: variables(task.merging(more) { $1 }))
    }

    @Test func aTaskThatIsStoppedIsQueuedAgain() throws {
        // The program takes a moment to end, as one that stores its runs.
        let script = try task(
            "trap 'sleep 0.3; echo stored; exit 75' USR1\ntouch \"$STUBS/ready\"\nfor i in $(seq 1000); do sleep 0.02; done"
        )
        let signal = "while [ ! -e \"$STUBS/ready\" ]; do sleep 0.02; done; kill -USR1 $p"
        let outcome = try run(script, then: signal)
        #expect(outcome.status == 75 && outcome.stdout == "stored\n", "\(outcome)")
        #expect(outcome.stderr.contains("restart 1 of 2"))
        #expect(try text("scontrol") == "requeue 12_3\n")
        try FileManager.default.removeItem(atPath: folder / "ready")
        #expect(try run(script, ["SLURM_RESTART_COUNT": "1"], then: signal + "; kill -USR1 $p").status == 75)
        #expect(try text("scontrol") == "requeue 12_3\nrequeue 12_3\n")
        try FileManager.default.removeItem(atPath: folder / "ready")
        let last = try run(script, ["SLURM_RESTART_COUNT": "2"], then: signal)
        #expect(last.status == 75 && last.stderr.contains("after 2 restarts, the most"), "\(last)")
        #expect(try text("scontrol").split(separator: "\n").count == 2)
    }

    @Test(arguments: [0, 1, 64, 65, 130, 137]) func otherEndsAreNotRepeated(status: Int32) throws {
        let outcome = try run(try task("exit \(status)"))
        #expect(outcome.status == status)
        #expect(!FileManager.default.fileExists(atPath: folder / "scontrol"))
    }

    /// The words that a shell makes of them are those that were given.
    @Test func pathsAreQuoted() throws {
        let awkward = #"a 'b' "c" $(touch bad) `d` \e ; & * #f"#
        try FileManager.default.createDirectory(atPath: folder / awkward, withIntermediateDirectories: true)
        try "runs: 2\nexperiments:\n  - {pruning_method: random, sizes: 8}\n"
            .write(toFile: folder / "\(awkward)/\(awkward).yaml", atomically: true, encoding: .utf8)
        let printed = try submit(
            awkward + ".yaml", "--tasks", "4", "--out", awkward, "--data", awkward, "--", "--device", awkward,
            in: folder / awkward)
        #expect(printed.status == 0, "\(printed.stderr)")
        try put("body", "#!/bin/bash\npwd\nprintf '<%s>\\n' \"$@\"\n")
        try printed.stdout.replacingOccurrences(of: program.path, with: "\(bin)/body")
            .write(toFile: folder / "s", atomically: true, encoding: .utf8)
        #expect(try shell("sh ./s && rm s", environment: variables(), directory: folder.path).status == 0)
        let words = [
            "run", awkward + ".yaml", "--out", awkward, "--shard", "auto/4", "--no-report", "--data", awkward,
            "--device", awkward,
        ]
        let there = try #require(realpath(folder / awkward, nil).map { String(cString: $0) })
        let expected = "\(there)\n" + words.map { "<\($0)>\n" }.joined()
        #expect(try shell("bash ./script0", environment: variables(), directory: folder.path).stdout == expected)
        let report = try shell("bash ./script1", environment: variables(), directory: folder.path).stdout
        #expect(
            report == "\(there)\n<status>\n<\(awkward)>\n\(there)\n<report>\n<\(awkward)>\n<--data>\n<\(awkward)>\n")
        #expect(!FileManager.default.fileExists(atPath: folder / "\(awkward)/bad"))
        expectComplaint(
            try submit("article", "--tasks", "4", "--out", "a\nb"), code: 64, mentions: ["control character", #"a\nb"#])
    }

    @Test(arguments: [
        (["--tasks", "0"], "--tasks is 0; from 1 to 1000 are accepted"),
        (["--tasks", "1001"], "--tasks is 1001; from 1 to 1000"),
        (["--tasks", "4", "--partition", "a b"], "--partition is 'a b'; letters"),
        (["--tasks", "4", "--mem", "1\n#SBATCH --x"], "--mem is "),
        (["--tasks", "4", "--account", ""], "--account is ''"),
        (["--tasks", "4", "--gres", "gpu:1 #"], "--gres is 'gpu:1 #'"),
        (["--tasks", "4", "--gpus", "'1'"], "--gpus is "),
        (["--tasks", "4", "--cpus-per-task", "0"], "--cpus-per-task is 0; from 1"),
        (["--tasks", "4", "--restarts=-1"], "--restarts is -1; from 0"),
        (["--tasks", "4", "--time", "soon"], "--time is 'soon'; minutes, minutes:seconds"),
        (["--tasks", "4", "--time", "2"], "more than 2 minutes are needed"),
        (["--tasks", "4", "--time", "0:00:90"], "more than 2 minutes are needed"),
        (["--tasks", "4", "--sbatch", "qos=low"], "--sbatch is 'qos=low'; a long option"),
        (["--tasks", "4", "--sbatch", "--array=1-2"], "the script needs --array for itself"),
        (["--tasks", "4", "--sbatch", "--arr=1-9"], "the script needs --array for itself"),
        (["--tasks", "4", "--sbatch", "--time=1"], "--sbatch is '--time=1'; give --time itself"),
        (["--tasks", "4", "--out", ""], "--out is empty; a folder's name is needed"),
        (["--tasks", "4", "--sbatch", "--comment=two words"], "a long option without spaces or quotes"),
        (["--tasks", "4", "--sbatch", "--comment=a#b"], "a long option without spaces or quotes"),
        (["--tasks", "4", "--", "--runs", "many"], "the arguments after -- are not accepted by coppice run"),
        (["--tasks", "4", "--", "--no-such-option"], "the arguments after -- are not accepted by coppice run"),
        (["--tasks", "4", "--", "--shard", "1/4"], "--shard is not accepted after --"),
        (["--tasks", "4", "--", "--out", "x"], "--out is not accepted after --: give it before --"),
        (["--tasks", "4", "--", "--dry-run"], "--dry-run is not accepted after --"),
        (["--tasks", "4", "--data", "x", "--", "--data", "y"], "--data is not accepted after --"),
    ])
    func whatIsRefused(arguments: [String], words: String) throws {
        let outcome = try coppice(
            ["submit", "slurm", "article"] + arguments, environment: variables(), directory: folder.path)
        #expect(outcome.status == 64 && outcome.stdout.isEmpty, "\(outcome)")
        #expect(outcome.stderr.contains(words), "\(outcome.stderr)")
    }

    @Test func aStudyThatIsNotThereIsNotSubmitted() throws {
        expectComplaint(try submit("artikle", "--tasks", "4"), code: 66, mentions: ["artikle", "article"])
    }

    @Test(arguments: ["3", "2:01", "0:02:01", "1-0", "1-0:0", "0-0:3:00", "12:00:00"])
    func timesThatSbatchTakes(time: String) throws {
        #expect(try submit("article", "--tasks", "4", "--time", time).stdout.contains("\n#SBATCH --time=\(time)\n"))
    }
}
