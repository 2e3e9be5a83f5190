import Compute
import Testing

@testable import Clustering
import Support
import TestSupport

/// What PCA must do whatever the data.
@Suite struct PCATests {
    private func matrix(_ count: Int, _ dimensions: Int, seed: UInt64) throws -> FeatureMatrix {
        var random = RandomStream(seed: seed, run: 2, purpose: .testing)
        let values = (0..<count * dimensions).map { element in
            Float(random.nextUniform(-1, 1) * (1 + Double(element % dimensions)) + 50)
        }
        return try FeatureMatrix(floats: values, count: count, dimensions: dimensions)
    }

    @Test(arguments: TestBackends.names) func componentsAreOrthonormalWithTheLargestLoadingPositive(
        name: String
    ) throws {
        let backend = try TestBackends.make(name)
        for (count, d, c) in [(300, 7, 7), (2500, 61, 10), (33, 130, 20), (2, 3, 2), (5, 1, 1)] {
            let pca = try PCA.fit(try matrix(count, d, seed: UInt64(d)), components: c, on: backend)
            #expect(pca.count == c && pca.dimensions == d && pca.components.count == c * d)
            for a in 0..<c {
                let row = pca.components[a * d..<(a + 1) * d]
                #expect((row.max { abs($0) < abs($1) } ?? 0) > 0, "component \(a)")
                for b in 0...a {
                    let dot = zip(row, pca.components[b * d..<(b + 1) * d]).reduce(0.0) {
                        $0 + Double($1.0) * Double($1.1)
                    }
                    #expect(abs(dot - (a == b ? 1 : 0)) < 1e-5, "components \(a) and \(b)")
                }
            }
            #expect(pca.explainedVariance == pca.explainedVariance.sorted(by: >))
            #expect(pca.explainedVarianceRatio.reduce(0, +) <= 1 + 1e-6)
        }
    }

