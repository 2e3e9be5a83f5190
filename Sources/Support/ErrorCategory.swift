/// What kind of thing went wrong, for whoever has to act on it. The command line ends with a code for each.
package enum ErrorCategory: Sendable {
    /// An option, a name or a value that is not accepted.
    case usage
    /// Data that is damaged, or not what it has to be.
    case badData
    /// What is to be read is not there.
    case noInput
    /// A device, a program or memory that is needed and not to be had.
    case unavailable
    /// A fault of this program.
    case software
    /// An output that cannot be made.
    case cannotCreate
    /// A write that failed.
    case writeFailed
    /// What may go well at another time.
    case temporary
    /// An end that the user asked for.
    case cancelled
}

/// An error that says of what kind it is, in a sentence for people besides.
package protocol CategorizedError: Error, CustomStringConvertible {
    var category: ErrorCategory { get }
}
