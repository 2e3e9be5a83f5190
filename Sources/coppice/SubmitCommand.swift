import ArgumentParser
import Foundation
import Studies
import Subprocess
import Support

/// `coppice submit`
struct SubmitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit", abstract: "Submits a study to a cluster.", subcommands: [SubmitSlurmCommand.self])
}

/// `coppice submit slurm`
struct SubmitSlurmCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slurm",
        abstract: "Prints a script that runs a study as a Slurm job array, or submits it.",
        discussion: """
            Each task of the array runs one part of the study (coppice run --shard auto/N). A task that Slurm is about to \
            stop stores what is done and is queued again; it goes on where it stopped. When all tasks have ended, a job of \
            its own makes the report. All of them need the program, the study, the data and --out under the paths that they \
            have here. What follows -- is given to coppice run, such as -- --device gpu --runs 20.
            """)

    @Argument(help: "A YAML file, or a built-in study: \(StudyLibrary.names.joined(separator: ", ")).")
    var study: String
    @Option(help: "Tasks of the array, each with a part of the study.", transform: wholeNumber)
    var tasks: Int
    @Option(help: ArgumentHelp("Output directory; results/STUDY unless given.", valueName: "dir"))
    var out: String?
    @Option(
        help: ArgumentHelp("The data set's folder, or a folder that holds data sets by name.", valueName: "dir"))
    var data: String?
    @Option(help: ArgumentHelp("The partition.", valueName: "name"))
    var partition: String?
    @Option(help: ArgumentHelp("The account that is charged.", valueName: "name"))
    var account: String?
    @Option(help: ArgumentHelp("Time per task, as sbatch takes it: minutes, 12:00:00 or 1-12.", valueName: "time"))
    var time: String?
    @Option(help: ArgumentHelp("GPUs per task, such as 1 or a100:1.", valueName: "gpus"))
    var gpus: String?
    @Option(help: ArgumentHelp("Generic resources per task, such as gpu:1.", valueName: "list"))
    var gres: String?
    @Option(help: "Cores per task.", transform: wholeNumber)
    var cpusPerTask: Int?
    @Option(help: ArgumentHelp("Memory per task, and for the report, such as 16G.", valueName: "size"))
    var mem: String?
    @Option(
        name: .customLong("sbatch"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Another option of sbatch for the tasks and the report, such as --qos=low; may be repeated.",
            valueName: "option"))
    var others: [String] = []
    @Option(
        help: "How often a task is queued again at most, after a signal or a lost device. (default: 20)",
        transform: wholeNumber)
    var restarts: Int?
    @Flag(name: .customLong("run"), help: "Submit the jobs instead of printing the script.")
    var submits = false
    @Argument(parsing: .postTerminator, help: "Arguments of coppice run.")
    var arguments: [String] = []

    /// Options that the script sets itself, or relies on.
    private static let ownOptions = [
        "array", "chdir", "dependency", "help", "job-name", "no-requeue", "open-mode", "parsable", "quiet", "requeue",
        "signal", "test-only", "usage", "version", "wait", "wrap",
    ]
    /// Options of sbatch that this command has under the same names.
    private static let sharedOptions = ["account", "cpus-per-task", "gpus", "gres", "mem", "partition", "time"]

    private var directory: String {
        out ?? "results/" + URL(fileURLWithPath: study).deletingPathExtension().lastPathComponent
    }

    func validate() throws {
        if !(1...Shard.mostShards).contains(tasks) {
            throw ValidationError("--tasks is \(tasks); from 1 to \(Shard.mostShards) are accepted.")
        }
        for (name, value, least) in [("--cpus-per-task", cpusPerTask, 1), ("--restarts", restarts, 0)] {
            guard let value, value < least || value > 100_000 else { continue }
            throw ValidationError("\(name) is \(value); from \(least) to 100000 are accepted.")
        }
        for (name, value) in [("--out", out), ("--data", data)] where value == "" {
            throw ValidationError("\(name) is empty; a folder's name is needed.")
        }
        for (name, value) in [
            ("--partition", partition), ("--account", account), ("--gpus", gpus), ("--gres", gres), ("--mem", mem),
        ] {
            guard let value, !Self.isPlain(value) else { continue }
            throw ValidationError(
                "\(name) is '\(excerpt(value))'; letters, digits and any of _ . , : = @ % + / | & ( ) [ ] - are accepted."
            )
        }
        if let time { try Self.check(time: time) }
        for other in others {
            guard let match = other.wholeMatch(of: /--(?<name>[a-z][a-z-]*)(=(?<value>.+))?/),
                match.value.map({ Self.isPlain(String($0)) }) ?? true
            else {
                throw ValidationError(
                    "--sbatch is '\(excerpt(other))'; a long option without spaces or quotes is accepted, such as --qos=low."
                )
            }
            // sbatch takes the beginnings of its options too.
            if let shared = Self.sharedOptions.first(where: { $0.hasPrefix(match.name) }) {
                throw ValidationError("--sbatch is '\(excerpt(other))'; give --\(shared) itself.")
            }
            guard let own = Self.ownOptions.first(where: { $0.hasPrefix(match.name) }) else { continue }
            throw ValidationError("--sbatch is '\(excerpt(other))', and the script needs --\(own) for itself.")
        }
    }

    func run() async throws {
        _ = try StudyLibrary.load(study, acceptsAnyDataset: true)
        let words = ["run", study, "--out", directory, "--shard", "auto/\(tasks)", "--no-report"]
        let checked = try parsed(Array(words.dropFirst()) + (data.map { ["--data", $0] } ?? []) + arguments)
        let program = try program
        let reading = checked.data.map { ["--data", $0] } ?? []
        let scripts = SlurmScripts(
            run: [program] + words + (data.map { ["--data", $0] } ?? []) + arguments,
            status: [program, "status", directory],
            report: [program, "report", directory] + reading + (checked.orientation.transposed ? ["--transposed"] : []),
            folder: FileManager.default.currentDirectoryPath, name: name, tasks: tasks, restarts: restarts ?? 20,
            taskOptions: taskOptions, reportOptions: reportOptions)
        for word in scripts.run + [scripts.folder] where Self.hasControls(word) {
            throw Failure(
                "'\(excerpt(word))' contains a control character, which a Slurm script cannot hold; rename it, or use a "
                    + "link to it",
                exitCode: 64)
        }
        guard submits else { return print(scripts.submission, terminator: "") }
        let array = try await Self.submit(scripts.task, "the tasks")
        let report: String
        do {
            report = try await Self.submit(scripts.reportJob, "the report", SlurmScripts.dependency(on: array))
        } catch let failure as Failure {
            throw Failure(
                "\(failure.message); the tasks are job \(array), and `coppice report \(Shell.quoted(directory))` makes it later",
                exitCode: failure.exitCode)
        }
        print("tasks: job \(array)\nreport: job \(report)")
    }

    /// The arguments as `coppice run` takes them. Refuses those that conflict with what the jobs need.
    private func parsed(_ arguments: [String]) throws -> RunCommand {
        let command: RunCommand
        do { command = try RunCommand.parse(arguments) } catch {
            let reason = RunCommand.message(for: error).split(separator: "\n").first ?? "they ask for help"
            throw Failure("the arguments after -- are not accepted by coppice run: \(reason)", exitCode: 64)
        }
        let faults = [
            (command.shard != "auto/\(tasks)", "--shard", "each task has its part"),
            (command.out != directory, "--out", "give it before --"), (command.dryRun, "--dry-run", "leave it out"),
            (command.report, "--report", "a job of its own makes it"),
            (data != nil && command.data != data, "--data", "give it once"),
        ]
        if let fault = faults.first(where: \.0) {
            throw Failure("\(fault.1) is not accepted after --: \(fault.2)", exitCode: 64)
        }
        return command
    }

    /// The name of the study, in characters that every queue shows.
    private var name: String {
        let name = URL(fileURLWithPath: study).deletingPathExtension().lastPathComponent
        return "coppice-"
            + name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "_-.".contains($0)) ? "\($0)" : "-" }
            .joined()
    }

    /// Options of both jobs, then of each. A report takes no device and little time.
    private var commonOptions: [String] {
        [partition.map { "--partition=\($0)" }, account.map { "--account=\($0)" }, mem.map { "--mem=\($0)" }]
            .compactMap(\.self)
    }
    private var taskOptions: [String] {
        commonOptions
            + [
                time.map { "--time=\($0)" }, gpus.map { "--gpus=\($0)" }, gres.map { "--gres=\($0)" },
                cpusPerTask.map { "--cpus-per-task=\($0)" },
            ].compactMap(\.self) + others
    }
    private var reportOptions: [String] { commonOptions + (time == nil ? [] : ["--time=30"]) + others }

    /// This program's file.
    private var program: String {
        get throws {
            guard let path = Paths.destination(of: "/proc/self/exe"), path != "/proc/self/exe" else {
                throw Failure("/proc/self/exe does not say where this program is", exitCode: 69)
            }
            return path
        }
    }

    /// Gives sbatch a script.
    /// - Returns: the job's number.
    /// - Throws: ``Failure`` where there is no sbatch, or where it refuses.
    private static func submit(_ script: String, _ what: String, _ options: String...) async throws -> String {
        guard let path = try? await Executable.name("sbatch").resolveExecutablePath(in: .inherit) else {
            throw Failure(
                "sbatch is not on the PATH: --run needs Slurm (Debian's slurm-client); without it the script is printed",
                exitCode: 69)
        }
        // In a file, since an sbatch that refuses may end before it has read its input.
        let file = FileManager.default.temporaryDirectory.appending(path: "coppice-submit-\(UUID().uuidString).sh").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        do { try script.write(toFile: file, atomically: false, encoding: .utf8) } catch {
            throw Failure("cannot write the script to \(file): \(error.localizedDescription)", exitCode: 73)
        }
        let complaint: String
        do {
            let result = try await Subprocess.run(
                .path(path), arguments: Arguments(["--parsable"] + options + [file]), input: .none,
                output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
            // "12", or "12;cluster".
            let job = result.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines).prefix { $0 != ";" }
            if result.terminationStatus.isSuccess, job.wholeMatch(of: /[0-9]+/) != nil { return String(job) }
            let lines = result.standardError.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            complaint = lines.last { !$0.isEmpty } ?? "it ended with \(result.terminationStatus)"
        } catch {
            complaint = "\(error)"
        }
        throw Failure("sbatch did not take \(what): \(excerpt(complaint, longest: 300))", exitCode: 69)
    }

    /// - Throws: `ValidationError` for a time that sbatch would not take, or that is over before the signal that asks for an end.
    private static func check(time: String) throws {
        let accepted =
            "minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes or days-hours:minutes:seconds are"
            + " accepted"
        guard let match = time.wholeMatch(of: /(?:([0-9]{1,5})-)?([0-9]{1,7})(?::([0-9]{1,7}))?(?::([0-9]{1,7}))?/)
        else {
            throw ValidationError("--time is '\(excerpt(time))'; \(accepted).")
        }
        let fields = [match.2, match.3 ?? "", match.4 ?? ""].compactMap { Int($0) }
        let units: [Int]
        if match.1 != nil {
            units = [3600, 60, 1]
        } else {
            units = fields.count == 3 ? [3600, 60, 1] : [60, 1]
        }
        let seconds = zip(fields, units).reduce(86_400 * (match.1.flatMap { Int($0) } ?? 0)) { $0 + $1.0 * $1.1 }
        if seconds <= SlurmScripts.notice {
            throw ValidationError(
                "--time is '\(time)'; more than \(SlurmScripts.notice / 60) minutes are needed, since tasks are asked to stop"
                    + " \(SlurmScripts.notice) seconds before their end.")
        }
    }

    /// True if Slurm reads a value as it is written.
    private static func isPlain(_ value: String) -> Bool {
        value.wholeMatch(of: /[A-Za-z0-9_.,:=@%+\/|&*()\[\]-]+/) != nil
    }

    private static func hasControls(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }
}
