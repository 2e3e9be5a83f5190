import ArgumentParser
import Clustering
import Ranks
import Support

extension Communicator {
    /// The number of ranks for messages, such as `3 ranks`, or `2 devices` if they are threads.
    var countText: String { describeCount(size, ranksInProcess > 1 ? "device" : "rank") }

    /// A single rank for messages.
    var singleText: String { ranksInProcess > 1 ? "one device" : "one process" }

    /// Notes the ranks, their connection, and the rows that they share, such as `12388 samples`.
    func note(_ rows: String, quiet: Bool) {
        let text = ranksInProcess > 1 ? countText : "\(countText) by \(library?.name ?? "no MPI")"
        Terminal.note("\(text), \(rows)", quiet: quiet)
    }

    /// Spreads rows over the ranks. Collective.
    /// - Throws: `ClusteringError`, and ``SharedRefusal`` if there are more devices than chunks of rows.
    func spread(_ rows: Int) throws -> RowSpread {
        do throws(ClusteringError) { return try RowSpread(rows, over: self) } catch {
            guard ranksInProcess > 1, case .tooManyRanks(_, let rows, let accepted) = error else { throw error }
            throw SharedRefusal(
                "\(countText) are too many for \(describeCount(rows, "row")), which are spread in chunks of "
                    + "\(RowSpread.chunkRows); 1 to \(accepted) are accepted", category: error.category)
        }
    }

    /// Runs the work of a command on this rank and ends MPI. Call it on the thread that joined the ranks.
    /// - Parameter interrupt: the effect of signals during the work; afterwards they have none.
    func finishing(_ interrupt: ExitOnInterrupt? = nil, _ body: () throws -> Void) throws {
        do {
            do {
                // Even after a failure: if a signal ended another rank now, the launcher would kill the rank that is reporting.
                defer { interrupt.ignore() }
                try body()
            }
            try close()
        } catch {
            var failure = Failure(error) ?? Failure("\(error)", exitCode: 70)
            if case ClusteringError.interrupted = error {
                // A signal may have reached only some of the ranks; if one ends with 75, all do.
                var codes = [UInt64(Signals.exitCode)]
                try? minimum(&codes)
                failure.exitCode = Int32(codes[0])
            }
            end(error, message: failure.message, exitCode: failure.exitCode) { Terminal.complain($0) }
            // The error has been printed.
            throw ExitCode(failure.exitCode)
        }
    }
}

/// Runs work that every rank does alike, so that every rank has the same error and one of them reports it.
func onAllRanks<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch {
        guard var failure = Failure(error) else { throw error }
        failure.isShared = true
        throw failure
    }
}

/// Refuses mini-batches, which run on a single rank only.
/// - Parameters:
///   - single: what they run on, such as `one process`.
///   - several: what is there, such as `3 ranks`.
/// - Throws: ``SharedRefusal``.
func refuseMiniBatches(_ kind: KMeans.Kind, for single: String, _ several: String) throws {
    guard case .miniBatch = kind else { return }
    throw SharedRefusal("mini-batches are for \(single); --kmeans lloyd works on \(several)", category: .usage)
}

/// The checksum of values that must be the same on all ranks, for messages.
func checksum<Value: BitwiseCopyable>(_ values: [Value]) -> String {
    var checksum = Checksum()
    values.withUnsafeBytes { checksum.add($0) }
    return "checksum \(String(checksum.value, radix: 16))"
}
