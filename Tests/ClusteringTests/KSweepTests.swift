import Compute
import Testing

@testable import Clustering
import Support
import TestSupport

@Suite struct KSweepTests {
    @Test func grids() {
        #expect(KSweep.range(of: 3) == 2...2)
        #expect(KSweep.range(of: 60_000) == 2...244)
        #expect(KSweep.range(of: 100_000_000) == 2...1000)
        #expect(KSweep.grid(2...14, withEnds: false) == Array(2...14))
        #expect(
            KSweep.grid(2...244, withEnds: false) == [
                2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 20, 25, 32, 40, 50, 63, 80, 100, 120, 160, 200,
            ])
        #expect(KSweep.grid(70...170, withEnds: true) == [70, 80, 100, 120, 160, 170])
        #expect(KSweep.grid(33...49, withEnds: true) == Array(33...49))
        #expect(KSweep.grid(5...5, withEnds: true) == [5])
        let large = KSweep.grid(2...20_000, withEnds: true)
        #expect(large.last == 20_000 && zip(large, large.dropFirst()).allSatisfy { Double($1) <= 1.5 * Double($0) })
    }

    @Test(arguments: TestBackends.names) func plantedGroupsStandOut(name: String) throws {
        let backend = try TestBackends.make(name)
        let blobs = Blobs(count: 660, dimensions: 5, groups: 11, seed: 2)
        let matrix = try FeatureMatrix(floats: blobs.values, count: 660, dimensions: 5)
        let ks = [2, 5, 10, 11, 12, 20]
        let kind = KMeans.Kind.lloyd(iterations: 100)
        func sweep(_ source: PointSource, _ progress: @escaping (Int, Int) -> Void = { _, _ in }) throws -> KSweep {
            try KSweep.run(ks: ks, kind: kind, start: .plusPlus, seed: 7, source: source, on: backend) { done, all, _ in
                progress(done, all)
            }
        }
        var reached: [Int] = []
        let largest = KMeans(k: 20, kind: kind, seed: 7)
        let source = try largest.source(of: matrix, on: backend)
        let found = try sweep(source) { done, all in
            #expect(all == 120)
            reached.append(done)
        }
        #expect(reached.last == 120 && reached == reached.sorted())
        #expect(found.steps.map(\.k) == ks && found.scored == 660 && found.compared == 660)
        let choice = try #require(found.choose())
        #expect(choice.k == 11 && choice.standsOut && choice.structure == .strong && choice.similar.isEmpty)
        #expect(choice.stability == 1 && choice.leastStability == 0.8)
        for step in found.steps {
            // What a clustering with that number alone has.
            let alone = try KMeans(k: step.k, kind: kind, seed: 7).fit(source, on: backend)
            #expect(step.inertia == alone.inertia && step.iterations == alone.iterations)
            let other = try KMeans(k: step.k, kind: kind, seed: 7, run: 1).fit(source, on: backend)
            #expect(step.stability == adjustedRandIndex(alone.labels, other.labels, k: step.k))
        }
        // Brought piece by piece, and once more: the same bits.
        let unit = ClusteringMemory(matrix: matrix, components: nil, kmeans: largest).pieceUnit
        for again in [PointSource(streaming: matrix, through: nil, pieceCount: unit), source] {
            let twin = try sweep(again)
            #expect(twin.steps.map(\.silhouettes) == found.steps.map(\.silhouettes))
            #expect(twin.steps.map(\.inertia) == found.steps.map(\.inertia))
            #expect(twin.steps.map(\.stability) == found.steps.map(\.stability))
        }
    }

    @Test func noiseDoesNotStandOutAndEqualPointsHaveNoChoice() throws {
        let backend = CPUBackend()
        func choice(_ values: [Float], _ count: Int, _ ks: [Int]) throws -> KChoice? {
            let matrix = try FeatureMatrix(floats: values, count: count, dimensions: values.count / count)
            let source = try KMeans(k: ks[ks.count - 1], kind: .miniBatch()).source(of: matrix, on: backend)
            return try KSweep.run(
                ks: ks, kind: .miniBatch(), start: .plusPlus, seed: 1, source: source, on: backend
            ).choose()
        }
        let noise = try #require(try choice(uniform(900, 12, seed: 5), 900, [2, 4, 8, 16]))
        #expect(!noise.standsOut && noise.structure == .none)
        #expect(try choice([Float](repeating: 3, count: 60), 30, [2, 3, 5]) == nil)
        let alone = try #require(try choice([0, 1, 9], 3, [2]))
        #expect(alone.k == 2 && !alone.standsOut && !alone.hasOthers)
        // Three places of ten points each: more clusters stay empty, and are not what is meant by k.
        let places = (0..<30).flatMap { point -> [Float] in [Float(point % 3) * 10, 0] }
        let three = try #require(try choice(places, 30, [2, 3, 4, 5]))
        #expect(three.k == 3 && three.silhouette == 1 && three.similar.isEmpty)
    }

    /// Steps with these measures; silhouettes are the mean plus and minus `spread` in turns.
    private func sweep(_ rows: [(k: Int, silhouette: Double, stability: Double)], spread: Float = 0.1) -> KSweep {
        KSweep(
            steps: rows.map { row in
                KSweep.Step(
                    k: row.k, inertia: 1 / Double(row.k),
                    silhouettes: (0..<100).map { Float(row.silhouette) + ($0 % 2 == row.k % 2 ? spread : -spread) },
                    stability: row.stability, emptyClusters: 0, iterations: 1, seconds: 0)
            }, scored: 100, compared: 100, seconds: 0)
    }

    @Test func theHighestSilhouetteOfTheStableOnesIsChosen() throws {
        // The best silhouette of all is not stable.
        let choice = try #require(sweep([(2, 0.3, 1), (3, 0.6, 0.85), (5, 0.8, 0.79)]).choose())
        #expect(choice.k == 3 && choice.eligible == [2, 3] && choice.similar.isEmpty)
        // 3 is chosen without a claim to be the best: with better starts, 5 might be stable.
        #expect(choice.rivals == [5] && !choice.standsOut)
        #expect(try #require(sweep([(2, 0.3, 1), (3, 0.6, 0.85), (5, 0.4, 0.79)]).choose()).standsOut)
        #expect(choice.structure == .reasonable)
        // Stability is held against the best there is, and is said to be poor.
        let poor = try #require(sweep([(2, 0.3, 0.5), (3, 0.6, 0.35), (5, 0.8, 0.29)]).choose())
        #expect(poor.k == 3 && !poor.isStable && !poor.standsOut)
        // Of equal ones the smallest.
        #expect(sweep([(4, 0.6, 1), (6, 0.6, 1), (2, 0.1, 1)]).choose()?.k == 4)
    }

    @Test func whatIsWithinTwoStandardErrorsIsSimilar() throws {
        // Differences of 0.2 and -0.2 about the difference of the means: a standard error of 0.0201 over 100 points.
        let near = try #require(sweep([(2, 0.6, 1), (3, 0.561, 1), (5, 0.559, 1)]).choose())
        #expect(near.k == 2 && near.similar == [3] && !near.standsOut)
        // Even k have their silhouettes in step.
        let told = try #require(sweep([(2, 0.6, 1), (4, 0.599, 1)]).choose())
        #expect(told.similar.isEmpty && told.standsOut)
        #expect([0.25, 0.26, 0.51, 0.71].map { KChoice.Structure($0) } == [.none, .weak, .reasonable, .strong])
    }

    @Test func memoryHoldsLabelsAndComparedRows() {
        let memory = KSweep.memory(count: 1_000_000, columns: 768, dimensions: 50, ks: 20)
        // Labels of two clusterings and their order, and 10,000 rows with a label per number.
        #expect(memory > 3 * 4_000_000 + 10_000 * 70 * 4 && memory < 64 << 20)
    }
}
