import Support

/// The samples of one of several ranks, which are consecutive in the set.
package struct SelectionPart: Sendable {
    /// The number of the first sample in the set.
    package let first: Int
    /// The number of samples of all ranks.
    package let total: Int
    /// The data of this rank's samples; their scores are ``keys``.
    package let input: SelectionInput
    /// The order of their scores; nil if the selection's order needs none.
    package let keys: OrderedKeys?

    /// Makes samples from `first` on.
    package init(first: Int, total: Int, input: SelectionInput, keys: OrderedKeys?) {
        (self.first, self.total, self.input, self.keys) = (first, total, input, keys)
    }
}

/// A sample that is kept.
package struct KeptSample: BitwiseCopyable, Sendable {
    /// Its number in the set.
    package let index: Int64
    /// Its place within its group: by this number, and the lower index wins a tie.
    let key: UInt64
    /// Its cluster and its class, 0 if there are none.
    let cluster: Int32
    let label: Int32
}

/// The samples that one rank keeps of its own.
package struct KeptPart: Sendable {
    /// In rising order of their indices.
    package let samples: [KeptSample]
    /// The groups, which are the same on all ranks.
    private let groups: SpreadGroups
    private let selection: Selection
    private let size: SelectionSize
    private let clusters: Int?
    private let classes: Int?
    /// The number of samples of each cluster over all ranks; empty without a clustering.
    package let clusterSizes: [Int]

    init(
        _ samples: [KeptSample], _ selection: Selection, _ size: SelectionSize, _ groups: SpreadGroups,
        of input: SelectionInput, clusterSizes: [Int]
    ) {
        (self.samples, self.selection, self.size, self.groups) = (samples, selection, size, groups)
        clusters = input.clustering?.k
        classes = input.classes?.count
        self.clusterSizes = clusterSizes
    }

    /// The samples that ``Selection/select(_:from:random:)`` keeps of the whole set.
    /// - Parameter all: the samples that the ranks keep, one rank after the other.
    package func joined(_ all: [KeptSample]) -> KeptSamples {
        keptSamples(ranked(all), of: all, requested: size.count, shortGroups: groups.shortGroups)
    }

    /// The samples that ``Selection/select(within:from:random:)`` keeps of the whole set, and their cost; nil if a sample that
    /// fits may come after these in rank order, so that a larger size has to be tried.
    /// - Parameter all: the samples that the ranks keep, one rank after the other.
    /// - Throws: ``PruningError/nothingFits(budget:least:)``, and an error if costs are missing.
    package func filled(
        _ budget: Budget, from all: [KeptSample]
    ) throws(PruningError) -> (kept: KeptSamples, used: Amount)? {
        let total = groups.counts.reduce(0, +)
        guard budget.costs.count == total else {
            throw .countMismatch(what: "costs", got: budget.costs.count, expected: total)
        }
        let ranked = ranked(all)
        let (kept, used) = Budget(limit: budget.limit, costs: all.map { budget.costs[Int($0.index)] }).fill(ranked)
        if all.count < total {
            var isRanked = [Bool](repeating: false, count: total)
            for sample in all { isRanked[Int(sample.index)] = true }
            let left = budget.limit - used
            if budget.costs.indices.contains(where: { !isRanked[$0] && budget.costs[$0] <= left }) { return nil }
        }
        guard !kept.isEmpty else {
            let least = budget.costs.min() ?? Amount()
            throw .nothingFits(budget: budget.limit.description, least: least.description)
        }
        return (keptSamples(kept, of: all, requested: kept.count, shortGroups: []), used)
    }

    /// The places of samples in rank order.
    private func ranked(_ all: [KeptSample]) -> [Int] {
        var queues = [[Int]](repeating: [], count: groups.counts.count)
        for (place, sample) in all.enumerated() {
            let group = SpreadGroups.group(
                cluster: groups.clusters.map { _ in sample.cluster }, of: groups.clusters,
                class: groups.classes.map { _ in sample.label })
            queues[Int(group)].append(place)
        }
        // Places rise with indices.
        return groups.merged(queues.map { selection.order.rank($0, by: all) })
    }

    private func keptSamples(
        _ ranked: [Int], of all: [KeptSample], requested: Int, shortGroups: [ShortGroup]
    ) -> KeptSamples {
        var perCluster = [Int](repeating: 0, count: clusters ?? 0)
        var perClass = [Int](repeating: 0, count: classes ?? 0)
        for place in ranked {
            if clusters != nil { perCluster[Int(all[place].cluster)] += 1 }
            if classes != nil { perClass[Int(all[place].label)] += 1 }
        }
        return KeptSamples(
            ranked.map { Int(all[$0].index) }, requested: requested, perCluster: perCluster, perClass: perClass,
            shortGroups: shortGroups)
    }
}

