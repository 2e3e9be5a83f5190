import Compute
import Support
import Testing

@testable import Networks
import TestSupport

@Suite struct RepeatedSamplingTests {
    /// The first `epochs` blocks by another way: positions of one long list of shuffles.
    private func blocks(_ samples: [Int], size: Int, seed: UInt64, run: Int, epochs: Int) -> [[Int]] {
        var random = RandomStream(seed: seed, run: run, purpose: .selection)
        let perShuffle = samples.count / size
        var shuffles: [[Int]] = []
        while shuffles.count * perShuffle < epochs {
            var order = samples
            random.shuffle(&order)
            shuffles.append(order)
        }
        return (0..<epochs).map { epoch in
            (0..<size).map { shuffles[epoch / perShuffle][epoch % perShuffle * size + $0] }
        }
    }

    @Test(arguments: [(1, 1), (7, 7), (10, 3), (10, 6), (13, 1), (90, 20), (101, 50)])
    func epochsAreBlocksOfShuffles(count: Int, size: Int) {
        let samples = (0..<count).map { 3 * $0 + 1 }
        let sampling = RepeatedSampling(of: samples, size: size, seed: 5, run: 2)
        let epochs = Array(sampling.prefix(3 * (count / size) + 1))
        #expect(epochs == blocks(samples, size: size, seed: 5, run: 2, epochs: epochs.count))
        for first in stride(from: 0, to: epochs.count - 1, by: count / size) {
            let shuffle = epochs[first..<first + count / size].joined()
            #expect(Set(shuffle).count == count / size * size && Set(shuffle).isSubset(of: samples))
        }
        if count > 9 {
            #expect(epochs.first != Array(RepeatedSampling(of: samples, size: size, seed: 5, run: 3).prefix(1))[0])
        }
    }

    private static let samples = (0..<200).map { 3 * $0 + 1 }
    /// 70 of 200: two blocks of a shuffle, in epochs of four batches.
    private func run(_ run: Int, resamples: Bool = true) -> TrainingRun {
        let sampling = RepeatedSampling(of: Self.samples, size: 70, seed: 3, run: run)
        return TrainingRun(
            subset: Array(sampling.prefix(1).joined()), resampling: resamples ? sampling : nil, seed: 3, run: run)
    }

    private func trainer(_ name: String) throws -> Trainer {
        let backend = try TestBackends.make(name)
        return Trainer(
            try Fixture.store(on: backend), model: ModelLibrary.model("linear") ?? ModelLibrary.leNet5,
            normalisation: try Fixture.expected().normalisation, on: backend)
    }

    /// What is trained on, as the device recorded it, is each epoch's block; of the last one the half that is left.
    @Test(arguments: TestBackends.names) func everyEpochTrainsOnItsBlock(name: String) throws {
        let trainer = try trainer(name)
        let options = TrainingOptions(length: .steps(18), batchSize: 20)
        let runs = [run(0), run(1, resamples: false), run(1)]
        var trained = [[Set<Int>]](repeating: [], count: 3)
        let watched = try trainer.train(
            runs, options: options,
            record: { epoch in
                let samples = epoch.probability.indices.filter { !epoch.probability[$0].isNaN }
                trained[epoch.run].append(Set(samples))
            })
        for (index, run) in [(0, 0), (2, 1)] {
            let blocks = blocks(Self.samples, size: 70, seed: 3, run: run, epochs: 5).map(Set.init)
            #expect(Array(trained[index].dropLast()) == Array(blocks.dropLast()))
            #expect(trained[index][4].count == 40 && trained[index][4].isSubset(of: blocks[4]))
            let all = trained[index].reduce(into: Set<Int>()) { $0.formUnion($1) }
            let seen = try #require(watched.seen[index])
            #expect(Set(seen) == all && seen.count == all.count && seen.count > 140)
            // In the order of first sight.
            #expect(Set(seen.prefix(70)) == blocks[0] && Set(seen[70..<140]) == blocks[1])
        }
        #expect(trained[1].dropLast().allSatisfy { $0 == trained[2][0] })
        #expect(watched.seen[1] == nil)
        // Without a look between epochs all orders are drawn at once, and runs do not depend on their company.
        let plain = try trainer.train(runs, options: options)
        #expect(plain.weights == watched.weights && plain.seen == watched.seen && plain.losses == watched.losses)
        let alone = try trainer.train([runs[2]], options: options)
        #expect(alone.weights[0] == plain.weights[2] && alone.seen == [plain.seen[2]])
        #expect(plain.weights[1] != plain.weights[2])
        // One epoch is one of random samples, bit for bit; a part of it has seen no more than that part.
        let short = try trainer.train(runs, options: TrainingOptions(length: .steps(4), batchSize: 20))
        #expect(short.weights[1] == short.weights[2] && short.seen[2]?.count == 70)
        let part = try trainer.train(runs, options: TrainingOptions(length: .steps(3), batchSize: 20))
        #expect(part.seen.map { $0?.count } == [60, nil, 60])
    }

    @Test func whatDoesNotFitIsRefused() throws {
        let trainer = try trainer("cpu")
        func reason(_ sampling: RepeatedSampling) -> String {
            do {
                _ = try trainer.train(
                    [TrainingRun(subset: [1, 2, 3], resampling: sampling, seed: 1, run: 0)],
                    options: TrainingOptions(length: .epochs(1)))
                return ""
            } catch { return "\(error)" }
        }
        func sampling(_ samples: [Int], _ size: Int) -> RepeatedSampling {
            RepeatedSampling(of: samples, size: size, seed: 1, run: 0)
        }
        #expect(reason(sampling([1, 2, 3, 4], 2)).contains("epochs of 2 samples out of 4"))
        #expect(reason(sampling([1, 2], 3)).contains("epochs of 3 samples out of 2"))
        #expect(reason(sampling([1, 2, 600], 3)).contains("index 600 is outside the 600 training images"))
        #expect(reason(sampling([1, 2, 599], 3)).isEmpty)
    }
}
