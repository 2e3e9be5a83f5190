import Compute
import Ranks
import Support

/// The nearest candidate of each point of one rank, kept on the host while a k-means|| start finds candidates. Draws points by
/// their distances to these candidates.
package struct NearestCandidates {
    /// The squared distance of every point to its nearest candidate, [count]; infinite before there is one.
    private var squares: [Float]
    /// That candidate, [count], by its number among all candidates.
    package private(set) var numbers: [Int32]
    /// The first point's number among the points of all ranks.
    private let first: Int
    /// Draws points by a function of a point's number and the round.
    private let generator: Philox4x32

    /// The number of values that are read at once.
    private static let readAtOnce = 1 << 18

    /// No candidates yet.
    /// - Parameters:
    ///   - count: the number of points of this rank.
    ///   - first: the number of the first of them among the points of all ranks.
    ///   - key: the key of the random numbers that draw points.
    package init(count: Int, from first: Int = 0, key: UInt64) {
        squares = [Float](repeating: .infinity, count: count)
        numbers = [Int32](repeating: 0, count: count)
        self.first = first
        generator = Philox4x32(key: key)
    }

    /// Replaces the nearest candidate of each point if a new one is nearer.
    /// - Parameters:
    ///   - count: the number of points that were compared with the new candidates.
    ///   - start: the first of these points, counted from this rank's first point.
    ///   - labels: the nearest new candidate of each of these points, counted from the first new one, [count] or more.
    ///   - distances: the squared distance to it, [count] or more.
    ///   - before: the number of candidates before the new ones.
    /// - Throws: ``ComputeError`` if the labels or the distances cannot be read.
    package mutating func take(
        _ count: Int, from start: Int, labels: DeviceBuffer<Int32>, distances: DeviceBuffer<Float>, after before: Int,
        on backend: any Backend
    ) throws(ComputeError) {
        for offset in stride(from: 0, to: count, by: Self.readAtOnce) {
            let most = min(Self.readAtOnce, count - offset)
            let labels = try backend.read(labels, at: offset, count: most)
            let distances = try backend.read(distances, at: offset, count: most)
            let point = start + offset
            for place in 0..<most where !(distances[place] >= squares[point + place]) {
                squares[point + place] = distances[place]
                numbers[point + place] = Int32(before) &+ labels[place]
            }
        }
    }

    /// Makes a point, counted from this rank's first point, its own nearest candidate, unless an earlier candidate coincides with
    /// it.
    mutating func take(candidate: Int, at point: Int) {
        guard squares[point] > 0 else { return }
        (squares[point], numbers[point]) = (0, Int32(candidate))
    }

    /// The sum of the squared distances of these points.
    package var total: ExactTotal {
        var total = ExactTotal()
        total.add(squares)
        return total
    }

    /// The points that a round draws, as numbers among the points of all ranks, in rising order.
    /// - Parameters:
    ///   - wanted: the most points that all ranks together are expected to draw.
    ///   - cost: the sum of the squared distances of the points of all ranks.
    package func drawn(in round: Int, wanted: Double, cost: Double) -> [Int32] {
        var drawn: [Int32] = []
        for point in squares.indices where squares[point] > 0 {
            let words = generator.block(
                SIMD4(UInt32(truncatingIfNeeded: first + point), UInt32(truncatingIfNeeded: round), 0, 0))
            let uniform = Double((UInt64(words.x) | UInt64(words.y) << 32) >> 11) * 0x1p-53
            if uniform * cost < wanted * Double(squares[point]) { drawn.append(Int32(first + point)) }
        }
        return drawn
    }
}
