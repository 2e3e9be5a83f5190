import Foundation

/// What can go wrong with a file or folder, whatever is in it. Each description is one sentence: which file, and why.
package enum FileError: Equatable, CategorizedError {
    /// A file that is missing, is not a regular file, or cannot be read.
    case unreadable(file: String, reason: String)
    /// A file or folder that cannot be created.
    case cannotCreate(file: String, reason: String)
    /// A write that failed after the file was created, a full disk for one.
    case writeFailed(file: String, reason: String)

    /// The error of a call that failed to make `file`. Where there is no room for it, writing failed.
    package static func creating(_ file: String, _ code: Int32 = errno) -> FileError {
        let reason = systemMessage(code)
        return isExhaustion(code)
            ? .writeFailed(file: file, reason: reason) : .cannotCreate(file: file, reason: reason)
    }

    package var category: ErrorCategory {
        switch self {
        case .unreadable: .noInput
        case .cannotCreate: .cannotCreate
        case .writeFailed: .writeFailed
        }
    }

    package var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
        case .cannotCreate(let file, let reason): "\(file): cannot be created: \(reason)"
        case .writeFailed(let file, let reason): "\(file): writing failed: \(reason)"
        }
    }
}
