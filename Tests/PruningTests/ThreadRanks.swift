import Pruning
import Ranks

/// Ranks on threads of this process, for tests of what is spread over several.
enum ThreadRanks {
    /// What `body` returns on each of `size` ranks, in their order.
    static func run<Result: Sendable>(
        _ size: Int, _ body: @escaping @Sendable (RankSums<RanksError>) throws -> Result
    ) throws -> [Result] {
        try Communicator.onThreads(size) { ranks in
            let sums = RankSums<RanksError>(rank: ranks.rank, size: ranks.size) {
                (values: inout [Int64]) throws(RanksError) in try ranks.sum(&values)
            }
            return try body(sums)
        }
    }

    /// Ranges of `count` samples, one after the other, some of them empty where that is possible.
    static func ranges(_ count: Int, over ranks: Int) -> [Range<Int>] {
        // Cuts at squares: the first ranks have few.
        let cuts = (0...ranks).map { count * $0 * $0 / (ranks * ranks) }
        return (0..<ranks).map { cuts[$0]..<cuts[$0 + 1] }
    }
}
