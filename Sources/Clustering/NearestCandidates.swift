import Compute
import Ranks
import Support

/// The nearest candidates of the points of one rank while a k-means|| start finds candidates, on the host, and the points that
/// are drawn by their distances to them.
package struct NearestCandidates {
    /// The squared distance of every point to its nearest candidate, [count]; infinite before there is one.
    private var squares: [Float]
    /// That candidate, [count], by its number among all candidates.
    package private(set) var numbers: [Int32]
    /// The first point's number among the points of all ranks.
    private let first: Int
    /// Draws points: a function of a point's number and the round.
    private let generator: Philox4x32

    /// Values that are read at once.
    private static let readAtOnce = 1 << 18

    /// No candidates yet.
    /// - Parameters:
    ///   - count: the points of this rank.
    ///   - first: the number of the first of them among the points of all ranks.
    ///   - key: of the random numbers that draw points.
    package init(count: Int, from first: Int = 0, key: UInt64) {
        squares = [Float](repeating: .infinity, count: count)
        numbers = [Int32](repeating: 0, count: count)
        self.first = first
        generator = Philox4x32(key: key)
    }

    /// Keeps the new candidates that are nearer to points than those before.
    /// - Parameters:
    ///   - count: points that were compared with the new candidates.
    ///   - start: the first of them, counted from this rank's first point.
    ///   - labels: the nearest new candidate of each, [count] or more, the first of these being 0.
    ///   - distances: the squared distances to these, [count] or more.
    ///   - before: candidates that there were before.
    /// - Throws: what reading throws.
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

    /// Makes a point, counted from this rank's first, its own candidate, unless one before coincides with it.
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

    /// The points that a round draws, by their numbers among the points of all ranks, rising.
    /// - Parameters:
    ///   - wanted: points that are wanted of all ranks.
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
