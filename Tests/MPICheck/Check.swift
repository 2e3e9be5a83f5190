import Foundation
import Ranks
import Support

/// The program that tools/check-mpi runs under the launchers of several MPIs: `mpi-check TASK`. Every task ends with 0 or, after one
/// sentence on stderr, with a code of sysexits.h.
@main
enum Check {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard let task = arguments.first, let body = tasks[task] else {
            report("a task is wanted: \(tasks.keys.sorted().joined(separator: ", "))")
            exit(64)
        }
        do {
            let communicator = try Communicator.join()
            do {
                try body(communicator)
                try communicator.close()
            } catch {
                let code = exitCode(error)
                communicator.end(error, message: "\(error)", exitCode: code, report: report)
                exit(code)
            }
        } catch {
            report("\(error)")
            exit(exitCode(error))
        }
    }

    private static var tasks: [String: (Communicator) throws -> Void] {
        [
            // Every function against values computed alone, and a digest of exact sums.
            "collectives": checkCollectives,
            // A digest of clusterings whose rows are spread over the ranks.
            "clusters": checkClusters,
            // Checks for one rank only.
            "mini-batch": checkMiniBatch,
            // More bytes than an int counts.
            "large": checkLargeCounts,
            // Who is there.
            "join": { ranks in
                if ranks.rank == 0 { print("\(ranks.size) ranks: \(ranks.library?.name ?? "without MPI")") }
            },
            // The last rank has another file.
            "disagree": { ranks in
                try ranks.agree(on: [
                    Agreement("the version", "0.1.0"),
                    Agreement("the file points.npy", ranks.rank == ranks.size - 1 ? "00ff" : "ff00"),
                ])
            },
            // The last rank fails while the others wait for it.
            "fail": { ranks in
                if ranks.rank == ranks.size - 1 { throw CheckFailure("the disk is full") }
                try ranks.barrier()
            },
            // The last rank is killed while the others wait for it.
            "die": { ranks in
                if ranks.rank == ranks.size - 1 { kill(getpid(), SIGKILL) }
                try ranks.barrier()
            },
        ]
    }

    /// One write, so that the sentences of several ranks stay apart.
    private static func report(_ sentence: String) {
        FileHandle.standardError.write(Data("mpi-check: \(sentence)\n".utf8))
    }

    private static func exitCode(_ error: any Error) -> Int32 {
        switch (error as? any CategorizedError)?.category {
        case .usage: 64
        case .badData: 65
        case .unavailable: 69
        case .software: 70
        default: 75
        }
    }
}

/// A result that is not what it has to be.
struct CheckFailure: CategorizedError {
    let description: String
    let category = ErrorCategory.badData

    init(_ description: String) { self.description = description }
}

/// Fails unless a result is what it has to be.
func expect(_ isRight: Bool, _ what: @autoclosure () -> String) throws {
    if !isRight { throw CheckFailure("wrong: \(what())") }
}
