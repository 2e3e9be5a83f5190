import Foundation
import Support

extension Communicator {
    /// Runs `body` on `size` ranks, each on its own thread of this process, and waits for all of them. The communicator that
    /// `body` gets belongs to its thread.
    ///
    /// If `body` fails on a rank, the ranks that wait for that one fail too.
    /// - Parameter size: at least 1.
    /// - Returns: what `body` returned, by rank.
    /// - Throws: the error of the first rank that failed.
    @discardableResult
    package static func onThreads<Value: Sendable>(
        _ size: Int, _ body: @escaping @Sendable (Communicator) throws -> Value
    ) throws -> [Value] {
        let ranks = ThreadRanks(max(1, size))
        let outcomes = Locked<[Int: Result<Value, any Error>]>([:])
        for rank in 0..<ranks.size {
            let thread = Thread {
                let outcome = Result { try body(Communicator(rank: rank, of: ranks)) }
                if case .failure(let error) = outcome {
                    ranks.fail(rank, "\(error)", isShared: error.isOfAllRanks, canReport: false)
                }
                outcomes.withLock { $0[rank] = outcome }
                ranks.end(rank)
            }
            thread.name = "rank \(rank)"
            // Drivers compile kernels on it.
            thread.stackSize = 8 << 20
            thread.start()
        }
        let failed = ranks.waitForEnds()
        let found = outcomes.withLock { $0 }
        if let failed { _ = try found[failed]?.get() }
        return try found.sorted { $0.key < $1.key }.map { try $0.value.get() }
    }
}
