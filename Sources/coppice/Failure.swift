import Foundation
import Ranks
import Support

/// An error as the command line reports it: one sentence and an exit code of sysexits.h.
struct Failure: SharedError {
    var message: String
    var exitCode: Int32
    /// True if every one of several ranks has it.
    var isShared = false

    init(_ message: String, exitCode: Int32) {
        self.message = message
        self.exitCode = exitCode
    }

    init(_ message: String, category: ErrorCategory) { self.init(message, exitCode: category.exitCode) }

    /// Nil for errors of the command line itself, which the argument parser reports with its usage.
    init?(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let refusal as SharedRefusal: self = refusal.failure
        case let error as any CategorizedError: self.init(error.description, category: error.category)
        default: return nil
        }
    }
}
