import Compute
import Support
import Testing

@testable import Clustering
import TestSupport

/// Input that cannot be clustered: a sentence that says what would be accepted, and the exit code.
@Suite struct ClusteringErrorTests {
    private let backend = CPUBackend()

    private func points(_ count: Int) throws -> Points {
        try FeatureMatrix(floats: (0..<count * 2).map { Float($0) }, count: count, dimensions: 2).points(on: backend)
    }

    private func expect<Result>(
        _ category: ErrorCategory, _ words: [String], sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () throws(ClusteringError) -> Result
    ) {
        do throws(ClusteringError) {
            _ = try body()
            Issue.record("nothing was thrown", sourceLocation: sourceLocation)
        } catch {
            #expect(error.category == category, sourceLocation: sourceLocation)
            for word in words {
                #expect(
                    error.description.contains(word), "\(error.description) lacks \(word)",
                    sourceLocation: sourceLocation)
            }
        }
    }

    @Test func kBeyondThePoints() throws {
        let points = try points(5)
        for kind in [KMeans.Kind.lloyd(iterations: 3), .miniBatch()] {
            expect(.badData, ["k is 6", "5 points", "1 to 5"]) { () throws(ClusteringError) in
                try KMeans(k: 6, kind: kind).fit(points, on: backend)
            }
            for k in [0, -1] {
                expect(.usage, ["k is \(k)", "1 to 5"]) { () throws(ClusteringError) in
                    try KMeans(k: k, kind: kind).fit(points, on: backend)
                }
            }
        }
    }

    @Test func settingsOutOfRange() throws {
        let points = try points(5)
        var batch = KMeans.MiniBatch()
        batch.batch = 0
        var ratio = KMeans.MiniBatch()
        ratio.reassignmentRatio = 1.5
        let kinds: [(KMeans.Kind, String)] = [
            (.lloyd(iterations: -1), "iterations is -1; 0 or more"),
            (.lloyd(iterations: 1, tolerance: -1), "tolerance is -1.0; 0 or more"),
            (.lloyd(iterations: 1, tolerance: .nan), "tolerance is nan; 0 or more"),
            (.miniBatch(batch), "1 or more"), (.miniBatch(ratio), "reassignment ratio is 1.5; 0 to 1"),
        ]
        for (kind, words) in kinds {
            expect(.usage, [words]) { () throws(ClusteringError) in
                try KMeans(k: 2, kind: kind).fit(points, on: backend)
            }
        }
    }

    @Test func aStartThatDoesNotFit() throws {
        let points = try points(5)
        expect(.badData, ["5 elements", "2 rows and 2 columns"]) { () throws(ClusteringError) in
            try KMeans(k: 2, kind: .lloyd(iterations: 3), start: .given([1, 2, 3, 4, 5])).fit(points, on: backend)
        }
        expect(.badData, ["row 1, column 0", "finite"]) { () throws(ClusteringError) in
            try KMeans(k: 2, kind: .lloyd(iterations: 3), start: .given([1, 2, .nan, 4])).fit(points, on: backend)
        }
    }

    @Test func matricesThatAreNone() {
        expect(.badData, ["row 1, column 2", "finite"]) { () throws(ClusteringError) in
            try FeatureMatrix(floats: [1, 2, 3, 4, 5, .nan], count: 2, dimensions: 3)
        }
        expect(.badData, ["row 0, column 0"]) { () throws(ClusteringError) in
            try FeatureMatrix(floats: [-.infinity], count: 1, dimensions: 1)
        }
        for (elements, count, dimensions) in [(5, 2, 3), (7, 2, 3), (0, 0, 3), (0, 3, 0), (0, -1, 0)] {
            expect(.badData, ["\(elements) elements", "\(count) rows and \(dimensions) columns"]) {
                () throws(ClusteringError) in
                try FeatureMatrix(
                    floats: [Float](repeating: 0, count: elements), count: count, dimensions: dimensions)
            }
            expect(.badData, ["\(elements) elements"]) { () throws(ClusteringError) in
                try FeatureMatrix(bytes: [UInt8](repeating: 0, count: elements), count: count, dimensions: dimensions)
            }
        }
    }

    /// The largest numbers that are taken cluster without an overflow; the next one is refused with its place.
    @Test(arguments: [1, 7, 784]) func numbersWhoseSquaresOverflow(dimensions: Int) throws {
        let limit = (Float.greatestFiniteMagnitude / (8 * Float(dimensions))).squareRoot()
        var values = [Float](repeating: limit, count: 4 * dimensions)
        for index in 0..<dimensions { values[2 * dimensions + index] = -limit }
        let largest = try FeatureMatrix(floats: values, count: 4, dimensions: dimensions)
        let result = try KMeans(k: 1, kind: .lloyd(iterations: 2)).fit(largest.points(on: backend), on: backend)
        #expect(result.inertia.isFinite && result.inertia > 0 && result.distances.allSatisfy(\.isFinite))
        for beyond in [limit.nextUp, -Float.greatestFiniteMagnitude] {
            values[4 * dimensions - 1] = beyond
            expect(.badData, ["row 3, column \(dimensions - 1)", "\(beyond)"]) { () throws(ClusteringError) in
                try FeatureMatrix(floats: values, count: 4, dimensions: dimensions)
            }
        }
    }

    /// What PCA takes is bounded by its sums of squares: the largest that is taken gives numbers, the next is refused.
    @Test(arguments: [(8, 2), (3, 40), (9000, 1)]) func numbersWhoseSumsOfSquaresOverflow(
        count: Int, dimensions: Int
    ) throws {
        let limit = (Float.greatestFiniteMagnitude / Float(16 * max(dimensions, 1024))).squareRoot()
        var values = (0..<count * dimensions).map { $0 / dimensions % 2 == 0 ? limit : -limit }
        let pca = try PCA.fit(
            FeatureMatrix(floats: values, count: count, dimensions: dimensions), components: 1, on: backend)
        #expect(pca.explainedVariance[0].isFinite && pca.explainedVariance[0] > 1e33)
        values[dimensions] = -2 * limit
        let large = try FeatureMatrix(floats: values, count: count, dimensions: dimensions)
        expect(.badData, ["row 1, column 0", "\(-2 * limit)", "too large", "\(limit)"]) { () throws(ClusteringError) in
            try PCA.fit(large, components: 1, on: backend)
        }
    }

    @Test func storedValuesBeyondFloat32() {
        expect(.badData, ["row 1, column 1", "1e+300", "too large"]) { () throws(ClusteringError) in
            try FeatureMatrix(reader: StoredArray([1, 2, 3, 1e300, 5, 6], dimensions: 2), count: 3, dimensions: 2)
        }
        expect(.badData, ["row 0, column 0", "1e+300", "too large"]) { () throws(ClusteringError) in
            try FeatureMatrix(reader: StoredArray([1e300, 1e299], dimensions: 1), count: 2, dimensions: 1)
        }
        expect(.badData, ["row 2, column 0", "finite"]) { () throws(ClusteringError) in
            try FeatureMatrix(reader: StoredArray([1, 2, Double.nan], dimensions: 1), count: 3, dimensions: 1)
        }
        // As float32 the second one is 0.
        for value in [1e-30, 1e-300] {
            expect(.badData, ["\(value)", "multiply"]) { () throws(ClusteringError) in
                try FeatureMatrix(reader: StoredArray([0, value], dimensions: 1), count: 2, dimensions: 1)
            }
        }
    }

    /// Rows and columns that an int cannot number are refused, whatever would be done with them.
    @Test func moreRowsOrColumnsThanKernelsNumber() throws {
        let reader = StoredArray([UInt8](), dimensions: 1)
        for (count, dimensions) in [(FeatureMatrix.mostRows + 1, 1), (1 << 40, 3), (1, FeatureMatrix.mostColumns + 1)] {
            expect(.badData, ["\(count) rows of \(dimensions) columns", "\(FeatureMatrix.mostRows)"]) {
                () throws(ClusteringError) in
                try FeatureMatrix(reader: reader, count: count, dimensions: dimensions)
            }
        }
        expect(.badData, ["too many"]) { () throws(ClusteringError) in
            try FeatureMatrix(reader: reader, count: 1 << 40, dimensions: 1 << 40)
        }
        let most = try FeatureMatrix(reader: reader, count: FeatureMatrix.mostRows, dimensions: 1)
        #expect(most.count < Int(Int32.max) && Int32(exactly: most.count + 1024) != nil)
        // Sums and corrections of k centroids are numbered together.
        let points = try points(5)
        expect(.usage, ["k is 357913942", "1 to 357913941"]) { () throws(ClusteringError) in
            try KMeans(k: 357_913_942, kind: .lloyd(iterations: 1)).fit(points, on: backend)
        }
    }

    @Test func componentsBeyondTheMatrix() throws {
        let rows = try FeatureMatrix(bytes: [UInt8](0..<12), count: 3, dimensions: 4)
        for components in [0, -1, 4, 5] {
            expect(.badData, ["\(components) principal components", "1 to 3"]) { () throws(ClusteringError) in
                try PCA.fit(rows, components: components, on: backend)
            }
        }
        let pca = try PCA.fit(rows, components: 3, on: backend)
        let narrow = try FeatureMatrix(bytes: [1, 2, 3], count: 1, dimensions: 3)
        expect(.badData, ["3 columns where 4 are needed"]) { () throws(ClusteringError) in
            try pca.project(narrow, on: backend)
        }
    }

    /// Shapes that do not fit together are refused by every backend before anything runs.
    @Test(arguments: TestBackends.names) func operationsRefuseShapesThatDoNotFit(name: String) throws {
        let backend = try TestBackends.make(name)
        let points = try backend.makePoints(count: 40, dimensions: 3)
        let centroids = try backend.makeCentroids(count: 4, dimensions: 2)
        let labels = try backend.makeBuffer(of: Int32.self, count: 39, label: "labels")
        #expect(throws: ComputeError.self) {
            try backend.run(KmeansAssign(points, to: centroids, labels: labels))
        }
        let sums = try backend.makeClusterSums(count: 4, dimensions: 3, points: 40, exponent: 9)
        #expect(throws: ComputeError.self) {
            try backend.accumulate(points, labels: labels, into: sums, adding: false)
        }
        let rows = try backend.makeBuffer([UInt8](repeating: 1, count: 300), label: "rows")
        for (count, dimensions, first) in [(41, 3, 0), (40, 2, 0), (4, 3, 1), (5, 3, 0), (101, 3, 0), (0, 3, 0)] {
            #expect(throws: ComputeError.self, "\(count) x \(dimensions) at \(first)") {
                try backend.run(
                    PointsPack(
                        Rows(.bytes(rows), count: count, dimensions: dimensions), into: points, at: first))
            }
        }
    }
}
