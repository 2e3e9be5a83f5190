import Compute
import Testing

@testable import Clustering
import Support
import TestSupport

/// PCA where there are fewer rows than columns.
@Suite struct GramTests {
    /// Five rows that lie in two planned directions, each column far from 0 with `offset`.
    private func planned(_ offset: Double) -> (values: [Double], directions: [[Double]]) {
        let dimensions = 400
        // Orthogonal: one is even under a shift by half the columns, the other odd.
        let even: [Double] = (0..<dimensions).map { Double($0 % 200 % 7) - 3 }
        let odd: [Double] = (0..<dimensions).map { column in
            let value = Double(column % 200 % 5) - 2
            return column < 200 ? value : -value
        }
        func unit(_ vector: [Double]) -> [Double] {
            let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return vector.map { $0 / length }
        }
        let (a, b) = (unit(even), unit(odd))
        // Scores with mean 0, orthogonal to each other: variances 40 and 2.5.
        let scores: [(Double, Double)] = [(8, -1), (-8, -1), (4, 2), (-4, 2), (0, -2)]
        let values: [Double] = scores.flatMap { score -> [Double] in
            (0..<dimensions).map { column -> Double in offset + score.0 * a[column] + score.1 * b[column] }
        }
        return (values, [a, b])
    }

    @Test(arguments: TestBackends.names, [0, 100.0]) func findsThePlannedDirections(
        name: String, offset: Double
    ) throws {
        let backend = try TestBackends.make(name)
        let (values, directions) = planned(offset)
        let matrix = try FeatureMatrix(reader: StoredArray(values, dimensions: 400), count: 5, dimensions: 400)
        let pca = try PCA.fit(matrix, components: 5, on: backend)
        for (found, due) in zip(pca.explainedVariance, [40, 3.5]) { #expect(abs(found - due) < 1e-4 * due) }
        #expect(pca.explainedVariance[2...].allSatisfy { $0 < 1e-6 })
        #expect(abs(pca.totalVariance - 43.5) < 1e-3)
        for (component, direction) in directions.enumerated() {
            let row = pca.components[component * 400..<(component + 1) * 400]
            // Loadings of both signs share the largest magnitude here, to rounding.
            #expect((row.max() ?? 0) > (1 - 1e-5) * -(row.min() ?? 0))
            let dot = zip(row, direction).reduce(0) { $0 + Double($1.0) * $1.1 }
            #expect(abs(abs(dot) - 1) < 1e-6, "component \(component)")
        }
        // The others are any that complete them.
        for a in 0..<5 {
            for b in 0...a {
                let dot = (0..<400).reduce(0.0) {
                    $0 + Double(pca.components[a * 400 + $1]) * Double(pca.components[b * 400 + $1])
                }
                #expect(abs(dot - (a == b ? 1 : 0)) < 1e-5, "components \(a) and \(b)")
            }
        }
        let points = try plain(pca.project(matrix, on: backend), on: backend)
        #expect(abs(abs(points[0]) - 8) < 1e-4 && abs(abs(points[5 * 4 + 1]) - 2) < 1e-4)
    }

    /// The same eigenpairs as the covariance's, which the other way finds when rows are repeated.
    @Test(arguments: TestBackends.names, [true, false]) func agreesWithTheCovariance(name: String, isBytes: Bool) throws
    {
        let backend = try TestBackends.make(name)
        var random = RandomStream(seed: 4, run: 0, purpose: .testing)
        let (count, dimensions, components) = (20, 30, 6)
        let bytes = (0..<count * dimensions).map { UInt8((random.nextIndex(below: 200) * ($0 % 5 + 1)) / 5) }
        func fit(_ bytes: [UInt8]) throws -> PCA {
            let rows = bytes.count / dimensions
            let matrix =
                isBytes
                ? try FeatureMatrix(bytes: bytes, count: rows, dimensions: dimensions)
                : try FeatureMatrix(floats: bytes.map { Float($0) }, count: rows, dimensions: dimensions)
            return try PCA.fit(matrix, components: components, on: backend)
        }
        let (few, many) = (try fit(bytes), try fit(bytes + bytes))
        for column in 0..<dimensions { #expect(abs(few.mean[column] - many.mean[column]) < 1e-4) }
        // Divisors count - 1: 19 and 39.
        for (a, b) in zip(few.explainedVariance, many.explainedVariance) {
            #expect(abs(a * 19 * 2 / (b * 39) - 1) < 1e-5)
        }
        #expect(relativeError(few.components, many.components) < (isBytes ? 1e-6 : 1e-3))
        #expect(abs(few.totalVariance * 19 * 2 / (many.totalVariance * 39) - 1) < 1e-5)
    }

    @Test(arguments: TestBackends.names) func rowsThatAreEqualHaveNoVariance(name: String) throws {
        let backend = try TestBackends.make(name)
        for isBytes in [true, false] {
            let matrix =
                isBytes
                ? try FeatureMatrix(bytes: [UInt8](repeating: 9, count: 60), count: 3, dimensions: 20)
                : try FeatureMatrix(floats: [Float](repeating: 0.1, count: 60), count: 3, dimensions: 20)
            let pca = try PCA.fit(matrix, components: 3, on: backend)
            #expect(pca.explainedVariance == [0, 0, 0] && pca.explainedVarianceRatio == [0, 0, 0])
            #expect(pca.components.allSatisfy { $0.isFinite })
            #expect(try plain(pca.project(matrix, on: backend), on: backend).allSatisfy { abs($0) < 1e-6 })
        }
    }

    /// 60 images of 224x224 ask for little, as many rows as columns of that for more than a machine has.
    @Test func memoryFollowsTheSmallerExtent() throws {
        let wide = FeatureMatrix(unchecked: StoredArray([UInt8](), dimensions: 1), count: 60, dimensions: 50_176)
        #expect(PCA.memory(of: wide, components: 50) < 200 << 20)
        let square = FeatureMatrix(
            unchecked: StoredArray([UInt8](), dimensions: 1), count: 1 << 20, dimensions: 1 << 20)
        do {
            _ = try PCA.fit(square, components: 5, on: CPUBackend())
            Issue.record("nothing was thrown")
        } catch {
            #expect(error.category == .unavailable, "\(error)")
            for word in ["1048576 samples of 1048576 features", "needs", "leaves"] {
                #expect(error.description.contains(word), "\(error)")
            }
        }
    }
}
