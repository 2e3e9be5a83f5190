import Clustering
import Compute
import Scoring
import Support
import TestSupport

/// Rows of small whole numbers, whose squared distances are exact in float32.
func wholeNumbers(_ count: Int, _ dimensions: Int, below bound: Int = 9, seed: UInt64) -> [Float] {
    var random = RandomStream(seed: seed, run: 0, purpose: .testing)
    return (0..<count * dimensions).map { _ in Float(random.nextIndex(below: bound) - bound / 2) }
}

/// The input of scores of these rows on a backend.
func pointInput(_ values: [Float], _ dimensions: Int, on backend: any Backend) throws -> ScoreInput {
    let count = values.count / dimensions
    let points = try FeatureMatrix(floats: values, count: count, dimensions: dimensions).points(on: backend)
    return ScoreInput(count: count, points: points, backend: backend)
}

/// The samples of positive scores, highest first: what a greedy order picked.
func picks(_ scores: [Float]) -> [Int] {
    scores.indices.filter { scores[$0] > 0 }.sorted { scores[$0] > scores[$1] }
}

/// The cosine of two rows in double precision, 0 where one is zero.
func cosine(_ values: [Float], _ dimensions: Int, _ one: Int, _ other: Int) -> Double {
    var (product, square, otherSquare) = (0.0, 0.0, 0.0)
    for dimension in 0..<dimensions {
        let (a, b) = (Double(values[one * dimensions + dimension]), Double(values[other * dimensions + dimension]))
        product += a * b
        square += a * a
        otherSquare += b * b
    }
    return square * otherSquare > 0 ? product / (square * otherSquare).squareRoot() : 0
}

/// The distance of two rows in double precision.
func distance(_ values: [Float], _ dimensions: Int, _ one: Int, _ other: Int) -> Double {
    (0..<dimensions).reduce(0) { sum, dimension in
        let difference =
            Double(values[one * dimensions + dimension]) - Double(values[other * dimensions + dimension])
        return sum + difference * difference
    }.squareRoot()
}
