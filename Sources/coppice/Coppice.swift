import ArgumentParser
import Foundation

/// The command line. Each subcommand is a file of its own; what they share is in CommandSupport.swift.
struct Coppice: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coppice",
        abstract: "Finds the smallest training set that trains as well as the whole one.",
        discussion: """
            Clusters a data set, keeps the part of each cluster that a strategy asks for, trains LeNet-5 on what was \
            kept, and says what the pruning cost. Human text goes to stdout, progress to stderr.
            """,
        version: "coppice 0.1.0",
        subcommands: [TrainCommand.self, EvaluateCommand.self])
}

@main
enum Main {
    static func main() {
        do {
            var command = try Coppice.parseAsRoot()
            try command.run()
        } catch {
            guard let failure = Failure(error) else { Coppice.exit(withError: error) }
            Terminal.complain(failure.message)
            exit(failure.exitCode)
        }
    }
}
