/// A weighted, greedy k-means++ in plain loops, for numbers that are exact.
/// - Parameters:
///   - square: the squared distance of two rows.
///   - uniform: the next random number in [0, 1).
/// - Returns: numbers of rows, [centres].
package func plainPlusPlus(
    centres: Int, weights: [Double], trials: Int, square: (Int, Int) -> Double, uniform: () -> Double
) -> [Int32] {
    func draw(_ parts: [Double]) -> Int {
        var left = uniform() * parts.reduce(0, +)
        let positive = parts.indices.filter { parts[$0] > 0 }
        for row in positive {
            if left < parts[row] { return row }
            left -= parts[row]
        }
        return positive.last ?? 0
    }
    func squares(with centre: Int, _ before: [Double]) -> [Double] {
        before.indices.map { min(before[$0], square($0, centre)) }
    }
    func weighted(_ squares: [Double]) -> [Double] { zip(weights, squares).map { $0 * $1 } }
    var chosen = [draw(weights)]
    var nearest = squares(with: chosen[0], [Double](repeating: .infinity, count: weights.count))
    while chosen.count < centres {
        let parts = weighted(nearest)
        let drawn = (0..<trials).map { _ in draw(parts.contains { $0 > 0 } ? parts : weights) }
        let left = drawn.map { weighted(squares(with: $0, nearest)).reduce(0, +) }
        let best = left.indices.min { (left[$0], $0) < (left[$1], $1) } ?? 0
        chosen.append(drawn[best])
        nearest = squares(with: drawn[best], nearest)
    }
    return chosen.map { Int32($0) }
}
