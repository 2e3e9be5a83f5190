import CLanes

/// Sums of vectors times weights; `clanes_products_shape` in CLanes.h says what each field means.
typealias LaneProducts = clanes_products_shape
/// Sums of vectors times vectors; `clanes_correlations_shape` in CLanes.h says what each field means.
typealias LaneCorrelations = clanes_correlations_shape

/// A step of Adam.
typealias LaneAdam = clanes_adam_step

/// The inner loops in C as one instruction set has them. They check nothing: callers have validated every shape.
struct LaneLoops: @unchecked Sendable {
    private let table: UnsafePointer<clanes_loops>

    /// Those of each instruction set of this processor, the plainest first.
    static let all = (0..<clanes_level_count()).compactMap { clanes_level($0).map { LaneLoops(table: $0) } }
    /// Those of the widest one.
    static let best = all[all.count - 1]

    /// The instruction set's name.
    var name: String { String(cString: table.pointee.name) }

    /// y[output][column] = start[output] + Σ x · w, with a start of 0 where it is nil.
    func products(
        _ shape: LaneProducts, _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, start: UnsafePointer<Float>? = nil,
        into y: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: shape) { table.pointee.products($0, x, w, start, y) }
    }

    /// sums[tap][output] += Σ x · d, lane by lane.
    func correlations(
        _ shape: LaneCorrelations, _ x: UnsafePointer<Float>, _ d: UnsafePointer<Float>,
        addingTo sums: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: shape) { table.pointee.correlations($0, x, d, sums) }
    }

    /// Where one of `rows` rows of scores is larger than `best`, it takes its place, and `first` plus the row's number
    /// that of `index`, which has as many elements as a row and as `best`: a multiple of 16.
    func keepLargest(
        _ scores: UnsafePointer<Float>, rows: Int, first: Int, best: UnsafeMutablePointer<Float>, index: inout [Int32]
    ) {
        table.pointee.keep_largest(scores, rows, index.count / 16, Int32(first), best, &index)
    }

    /// Adds the slices of the gradients and moves parameters and moments on.
    func adam(
        _ step: LaneAdam, gradients: UnsafePointer<Float>, parameters: UnsafeMutablePointer<Float>,
        firstMoments: UnsafeMutablePointer<Float>, secondMoments: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: step) { table.pointee.adam($0, gradients, parameters, firstMoments, secondMoments) }
    }
}