extension Order {
    /// Puts the kept samples of a group, by rising place, in its rank order.
    fileprivate func rank(_ places: [Int], by samples: [KeptSample]) -> [Int] {
        if case .all = self { return places }
        let low = places.sorted { (samples[$0].key, $0) < (samples[$1].key, $1) }
        guard case .ends(let easy, let hard) = self else { return low }
        let high = places.sorted { (samples[$1].key, $0) < (samples[$0].key, $1) }
        return Self.fromBothEnds(low: low, high: high, easy: easy, hard: hard)
    }
}

extension Selection {
    /// The option that needs all samples in one process, in words; nil if the samples may be spread over ranks.
    package var unspreadable: String? {
        switch order {
        case .all, .easy, .hard, .random: break
        case .ends: if quota == .article { return "quota article with samples of both ends" }
        case .middle: return "keep middle"
        case .stratified: return "keep stratified"
        case .beta: return "keep beta"
        }
        return balance == .recall ? "balance recall" : nil
    }

    /// The samples that this rank keeps if `size` samples are kept of the set, whose samples are spread over ranks. Together
    /// the ranks keep what ``select(_:from:random:)`` keeps of the whole set, and none needs more than its own part.
    /// Collective; all ranks have the same selection, size and random numbers.
    /// - Throws: ``PruningError`` if inputs are missing, do not fit together or cannot be spread, with indices of the set; and
    ///   what adding over ranks throws.
    package func keep<Fault: Error>(
        _ size: SelectionSize, of part: SelectionPart, random: inout RandomStream, over ranks: RankSums<Fault>
    ) throws -> KeptPart {
        if let words = unspreadable { throw PruningError.needsWholeSet(words) }
        do { try checkGroups(part.input) } catch { throw error.counted(from: part.first) }
        if order.needsScore {
            guard let keys = part.keys, keys.values.count == part.input.count else {
                throw PruningError.scoresMissing(name: score ?? "")
            }
        }
        let work = SpreadWork(selection: self, size: size, part: part, ranks: ranks)
        let (groups, clusterSizes) = try work.groups()
        let samples = try work.keep(groups, random: &random)
        return KeptPart(samples, self, size, groups, of: part.input, clusterSizes: clusterSizes)
    }
}

/// The state of a selection of spread samples.
private struct SpreadWork<Fault: Error> {
    let selection: Selection
    let size: SelectionSize
    let part: SelectionPart
    let ranks: RankSums<Fault>

    private var input: SelectionInput { part.input }
    private var classes: ClassLabels? {
        selection.groups.needClasses || selection.balance != .none ? input.classes : nil
    }
    private var clustering: ClusterAssignment? { selection.groups.needClustering ? input.clustering : nil }

    /// The innermost group of each of this rank's samples.
    private func labels() -> [Int32] {
        (0..<input.count).map { sample in
            SpreadGroups.group(
                cluster: clustering?.labels[sample], of: clustering?.k,
                class: classes.map { Int32($0.labels[sample]) })
        }
    }

    private func counts(_ labels: [Int32], of groups: Int) -> [Int64] {
        var counts = [Int64](repeating: 0, count: groups)
        for label in labels { counts[Int(label)] += 1 }
        return counts
    }

