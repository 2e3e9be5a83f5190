import CLanes

/// Sums of vectors times weights; `clanes_products_shape` in CLanes.h says what each field means.
typealias LaneProducts = clanes_products_shape
/// Sums of vectors times vectors; `clanes_correlations_shape` in CLanes.h says what each field means.
typealias LaneCorrelations = clanes_correlations_shape

/// A plane that is pooled.
typealias LanePlane = clanes_plane
/// What a batch norm's backward pass takes from a channel; CLanes.h says what each field means.
typealias LaneBatchNormSlope = clanes_batch_norm_slope

/// A step of Adam.
typealias LaneAdam = clanes_adam_step
/// A step of stochastic gradient descent.
typealias LaneSgd = clanes_sgd_step

/// The inner loops in C as one instruction set has them. They check nothing: callers have validated every shape.
struct LaneLoops: @unchecked Sendable {
    let table: UnsafePointer<clanes_loops>

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

    /// The sums of deviations of `count` vectors from the first, and of their squares, lane by lane.
    func moments(_ x: UnsafePointer<Float>, count: Int) -> (sums: Lanes, squares: Lanes) {
        twoSums { table.pointee.moments(x, count, $0, $1) }
    }

    /// What wins each pool of a plane where it is multiplied by `direction`, and its place.
    func maxPool(
        _ plane: LanePlane, _ x: UnsafePointer<Float>, direction: Float, into pooled: UnsafeMutablePointer<Float>,
        winners: UnsafeMutablePointer<UInt8>
    ) {
        withUnsafePointer(to: plane) { table.pointee.max_pool($0, x, direction, pooled, winners) }
    }

    /// y = max(x · scale + shift, 0) for `count` vectors; a NaN stays one.
    func normaliseRelu(
        _ x: UnsafePointer<Float>, count: Int, scale: Float, shift: Float, into y: UnsafeMutablePointer<Float>
    ) {
        table.pointee.normalise_relu(x, count, scale, shift, y)
    }

    /// Puts 0 into the gradient of `count` vectors where the ReLU's output y is not positive.
    func reluBackward(_ y: UnsafePointer<Float>, count: Int, gradient: UnsafeMutablePointer<Float>) {
        table.pointee.relu_backward(y, count, gradient)
    }

    /// The sums of the gradients of `count` pools, and of them times the normalised pooled, lane by lane.
    func poolSums(
        pooled: UnsafePointer<Float>, gradient: UnsafePointer<Float>, count: Int, mean: Float, inverse: Float
    ) -> (sums: Lanes, products: Lanes) {
        twoSums { table.pointee.pool_sums(pooled, gradient, count, mean, inverse, $0, $1) }
    }

    /// Turns a plane into its gradient, with those of its pools and what won them.
    func poolBackward(
        _ plane: LanePlane, _ slope: LaneBatchNormSlope, gradient: UnsafePointer<Float>,
        winners: UnsafePointer<UInt8>, into x: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: plane) { plane in
            withUnsafePointer(to: slope) { table.pointee.pool_backward(plane, $0, gradient, winners, x) }
        }
    }

    func twoSums(_ body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) -> Void) -> (Lanes, Lanes) {
        var sums = (Lanes.zero, Lanes.zero)
        withUnsafeMutableBytes(of: &sums) { bytes in
            let floats = bytes.bindMemory(to: Float.self)
            if let base = floats.baseAddress { body(base, base + Lanes.scalarCount) }
        }
        return sums
    }

    /// Where one of `rows` rows of scores is larger than `best`, it takes its place, and `first` plus the row's number
    /// that of `index`, which has as many elements as a row and as `best`: a multiple of a vector's lanes.
    func keepLargest(
        _ scores: UnsafePointer<Float>, rows: Int, first: Int, best: UnsafeMutablePointer<Float>, index: inout [Int32]
    ) {
        table.pointee.keep_largest(scores, rows, index.count / Lanes.scalarCount, Int32(first), best, &index)
    }

    /// The largest, second and third largest score of every column, and the numbers of the first two of these: `best` is
    /// [3][columns], `index` [2][columns], columns being a multiple of a vector's lanes. Of equal scores the first counts as larger.
    func keepThree(
        _ scores: UnsafePointer<Float>, rows: Int, first: Int, best: UnsafeMutablePointer<Float>, index: inout [Int32]
    ) {
        table.pointee.keep_three(scores, rows, index.count / (2 * Lanes.scalarCount), Int32(first), best, &index)
    }

    /// The first vector of `rows` rows of scores, from number `from` on, some lane of which is larger than that of
    /// `bounds`, which has as many vectors as a row; rows times vectors where there is none.
    func findLarger(
        _ scores: UnsafePointer<Float>, than bounds: UnsafePointer<Float>, rows: Int, vectors: Int, from: Int
    ) -> Int {
        table.pointee.find_larger(scores, bounds, rows, vectors, from)
    }

    /// Moves parameters and moments on.
    func adam(
        _ step: LaneAdam, _ decay: AdamStep.Decay, gradients: UnsafePointer<Float>,
        parameters: UnsafeMutablePointer<Float>, firstMoments: UnsafeMutablePointer<Float>,
        secondMoments: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: step) { step in
            switch decay {
            case .none: table.pointee.adam(step, gradients, parameters, firstMoments, secondMoments)
            case .penalty: table.pointee.adam_penalty(step, gradients, parameters, firstMoments, secondMoments)
            case .decoupled: table.pointee.adam_decoupled(step, gradients, parameters, firstMoments, secondMoments)
            }
        }
    }

    /// Moves parameters and velocities on; without momentum where there are no velocities.
    func sgd(
        _ step: LaneSgd, gradients: UnsafePointer<Float>, parameters: UnsafeMutablePointer<Float>,
        velocities: UnsafeMutablePointer<Float>?
    ) {
        withUnsafePointer(to: step) { table.pointee.sgd($0, gradients, parameters, velocities) }
    }

    /// `steps` times v = v * 0.75 + 0.25 for each of ``FmaPeak/chains`` vectors.
    func multiplyAddChains(_ values: UnsafeMutablePointer<Float>, steps: Int) {
        table.pointee.multiply_add_chains(values, steps)
    }
}
