import Support
import Testing

@testable import Pruning

@Suite struct RadixSelectTests {
    private enum Kind: CaseIterable {
        case equal, few, noise, extremes
    }

    /// Keys of `count` samples in three groups, of which the last is none.
    private func made(_ count: Int, _ kind: Kind, seed: UInt64) -> (keys: [Float], groups: [Int32]) {
        var random = RandomStream(seed: seed, run: 0, purpose: .testing)
        let extremes: [Float] = [
            -.infinity, .infinity, 0, -0.0, .leastNonzeroMagnitude, -.greatestFiniteMagnitude,
        ]
        let keys = (0..<count).map { sample -> Float in
            switch kind {
            case .equal: 2
            case .few: Float(random.nextIndex(below: 3)) - 1
            case .noise: Float(random.nextUniform(-1, 1))
            case .extremes: extremes[sample % extremes.count]
            }
        }
        return (keys, (0..<count).map { _ in Int32(random.nextIndex(below: 4)) - 1 })
    }

    private func expected(_ keys: [Float], _ groups: [Int32], _ quotas: [Int]) -> [Bool] {
        var isKept = [Bool](repeating: false, count: keys.count)
        for (group, quota) in quotas.enumerated() {
            let members = keys.indices.filter { groups[$0] == Int32(group) }
            for sample in members.sorted(by: { (keys[$0], $0) < (keys[$1], $1) }).prefix(max(0, quota)) {
                isKept[sample] = true
            }
        }
        return isKept
    }

    @Test(arguments: [1, 2, 3, 7], [1, 2, 6, 7, 63, 64, 65, 509])
    func keepsTheLowestOfEachGroup(ranks: Int, count: Int) throws {
        for (seed, kind) in zip(UInt64(1)..., Kind.allCases) {
            let (keys, groups) = made(count, kind, seed: seed)
            let sizes = (0..<3).map { group in groups.count { $0 == group } }
            for quotas in [
                [0, 0, 0], [1, 1, 1], sizes, sizes.map { $0 + 5 }, sizes.map { $0 / 2 }, [0, sizes[1], 1],
                sizes.map { $0 - 1 },
            ] as [[Int]] {
                let expected = expected(keys, groups, quotas)
                for mostCounts in [1, 64, 1 << 22] {
                    let found = try ThreadRanks.run(ranks) { sums in
                        let own = ThreadRanks.ranges(count, over: ranks)[sums.rank]
                        var select = RadixSelect(over: sums, first: own.lowerBound, total: count)
                        select.mostCounts = mostCounts
                        return select.lowest(
                            of: OrderedKeys(Array(keys[own])), in: Array(groups[own]), quotas: quotas)
                    }
                    #expect(found.flatMap { $0 } == expected, "\(kind), \(quotas), \(mostCounts)")
                    if ranks > 1, count > 64 { break }
                }
            }
        }
    }

    @Test func keysAreInTheOrderOfScores() {
        let floats: [Float] = [
            -.infinity, -.greatestFiniteMagnitude, -1, -.leastNonzeroMagnitude, 0, .leastNonzeroMagnitude, 1.5,
            .greatestFiniteMagnitude, .infinity,
        ]
        for keys in [OrderedKeys(floats), OrderedKeys(floats.map { Double($0) })] {
            #expect(zip(keys.values, keys.values.dropFirst()).allSatisfy { $0 < $1 })
            let inverted = keys.inverted
            #expect(inverted.bits == keys.bits)
            #expect(zip(inverted.values, inverted.values.dropFirst()).allSatisfy { $0 > $1 })
        }
        #expect(OrderedKeys(floats).values.allSatisfy { $0 >> 32 == 0 })
        let integers: [Int64] = [.min, -1, 0, 1, 1 << 53, 1 << 53 + 1, .max]
        let keys = OrderedKeys(integers).values
        #expect(zip(keys, keys.dropFirst()).allSatisfy { $0 < $1 })
        #expect(OrderedKeys([0, -0.0] as [Float]).values[0] == OrderedKeys([-0.0] as [Float]).values[0])
        #expect(OrderedKeys([-0.0] as [Double]).values == OrderedKeys([0] as [Double]).values)
    }

    /// Keys that differ only in their highest or their lowest bit, and numbers of samples with the highest bits set.
    @Test func allBitsCount() {
        let alone = RankSums<Never>(rank: 0, size: 1) { (_: inout [Int64]) throws(Never) in }
        let scores: [Int64] = [Int64.max, Int64.min, Int64.max - 1, Int64.min + 1, 0, Int64.min]
        let keys = OrderedKeys(scores)
        let select = RadixSelect(over: alone, first: 1 << 61, total: 1 << 61 + 6)
        for (quota, expected) in [(1, [1]), (2, [1, 5]), (3, [1, 3, 5]), (5, [1, 2, 3, 4, 5])] {
            let isKept = select.lowest(of: keys, in: [0, 0, 0, 0, 0, 0], quotas: [quota])
            #expect(isKept.indices.filter { isKept[$0] } == expected)
        }
    }
}
