import ArgumentParser
import Foundation
import OpenCL
import Support

/// The command line. Each subcommand is a file of its own; what they share is too: ComputeOptions, DataOptions, Output.
struct Coppice: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "coppice",
        abstract: "Finds the smallest training set that trains as well as the whole one.",
        discussion: """
            Clusters a data set, keeps the part of each cluster that a strategy asks for, trains a network on what was \
            kept, and says what the pruning cost. Human text goes to stdout, progress to stderr.

            \(Stalls.help)
            """,
        version: "coppice \(version)",
        subcommands: [
            DevicesCommand.self, DataCommand.self, RunCommand.self, SubmitCommand.self, StatusCommand.self,
            ReportCommand.self,
            PlanCommand.self, StudyCommand.self, ModelCommand.self,
            ClusterCommand.self,
            EmbedCommand.self, ScoreCommand.self, SelectCommand.self, DedupCommand.self, TrainCommand.self,
            EvaluateCommand.self,
            VerifyCommand.self,
            BenchCommand.self,
            TuneCommand.self,
        ])
}

@main
enum Main {
    static func main() async {
        ProcessSetup.prepare()
        do {
            try ProcessSetup.check()
            var command = try Coppice.parseAsRoot()
            try Stalls.watch()
            if var waiting = command as? any AsyncParsableCommand {
                try await waiting.run()
            } else {
                try command.run()
            }
            try flushOutput()
            PoCLCache.end()
            Stalls.endWithoutThreads(0)
        } catch {
            PoCLCache.end()
            end(with: error)
        }
    }

    /// Ends with one sentence and the exit code; a command line that cannot be parsed gets its usage too.
    private static func end(with error: any Error) -> Never {
        if let failure = Failure(error) {
            Terminal.complain(failure.message)
            let code = failure.exitCode == ErrorCategory.cancelled.exitCode ? Signals.exitCode : failure.exitCode
            Stalls.endWithoutThreads(code)
            exit(code)
        }
        let code = Coppice.exitCode(for: error)
        // Help and version are no mistakes.
        guard code != .success else { Coppice.exit(withError: error) }
        let text = Coppice.fullMessage(for: error)
        if !text.isEmpty { Terminal.complain(text.hasPrefix("Error: ") ? String(text.dropFirst(7)) : text) }
        exit(code.rawValue)
    }
}
