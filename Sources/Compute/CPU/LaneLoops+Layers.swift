import CLanes

/// A plane that is pooled by windows; CLanes.h says what each field means.
typealias LaneWindows = clanes_windows

/// The loops of layers without weights and of batch norm.
extension LaneLoops {
    /// y = tanh(x) for `count` vectors; a NaN stays one.
    func tanhForward(_ x: UnsafePointer<Float>, count: Int, into y: UnsafeMutablePointer<Float>) {
        table.pointee.tanh_forward(x, count, y)
    }

    /// The gradient of `count` vectors times 1 - y² of the tanh's output y.
    func tanhBackward(_ y: UnsafePointer<Float>, count: Int, gradient: UnsafeMutablePointer<Float>) {
        table.pointee.tanh_backward(y, count, gradient)
    }

    /// The mean of each window of a plane.
    func poolMean(_ plane: LaneWindows, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>) {
        withUnsafePointer(to: plane) { table.pointee.pool_mean($0, x, y) }
    }

    /// The gradient of a plane from that of the means of its windows.
    func poolMeanBackward(
        _ plane: LaneWindows, outputGradient: UnsafePointer<Float>, into inputGradient: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: plane) { table.pointee.pool_mean_backward($0, outputGradient, inputGradient) }
    }

    /// The largest value of each window of a plane, and its place in the window.
    func poolLargest(
        _ plane: LaneWindows, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
        winners: UnsafeMutablePointer<Int32>
    ) {
        withUnsafePointer(to: plane) { table.pointee.pool_largest($0, x, y, winners) }
    }

    /// The gradient of a plane from that of its windows and what won them.
    func poolLargestBackward(
        _ plane: LaneWindows, outputGradient: UnsafePointer<Float>, winners: UnsafePointer<Int32>,
        into inputGradient: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: plane) {
            table.pointee.pool_largest_backward($0, outputGradient, winners, inputGradient)
        }
    }

    /// The sums of deviations of `count` vectors from `pivot`, and of their squares, lane by lane.
    func deviations(_ x: UnsafePointer<Float>, count: Int, from pivot: Float) -> (sums: Lanes, squares: Lanes) {
        twoSums { table.pointee.deviations(x, count, pivot, $0, $1) }
    }

    /// y = (x - mean) · scale + shift for `count` vectors.
    func normalise(
        _ x: UnsafePointer<Float>, count: Int, mean: Float, scale: Float, shift: Float,
        into y: UnsafeMutablePointer<Float>
    ) {
        table.pointee.normalise(x, count, mean, scale, shift, y)
    }

    /// Turns the gradient of `count` normalised vectors into that of what was normalised, x.
    func normaliseBackward(
        _ slope: LaneBatchNormSlope, _ x: UnsafePointer<Float>, count: Int, gradient: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: slope) { table.pointee.normalise_backward($0, x, count, gradient) }
    }

    /// (x - target) · factor for `count` vectors, 0 from lane `lanes` on; and the sums of the squares of x - target, lane
    /// by lane.
    func squaredError(
        _ x: UnsafePointer<Float>, target: UnsafePointer<Float>, count: Int, factor: Float, lanes: Int,
        into delta: UnsafeMutablePointer<Float>
    ) -> Lanes {
        var squares = Lanes.zero
        withUnsafeMutableBytes(of: &squares) { bytes in
            guard let base = bytes.bindMemory(to: Float.self).baseAddress else { return }
            table.pointee.squared_error(x, target, count, factor, lanes, delta, base)
        }
        return squares
    }
}
