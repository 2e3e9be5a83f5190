/// What kind of thing went wrong, for whoever has to act on it. The command line ends with a code for each.
package enum ErrorCategory: Sendable {
    /// An option, a name or a value that is not accepted.
    case usage
    /// Data that is damaged, or not what it has to be.
    case badData
    /// What is to be read is not there.
    case noInput
    /// A required device, program or amount of memory is missing.
    case unavailable
    /// A fault of this program.
    case software
    /// An output that cannot be made.
    case cannotCreate
    /// A write that failed.
    case writeFailed
    /// A failure that may not happen again.
    case temporary
    /// An end that the user asked for.
    case cancelled
}

/// An error with a category for programs and a sentence for people.
package protocol CategorizedError: Error, CustomStringConvertible {
    var category: ErrorCategory { get }
}
