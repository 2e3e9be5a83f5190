import Compute
import Datasets
import Foundation
import Pruning
import Support

/// A place in a study file.
package struct SourcePlace: Equatable, Sendable, CustomStringConvertible {
    /// The file, as it was named.
    package let file: String
    /// Line and column, from 1; nil where the fault is the whole file's.
    package let position: (line: Int, column: Int)?

    /// A place in `file`.
    package init(file: String, position: (line: Int, column: Int)? = nil) {
        self.file = file
        self.position = position
    }

    package var description: String { position.map { "\(file):\($0.line):\($0.column)" } ?? file }

    package static func == (left: SourcePlace, right: SourcePlace) -> Bool { left.description == right.description }
}

/// What can go wrong with a study and its output. Each description is one sentence: what, where, and what would be
/// accepted.
package enum StudyError: CategorizedError {
    /// Neither a file nor a built-in study.
    case unknownStudy(name: String, builtIn: [String])
    /// A study file that cannot be read.
    case unreadable(file: String, reason: String)
    /// A study that says something wrong.
    case invalid(SourcePlace, reason: String)
    /// An option of the command line that does not fit.
    case badOption(name: String, reason: String)
    /// A directory or file of the output that cannot be made.
    case cannotCreate(path: String, reason: String)
    /// The output directory belongs to another study, or to other data.
    case otherStudy(directory: String, difference: String)
    /// The directory was made by another version of the program.
    case otherVersion(directory: String, version: String, isWriting: Bool)
    /// A directory to be read that is no study's.
    case notAStudy(directory: String, reason: String)
    /// A file of a directory to be read that is not whole.
    case damaged(file: String, reason: String)
    /// A write that failed, on a full disk for one; what was finished before is kept.
    case writeFailed(path: String, reason: String)
    /// Another process writes to the directory; `who` is the beginning of a sentence.
    case directoryBusy(directory: String, who: String)
    /// The study was stopped; what is finished is kept.
    case interrupted(finished: Int, total: Int)
    /// The device failed; what is finished is kept.
    case device(ComputeError, finished: Int, total: Int)
    /// A fault in a selection.
    case pruning(PruningError)
    /// A fault of a data or array file.
    case data(DatasetError)
    /// An executor that broke its contract.
    case executor(reason: String)

    /// The error of a call that failed to make `path`. Where there is no room for it, writing failed.
    static func creating(_ path: String, _ code: Int32 = errno) -> StudyError {
        let reason = systemMessage(code)
        return isExhaustion(code) ? .writeFailed(path: path, reason: reason) : .cannotCreate(path: path, reason: reason)
    }

    /// The kind of fault.
    package var category: ErrorCategory {
        switch self {
        case .badOption: .usage
        case .invalid, .damaged: .badData
        case .unknownStudy, .unreadable, .notAStudy: .noInput
        case .executor: .software
        case .cannotCreate, .otherStudy: .cannotCreate
        case .otherVersion(_, _, let isWriting): isWriting ? .cannotCreate : .badData
        case .writeFailed: .writeFailed
        case .directoryBusy: .temporary
        case .interrupted: .cancelled
        // A device that went away may be back: trying again is all that is needed.
        case .device(let error, _, _): error.isDeviceLost ? .temporary : error.category
        case .pruning(let error): error.category
        case .data(let error): error.category
        }
    }

    package var description: String {
        switch self {
        case .unknownStudy(let name, let builtIn):
            "there is no study \(name): it is neither a file nor a built-in one (\(builtIn.joined(separator: ", ")));"
                + " the nearest is \(nearestWord(to: name, in: builtIn))"
        case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
        case .invalid(let place, let reason): "\(place): \(reason)"
        case .badOption(let name, let reason): "\(name): \(reason)"
        case .cannotCreate(let path, let reason): "\(path): cannot be created: \(reason)"
        case .otherStudy(let directory, let difference):
            "\(directory) holds the results of another study: \(difference); choose another --out"
        case .otherVersion(let directory, let version, let isWriting):
            "\(directory) was made by another version of the program (\(version); this one has format"
                + " \(StudyEnvironment.currentFormat)); "
                + (isWriting ? "choose another --out, or go on with that version" : "read it with that version")
        case .notAStudy(let directory, let reason): "\(directory): no study's results: \(reason)"
        case .damaged(let file, let reason): "\(file): \(reason)"
        case .writeFailed(let path, let reason):
            "\(path): writing failed: \(reason); what was finished before is kept, and running again goes on from there"
        case .directoryBusy(let directory, let who):
            "\(directory): \(who); try again when it is done, or choose another --out"
        case .interrupted(let finished, let total):
            "stopped after \(finished) of \(total) runs; what is finished is kept, and running again goes on from there"
        case .device(let error, let finished, let total):
            "\(error.isDeviceLost ? "the device is lost: " : "")\(error); \(finished) of \(total) runs are finished and kept, "
                + "and running again goes on from there, on another --device too"
        case .pruning(let error): error.description
        case .data(let error): error.description
        case .executor(let reason): "a bug in the study's executor: \(reason)"
        }
    }
}
