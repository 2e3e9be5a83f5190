import CMPI
import Foundation
import Support

/// The ranks that work on one thing together, and this one's place among them: one process without MPI, the processes that a
/// launcher of MPI started, or threads of this process.
///
/// The functions that move data are collective. All ranks must call the same ones in the same order and, unless a function
/// says otherwise, with the same number of elements; if they do not, processes hang, and threads throw
/// ``RanksError/differentCalls(rank:first:found:)``. With a single rank these functions do no communication. Results have the
/// same bits under every MPI and on threads, because bytes are only copied and integers reduced.
package final class Communicator {
    /// This rank's number, from 0.
    package let rank: Int
    /// The number of ranks.
    package let size: Int
    /// The MPI that connects them; nil for one process without MPI, and for threads.
    package let library: MPILibrary?
    /// The threads that are ranks; nil for processes.
    private let threads: ThreadRanks?
    /// False if the ranks compute on devices that differ, and may round differently: results that all of them compute are then
    /// taken from rank 0. The same on all ranks.
    package var computesAlike = true
    /// The name of each rank in messages, [ranks]; nil for its number.
    package var names: [String]?
    /// The number of ranks of this process, which share its memory.
    package var ranksInProcess: Int { threads?.size ?? 1 }
    /// Bytes that one call of MPI moves at most. Counts of MPI are 32-bit, and MPIs take buffers of the same size for sums.
    package var mostBytes: Int64 = 1 << 27
    /// The same within what the calls take: counts of MPI are 32-bit.
    private var bytesPerCall: Int64 { min(max(8, mostBytes), Int64(Int32.max)) }
    private let thread = pthread_self()

    /// One process without MPI.
    package init() {
        rank = 0
        size = 1
        library = nil
        threads = nil
    }

    /// A rank on the calling thread, which makes all later calls.
    init(rank: Int, of threads: ThreadRanks) {
        self.rank = rank
        size = threads.size
        library = nil
        self.threads = threads
    }

    private init(rank: Int, size: Int, library: MPILibrary) {
        self.rank = rank
        self.size = size
        self.library = library
        threads = nil
    }

    /// Joins the ranks that a launcher started. Without a launcher, or with one that started a single process, this is one
    /// process, and no MPI is looked for unless `$COPPICE_MPI` names one. The calling thread makes all later calls.
    /// - Throws: every ``RanksError`` but ``RanksError/disagreement(name:expected:rank:found:others:)``,
    ///   ``RanksError/sums(_:)`` and those of ranks on threads.
    package static func join(_ environment: EnvironmentVariables = .process) throws(RanksError) -> Communicator {
        let named = environment[MPILibrary.environmentKey]
        if named == "none" { return Communicator() }
        let launcher = try Launcher.detect(environment)
        let isAlone = launcher.map { $0.isExact && $0.ranks == 1 } ?? true
        if isAlone && named == nil { return Communicator() }
        let library = try MPILibrary.load(
            firstOf: named.map { [$0] } ?? launcher?.libraries ?? [],
            launcher: launcher?.text ?? "\(MPILibrary.environmentKey) is set")
        var startedBefore: Int32 = 0
        var threadsAllowed: Int32 = 0
        var rank: Int32 = 0
        var size: Int32 = 0
        let status = cop_mpi_start(&startedBefore, &threadsAllowed, &rank, &size)
        guard status == 0 else {
            throw .callFailed(call: "MPI_Init_thread", library: library.name, reason: MPILibrary.errorText(status))
        }
        guard startedBefore == 0 else { throw .startedBefore(library: library.name) }
        let communicator = Communicator(rank: Int(rank), size: Int(size), library: library)
        // Ranks that end without ending MPI would be taken for ranks that died.
        if threadsAllowed == 0 {
            try communicator.close()
            throw .noThreads(library: library.name)
        }
        if let launcher, launcher.isExact ? size != launcher.ranks : size < launcher.ranks {
            try communicator.close()
            throw .otherLauncher(launcher: launcher.text, library: library.name, ranks: Int(size))
        }
        return communicator
    }

    /// Ends MPI, the last thing that a rank does with it. Waits for all ranks, unless they are threads.
    package func close() throws(RanksError) {
        if library != nil { try check("MPI_Finalize") { cop_mpi_end() } }
    }

    /// Ends this rank and, if need be, all others because of an error.
    ///
    /// An error that every rank has is reported by rank 0 alone, and MPI ends in order: this returns, and the caller ends
    /// with the exit code. Any other is reported with this rank's name, and ends all ranks at once, wherever they wait. Of
    /// threads the first one that fails reports, with its name unless every rank has the error. Ranks that wait for it get an
    /// error, and this returns.
    /// - Parameters:
    ///   - message: the error as the user reads it, one sentence.
    ///   - exitCode: what every process ends with. A launcher may end with another.
    ///   - report: writes a sentence to stderr.
    package func end(_ error: any Error, message: String, exitCode: Int32, report: (String) -> Void) {
        let isShared = error.isOfAllRanks
        let named = "\(name(of: rank)): \(message)"
        if let threads {
            if threads.fail(rank, message, isShared: isShared, canReport: true) { report(isShared ? message : named) }
            return
        }
        guard library != nil else { return report(message) }
        if isShared {
            if rank == 0 { report(message) }
            if (try? close()) != nil { return }
        } else {
            report(named)
            // MPICH's launcher drops what it has not read when it ends the ranks.
            usleep(250_000)
        }
        _ = cop_mpi_abort(exitCode)
    }

    /// A rank for messages, such as `rank 1 of 2`.
    package func name(of rank: Int) -> String { names?[rank] ?? "rank \(rank) of \(size)" }

    /// Waits until all ranks are here.
    package func barrier() throws(RanksError) {
        if let threads {
            try checkThread(ThreadRanks.Call.barrier.name)
            return try threads.barrier(rank)
        }
        if library != nil { try check("MPI_Barrier") { cop_mpi_barrier() } }
    }

    /// Copies the elements of rank `root` to all ranks.
    package func broadcast<Element: BitwiseCopyable>(
        _ values: UnsafeMutableBufferPointer<Element>, from root: Int = 0
    ) throws(RanksError) {
        let bytes = UnsafeMutableRawBufferPointer(values)
        if let threads {
            try checkThread(ThreadRanks.Call.broadcast(root: root).name)
            return try threads.broadcast(bytes, from: root, to: rank)
        }
        guard library != nil, !values.isEmpty else { return }
        try check("MPI_Bcast") {
            cop_mpi_broadcast(bytes.baseAddress, Int64(bytes.count), Int32(root), bytesPerCall)
        }
    }

    /// Copies the elements of rank `root` to all ranks, whose arrays have as many.
    package func broadcast<Element: BitwiseCopyable>(_ values: inout [Element], from root: Int = 0) throws(RanksError) {
        try values.withUnsafeMutableBufferPointer { buffer throws(RanksError) in try broadcast(buffer, from: root) }
    }

    /// The parts of all ranks, on every rank. Parts may have different numbers of elements.
    package func gather<Element: BitwiseCopyable>(_ part: [Element]) throws(RanksError) -> Gathered<Element> {
        let counts = try counts(of: part)
        return Gathered(values: try gather(part, counts, root: nil), counts: counts)
    }

    /// The parts of all ranks, on rank `root`; nil on the others. Parts may have different numbers of elements.
    package func gather<Element: BitwiseCopyable>(_ part: [Element], to root: Int) throws(RanksError)
        -> Gathered<Element>?
    {
        let counts = try counts(of: part)
        let values = try gather(part, counts, root: root)
        return rank == root ? Gathered(values: values, counts: counts) : nil
    }

    private func counts<Element>(of part: [Element]) throws(RanksError) -> [Int] {
        var counts = [UInt64](repeating: 0, count: size)
        counts[rank] = UInt64(part.count)
        try sum(&counts)
        return counts.map { Int($0) }
    }

    /// - Returns: no elements where this rank receives none.
    private func gather<Element: BitwiseCopyable>(_ part: [Element], _ counts: [Int], root: Int?) throws(RanksError)
        -> [Element]
    {
        if let threads { return try gather(part, counts, root: root, over: threads) }
        guard library != nil else { return part }
        let call = root == nil ? "MPI_Allgatherv" : "MPI_Gatherv"
        try checkThread(call)
        let sizes = counts.map { Int64($0 * MemoryLayout<Element>.stride) }
        let receives = root == nil || root == rank
        var status: Int32 = 0
        let all = [Element](unsafeUninitializedCapacity: receives ? counts.reduce(0, +) : 0) { room, count in
            status = part.withUnsafeBytes {
                cop_mpi_gather($0.baseAddress, sizes, root.map { Int32($0) } ?? -1, room.baseAddress, bytesPerCall)
            }
            count = status == 0 ? room.count : 0
        }
        try check(call) { status }
        return all
    }

    private func gather<Element: BitwiseCopyable>(
        _ part: [Element], _ counts: [Int], root: Int?, over threads: ThreadRanks
    ) throws(RanksError) -> [Element] {
        try checkThread(ThreadRanks.Call.gather(root: root).name)
        let receives = root == nil || root == rank
        var failure: RanksError?
        let all = [Element](unsafeUninitializedCapacity: receives ? counts.reduce(0, +) : 0) { room, count in
            part.withUnsafeBytes { part in
                do throws(RanksError) {
                    try threads.gather(part, to: root, into: UnsafeMutableRawBufferPointer(room), on: rank)
                } catch { failure = error }
            }
            count = receives && failure == nil ? counts.reduce(0, +) : 0
        }
        if let failure { throw failure }
        return all
    }

    /// Replaces 64-bit words by their sums (modulo 2^64) over all ranks, or as signed integers by the minima or maxima.
    func reduce(_ words: UnsafeMutableRawBufferPointer, _ operation: Int) throws(RanksError) {
        if let threads {
            let call: ThreadRanks.Call =
                operation == COP_MPI_MINIMUM ? .minimum : operation == COP_MPI_MAXIMUM ? .maximum : .sum
            try checkThread(call.name)
            return try threads.reduce(words, call, on: rank)
        }
        guard library != nil, let start = words.baseAddress else { return }
        try check("MPI_Allreduce") {
            cop_mpi_all_reduce(
                start.assumingMemoryBound(to: Int64.self), Int64(words.count / 8), Int32(operation), bytesPerCall)
        }
    }

    /// - Throws: ``RanksError/otherThread(call:)``.
    private func checkThread(_ call: @autoclosure () -> String) throws(RanksError) {
        guard pthread_equal(thread, pthread_self()) != 0 else { throw .otherThread(call: call()) }
    }

    /// Makes a call of MPI.
    /// - Throws: ``RanksError/callFailed(call:library:reason:)``, ``RanksError/otherThread(call:)``.
    private func check(_ call: String, _ body: () -> Int32) throws(RanksError) {
        try checkThread(call)
        let status = body()
        guard status == 0 else {
            throw .callFailed(call: call, library: library?.name ?? "", reason: MPILibrary.errorText(status))
        }
    }
}

/// The parts of all ranks, one after the other in the order of ranks.
package struct Gathered<Element> {
    package let values: [Element]
    /// Elements of each rank's part, [ranks].
    package let counts: [Int]

    /// The part of a rank.
    package subscript(rank: Int) -> ArraySlice<Element> {
        let start = counts[..<rank].reduce(0, +)
        return values[start..<start + counts[rank]]
    }
}