    /// The shares of all groups, and the sizes of all clusters.
    func groups() throws(Fault) -> (SpreadGroups, clusterSizes: [Int]) {
        var sizes = counts(labels(), of: (classes?.count ?? 1) * (clustering?.k ?? 1))
        try ranks.sum(&sizes)
        var clusterSizes = counts(input.clustering?.labels ?? [], of: input.clustering?.k ?? 0)
        try ranks.sum(&clusterSizes)
        let groups = SpreadGroups(
            selection, size, classes: classes?.count, clusters: clustering?.k, counts: sizes.map { Int($0) })
        return (groups, clusterSizes.map { Int($0) })
    }

    func keep(_ groups: SpreadGroups, random: inout RandomStream) throws(Fault) -> [KeptSample] {
        let labels = labels()
        let select = RadixSelect(over: ranks, first: part.first, total: part.total)
        // An order without scores is that of the set, even if there are scores.
        let keys = (selection.order.needsScore ? part.keys : nil) ?? OrderedKeys(count: input.count)
        switch selection.order {
        case .hard:
            let keys = keys.inverted
            return kept(try select.lowest(of: keys, in: labels, quotas: groups.shares), keys)
        case .ends(let easy, let hard):
            let low = groups.shares.map { ($0 * easy + easy + hard - 1) / (easy + hard) }
            var isKept = try select.lowest(of: keys, in: labels, quotas: low)
            // The high end takes from the others: what both ends would take, they take together, by rising index.
            let others = zip(labels, isKept).map { $1 ? -1 : $0 }
            let high = zip(groups.shares, low).map { $0 - $1 }
            let isHigh = try select.lowest(of: keys.inverted, in: others, quotas: high)
            for sample in isKept.indices where isHigh[sample] { isKept[sample] = true }
            return kept(isKept, keys)
        case .random: return try drawn(labels, groups, random: &random)
        default: return kept(try select.lowest(of: keys, in: labels, quotas: groups.shares), keys)
        }
    }

    private func kept(_ isKept: [Bool], _ keys: OrderedKeys) -> [KeptSample] {
        isKept.indices.filter { isKept[$0] }.map { sample(at: $0, key: keys.values[$0]) }
    }

    private func sample(at place: Int, key: UInt64) -> KeptSample {
        KeptSample(
            index: Int64(part.first + place), key: key, cluster: input.clustering?.labels[place] ?? 0,
            label: Int32(input.classes?.labels[place] ?? 0))
    }

    /// Draws from every group as ``Order/random`` does. Every rank shuffles the numbers of a group's members, which takes 8
    /// bytes for each member of the largest group, and keeps its own samples among the first.
    private func drawn(
        _ labels: [Int32], _ groups: SpreadGroups, random: inout RandomStream
    ) throws(Fault) -> [KeptSample] {
        let before = try countsBefore(labels, of: groups.counts.count)
        var members = [[Int]](repeating: [], count: groups.counts.count)
        for (place, label) in labels.enumerated() { members[Int(label)].append(place) }
        var samples: [KeptSample] = []
        for (group, count) in groups.counts.enumerated() {
            var numbers = Array(0..<count)
            random.shuffle(&numbers)
            let own = before[group]..<before[group] + members[group].count
            for (rank, number) in numbers.prefix(groups.shares[group]).enumerated() where own.contains(number) {
                samples.append(sample(at: members[group][number - own.lowerBound], key: UInt64(rank)))
            }
        }
        return samples.sorted { $0.index < $1.index }
    }

    /// The number of members of each group on the ranks before this one.
    private func countsBefore(_ labels: [Int32], of groups: Int) throws(Fault) -> [Int] {
        let own = counts(labels, of: groups)
        var before = [Int](repeating: 0, count: groups)
        for rank in 0..<ranks.size {
            var counts = rank == ranks.rank ? own : [Int64](repeating: 0, count: groups)
            try ranks.sum(&counts)
            if rank < ranks.rank { for group in before.indices { before[group] += Int(counts[group]) } }
        }
        return before
    }
}
