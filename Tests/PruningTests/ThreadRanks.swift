import Foundation
import Pruning
import Support

/// Ranks on threads of this process, for tests of code that is spread over ranks.
final class ThreadRanks: @unchecked Sendable {
    private let condition = NSCondition()
    private let size: Int
    private var waiting = 0
    private var round = 0
    private var sums: [Int64] = []
    private var finished: [Int64] = []

    private init(_ size: Int) { self.size = size }

    /// Waits for all ranks; the last of them completes the sums.
    private func add(_ values: inout [Int64]) {
        condition.lock()
        defer { condition.unlock() }
        sums = waiting == 0 ? values : zip(sums, values).map { $0 &+ $1 }
        waiting += 1
        if waiting == size {
            (finished, waiting) = (sums, 0)
            round += 1
            condition.broadcast()
        } else {
            let own = round
            while round == own { condition.wait() }
        }
        values = finished
    }

    /// Returns the results of `body` on each of `size` ranks, in their order.
    static func run<Result: Sendable>(
        _ size: Int, _ body: @escaping @Sendable (RankSums<Never>) throws -> Result
    ) throws -> [Result] {
        let ranks = ThreadRanks(size)
        let results = Locked<[Int: Swift.Result<Result, any Error>]>([:])
        let ended = DispatchSemaphore(value: 0)
        for rank in 0..<size {
            Thread.detachNewThread {
                let sums = RankSums<Never>(rank: rank, size: size) { (values: inout [Int64]) throws(Never) in
                    ranks.add(&values)
                }
                let outcome = Swift.Result { try body(sums) }
                results.withLock { $0[rank] = outcome }
                ended.signal()
            }
        }
        for _ in 0..<size { ended.wait() }
        return try results.withLock { $0 }.sorted { $0.key < $1.key }.map { try $0.value.get() }
    }

    /// Ranges of `count` samples, one after the other, some of them empty if that is possible.
    static func ranges(_ count: Int, over ranks: Int) -> [Range<Int>] {
        // Cuts at squares: the first ranks have few.
        let cuts = (0...ranks).map { count * $0 * $0 / (ranks * ranks) }
        return (0..<ranks).map { cuts[$0]..<cuts[$0 + 1] }
    }
}
