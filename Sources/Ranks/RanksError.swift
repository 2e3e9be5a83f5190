import Support

/// An error that records whether every rank has it. If so, all of them can end in order, and one reports it.
package protocol SharedError: Error {
    var isShared: Bool { get }
}

extension Error {
    /// True if every rank has the error.
    var isOfAllRanks: Bool { (self as? any SharedError)?.isShared ?? false }
}

/// Errors between ranks. Each description is one sentence: what, where, and what would be accepted.
package enum RanksError: Equatable, CategorizedError, SharedError {
    /// A launcher's variable is not a number that it can be.
    case badVariable(name: String, value: String, accepted: String)
    /// A launcher started several ranks, and no MPI can be loaded.
    case libraryMissing(launcher: String, tried: [String], reason: String)
    /// The library lacks a function of MPI 3, or a symbol.
    case functionMissing(name: String, library: String)
    /// The library is loaded, and its handles and constants are not known here.
    case unknownLibrary(library: String)
    /// The launcher says that there are several ranks, and MPI finds another number: it is of another MPI.
    case otherLauncher(launcher: String, library: String, ranks: Int)
    /// MPI can be started only once in a process.
    case startedBefore(library: String)
    /// This MPI does not allow a process with threads.
    case noThreads(library: String)
    /// A communicator belongs to the thread that joined the ranks.
    case otherThread(call: String)
    /// A function of MPI failed on this rank.
    case callFailed(call: String, library: String, reason: String)
    /// Two ranks were given different things. All ranks have this same error.
    case disagreement(name: String, expected: String, rank: Int, found: String, others: Int)
    /// Ranks on threads called different functions, or with different numbers of bytes. All ranks have this same error.
    case differentCalls(rank: Int, first: String, found: String)
    /// This rank waited for another rank of the process, which failed.
    case rankFailed(rank: Int, ranks: Int, reason: String)
    /// A rank on a thread ended in order while this one waited for it.
    case rankEnded(rank: Int)
    /// An exact sum that cannot be made. All ranks have this same error.
    case sums(ExactSumError)

    package var isShared: Bool {
        switch self {
        case .disagreement, .differentCalls, .sums: true
        default: false
        }
    }

    package var category: ErrorCategory {
        switch self {
        case .badVariable, .otherLauncher: .usage
        case .libraryMissing, .functionMissing, .unknownLibrary, .noThreads: .unavailable
        case .startedBefore, .otherThread, .differentCalls, .rankEnded: .software
        case .callFailed, .rankFailed: .temporary
        case .disagreement: .badData
        case .sums(let error): error.category
        }
    }

    package var description: String {
        let key = MPILibrary.environmentKey
        switch self {
        case .badVariable(let name, let value, let accepted):
            return "the environment variable \(name) is '\(excerpt(value))', and must be \(accepted)"
        case .libraryMissing(let launcher, let tried, let reason):
            return
                "\(launcher), and no MPI can be loaded (tried \(tried.joined(separator: ", ")): \(reason)); name the "
                + "launcher's library in \(key), or set \(key)=none to run every process on its own"
        case .functionMissing(let name, let library):
            return "\(library) has no \(name): it is not a library of MPI 3 or later; name another in \(key)"
        case .unknownLibrary(let library):
            return
                "\(library) is neither Open MPI nor MPICH or a relative of it, and does not have the standard ABI of "
                + "MPI 5; name one of these in \(key)"
        case .otherLauncher(let launcher, let library, let ranks):
            let found = ranks == 1 ? "finds this process alone" : "finds \(ranks)"
            let remedy =
                launcher.hasPrefix("SLURM_")
                ? "choose what it knows with srun --mpi (srun --mpi=list names them)" : "use the mpirun of this library"
            return
                "\(launcher), but \(library) \(found): it does not know this launcher; \(remedy), or name the launcher's "
                + "library in \(key)"
        case .startedBefore(let library):
            return "\(library) was started before in this process; MPI can be started only once"
        case .noThreads(let library):
            return "\(library) does not allow a process with threads (MPI_THREAD_FUNNELED); name another in \(key)"
        case .otherThread(let call):
            return "\(call) was called by another thread than the one that joined the ranks"
        case .callFailed(let call, let library, let reason):
            return "\(call) failed in \(library): \(reason)"
        case .disagreement(let name, let expected, let rank, let found, let others):
            let more =
                others == 0 ? "" : others == 1 ? ", and 1 other rank differs" : ", and \(others) other ranks differ"
            return "the ranks differ in \(name): rank 0 has \(expected), rank \(rank) has \(found)\(more); "
                + "all ranks must have the same"
        case .differentCalls(let rank, let first, let found):
            return "rank 0 calls \(first) while rank \(rank) calls \(found); all ranks must call the same"
        case .rankFailed(let rank, let ranks, let reason):
            return "rank \(rank) of \(ranks) failed: \(reason)"
        case .rankEnded(let rank):
            return "rank \(rank) ended while other ranks were waiting for it"
        case .sums(let error):
            return error.description
        }
    }
}
