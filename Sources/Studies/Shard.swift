import Datasets
import Support

/// One of several equal parts of a study, each for a process of its own.
package struct Shard: Hashable, Sendable, CustomStringConvertible {
    /// The largest number of parts that is accepted.
    package static let mostShards = 1000

    /// Which part, from 1.
    package let index: Int
    /// How many parts there are.
    package let count: Int

    /// A part written as `i/n`, i from 1 to n and n from 1 to ``mostShards``.
    /// - Throws: ``Sentence`` that says what is accepted.
    package init(written text: String) throws(Sentence) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let accepted = ShardRequest.accepted
        var reason = ""
        do throws(Sentence) {
            if parts.count == 2 {
                let index = try DecimalNumber.whole(String(parts[0]), in: 1...Self.mostShards)
                let count = try DecimalNumber.whole(String(parts[1]), in: 1...Self.mostShards)
                if let shard = Shard(index: index, count: count) {
                    self = shard
                    return
                }
                reason = ": there is no part \(index) of \(count)"
            }
        } catch {
            reason = ": \(error)"
        }
        throw Sentence(accepted + reason)
    }

    /// A part written as `i/n`; nil unless i is from 1 to n, and n from 1 to ``mostShards``.
    package init?(_ text: String) {
        guard let shard = try? Shard(written: text) else { return nil }
        self = shard
    }

    init?(index: Int, count: Int) {
        guard (1...Self.mostShards).contains(count), (1...count).contains(index) else { return nil }
        self.index = index
        self.count = count
    }

    package var description: String { "\(index)/\(count)" }

    /// The part in names of files.
    var fileName: String { "\(index)-of-\(count)" }

    /// The part that a file is named after, in its place between `prefix` and `suffix`.
    init?(file name: String, prefix: String, suffix: String) {
        guard name.hasPrefix(prefix), name.hasSuffix(suffix), name.count > prefix.count + suffix.count,
            let match = name.dropFirst(prefix.count).dropLast(suffix.count)
                .wholeMatch(of: /([0-9]{1,4})-of-([0-9]{1,4})/)
        else { return nil }
        self.init(index: Int(match.1) ?? 0, count: Int(match.2) ?? 0)
    }
}

extension StudyPlan {
    /// The runs of one shard, in the plan's order. The shards of one count have every run once between them, and no
    /// two differ by more trained images than the dearest run has.
    ///
    /// Which runs these are depends on the plan alone, not on what is finished. The dearest runs are given out first,
    /// each to the shard with the least so far; of runs that cost the same a shard gets neighbours by run number, so
    /// that few clusterings are needed by more than one shard.
    package func runs(of shard: Shard) -> [PlannedRun] {
        let costs = experiments.map { $0.recipe.images(kept: $0.size) }
        let byCost = Dictionary(grouping: runs) { costs[$0.experimentID - 1] }
        var loads = [Int](repeating: 0, count: shard.count)
        var mine: [PlannedRun] = []
        for cost in byCost.keys.sorted(by: >) {
            let equals = (byCost[cost] ?? []).sorted { ($0.run, $0.experimentID) < ($1.run, $1.experimentID) }
            var shares = [Int](repeating: 0, count: shard.count)
            for _ in equals {
                var least = 0
                for index in loads.indices where loads[index] < loads[least] { least = index }
                loads[least] += cost
                shares[least] += 1
            }
            let start = shares[..<(shard.index - 1)].reduce(0, +)
            mine += equals[start..<start + shares[shard.index - 1]]
        }
        return mine.sorted { ($0.experimentID, $0.run) < ($1.experimentID, $1.run) }
    }
}