    /// Moments are the mean and the variance of a PCA, without its eigenproblem; pieces of rows follow each other.
    @Test func columnMomentsAreThoseOfTheComponents() throws {
        let backend = CPUBackend()
        let bytes = (0..<90).map { UInt8($0 * 37 % 251) }
        for rows in [
            try matrix(300, 7, seed: 3), try matrix(9000, 61, seed: 4), try matrix(5, 1, seed: 5),
            try FeatureMatrix(bytes: bytes, count: 30, dimensions: 3),
        ] {
            let pca = try PCA.fit(rows, components: 1, on: backend)
            let moments = try rows.columnMoments()
            #expect(moments.count == rows.count)
            for (mean, expected) in zip(moments.means, pca.mean) { #expect(abs(mean - expected) < 1e-4) }
            let variance = moments.squaredDistances / Double(rows.count - 1)
            #expect(abs(variance / pca.totalVariance - 1) < 1e-4, "\(rows.count) x \(rows.dimensions)")
        }
    }

    /// Sums of bytes leave 32 bits behind every 131,072 rows, and the last of what comes then is shorter.
    @Test(arguments: TestBackends.names, [131_071, 131_073, 140_000]) func manyRowsOfBytes(name: String, count: Int)
        throws
    {
        let backend = try TestBackends.make(name)
        let d = 3
        var random = RandomStream(seed: 9, run: 0, purpose: .testing)
        let bytes = (0..<count * d).map { element in
            // Columns of other means, the second like the first.
            UInt8(truncatingIfNeeded: 20 * (element % d) + Int(random.nextUniform(0, 100)))
        }
        let found = try PCA.fit(FeatureMatrix(bytes: bytes, count: count, dimensions: d), components: d, on: backend)
        for column in 0..<d {
            let mean = (0..<count).reduce(0.0) { $0 + Double(bytes[$1 * d + column]) } / Double(count)
            #expect(abs(Double(found.mean[column]) - mean) < 1e-4)
        }
        let floats = try FeatureMatrix(floats: bytes.map(Float.init), count: count, dimensions: d)
        let expected = try PCA.fit(floats, components: d, on: CPUBackend())
        for (a, b) in zip(found.explainedVariance, expected.explainedVariance) { #expect(abs(a / b - 1) < 1e-4) }
    }

    /// Projections have mean zero and the explained variances, and with all components every distance stays.
    @Test(arguments: TestBackends.names) func projectionsHaveTheVariancesAndKeepDistances(name: String) throws {
        let backend = try TestBackends.make(name)
        let (count, d) = (400, 9)
        let rows = try matrix(count, d, seed: 1)
        let pca = try PCA.fit(rows, components: d, on: backend)
        let projected = try plain(pca.project(rows, on: backend), on: backend)
        for component in 0..<d {
            let column = (0..<count).map { Double(projected[$0 * d + component]) }
            let mean = column.reduce(0, +) / Double(count)
            let variance = column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count - 1)
            #expect(abs(mean) < 1e-4)
            #expect(abs(variance / pca.explainedVariance[component] - 1) < 1e-5)
        }
        #expect(abs(pca.explainedVarianceRatio.reduce(0, +) - 1) < 1e-6)
        guard case .floats(let values) = rows.storage else { return }
        for point in 1..<count {
            let before = squaredDistance(values[..<d], values[point * d..<(point + 1) * d])
            let after = squaredDistance(projected[..<d], projected[point * d..<(point + 1) * d])
            #expect(abs(after / before - 1) < 1e-4)
        }
    }

    /// Columns that never change, as the corners of images, get no loading and change nothing for the others.
    @Test(arguments: TestBackends.names) func columnsThatDoNotVaryAreLeftOut(name: String) throws {
        let backend = try TestBackends.make(name)
        let (count, d, c) = (300, 13, 5)
        var random = RandomStream(seed: 3, run: 0, purpose: .testing)
        let bytes = (0..<count * d).map { _ in UInt8(random.nextIndex(below: 256)) }
        // Before each column one of zeros, after it one of 255 and one of 7.
        let wide = bytes.flatMap { [0, $0, 255, 7] as [UInt8] }
        for isBytes in [true, false] {
            func fit(_ values: [UInt8], _ dimensions: Int) throws -> (pca: PCA, points: [Float]) {
                let matrix =
                    isBytes
                    ? try FeatureMatrix(bytes: values, count: count, dimensions: dimensions)
                    : try FeatureMatrix(floats: values.map { Float($0) }, count: count, dimensions: dimensions)
                let pca = try PCA.fit(matrix, components: c, on: backend)
                return (pca, try plain(pca.project(matrix, on: backend), on: backend))
            }
            let (narrow, narrowPoints) = try fit(bytes, d)
            let (found, points) = try fit(wide, 4 * d)
            for component in 0..<c {
                let row = found.components[component * 4 * d..<(component + 1) * 4 * d]
                for (column, value) in zip(0..<4 * d, row) where column % 4 != 1 {
                    #expect(value == 0, "component \(component), column \(column)")
                }
                let kept = stride(from: 1, to: 4 * d, by: 4).map { found.components[component * 4 * d + $0] }
                #expect(relativeError(kept, Array(narrow.components[component * d..<(component + 1) * d])) < 1e-5)
            }
            #expect(relativeError(points, narrowPoints) < 1e-5)
            #expect(abs(found.totalVariance / narrow.totalVariance - 1) < 1e-12)
        }
    }

    @Test(arguments: TestBackends.names) func rowsWithoutVarianceHaveComponentsButNoShares(name: String) throws {
        let backend = try TestBackends.make(name)
        let rows = try FeatureMatrix(bytes: [UInt8](repeating: 77, count: 60), count: 20, dimensions: 3)
        let pca = try PCA.fit(rows, components: 2, on: backend)
        #expect(pca.mean == [77, 77, 77])
        #expect(pca.explainedVariance == [0, 0])
        #expect(pca.explainedVarianceRatio == [0, 0])
        #expect(try plain(pca.project(rows, on: backend), on: backend).allSatisfy { $0 == 0 })
    }

    /// Bytes are summed exactly: their mean and covariance are those of whole numbers, on every device the same bits.
    @Test(arguments: TestBackends.names) func bytesGiveTheSameBitsEverywhere(name: String) throws {
        let rows = try fixtureMatrix("pixels")
        let here = try PCA.fit(rows, components: 12, on: TestBackends.make(name))
        let there = try PCA.fit(rows, components: 12, on: CPUBackend())
        #expect(here.mean == there.mean)
        #expect(here.components == there.components)
        #expect(here.explainedVariance == there.explainedVariance)
    }
}
