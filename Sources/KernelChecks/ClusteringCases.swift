import Compute

/// What the cases of the clustering kernels share. Points are kept as [point][dimension] and brought into the layout of
/// each backend, whose tiles and panels differ; what comes back is compared in that logical order.

/// Extents that are awkward for every tile from 8 to 64 lanes and every panel. Every number of columns is a program of its
/// own, and no kernel cuts columns of points into blocks: a few of them do.
enum AwkwardMatrix {
    /// (rows, columns).
    static let all = [
        (1, 1), (7, 7), (15, 7), (16, 1), (17, 61), (31, 61), (32, 61), (33, 7), (63, 7), (64, 61), (65, 7), (127, 1),
        (257, 61), (300, 7),
    ]
    /// A few of them, where a case has other extents to vary.
    static let few = [(1, 1), (7, 7), (16, 7), (31, 61), (33, 61), (65, 7), (257, 7)]
}

/// What the programs of a k-means++ start are specialised for: few pairs, each with several counts of points.
enum PlusPlusShape {
    /// (points, dimensions, candidates a centre), around blocks of 256.
    static let all: [(count: Int, dimensions: Int, trials: Int)] = [
        (1, 1, 1), (1, 7, 5), (7, 17, 2), (16, 7, 5), (31, 17, 2), (33, 61, 11), (65, 17, 2), (255, 17, 2), (256, 7, 5),
        (257, 7, 1), (513, 7, 5), (513, 1, 1), (1030, 17, 2), (1030, 61, 11),
    ]
    /// With k = 50, 500 and 5000 after PCA, and k = 50 without.
    static let launched: [(dimensions: Int, trials: Int)] = [(50, 5), (50, 8), (50, 1), (784, 5)]
}

/// Points of a case on a backend, with guards behind them.
struct CasePoints {
    let points: Points
    let guarded: GuardedBuffer<Float>
    let layout: TileLayout

    /// [count][dimensions] in the backend's layout, lanes beyond the last point zero.
    init(_ plain: [Float], count: Int, dimensions: Int, on backend: any Backend) throws(ComputeError) {
        layout = TileLayout(points: count, dimensions: dimensions, on: backend)
        guarded = try GuardedBuffer(on: backend, layout.pack(plain, masked: 0), label: "points")
        points = Points(buffer: guarded.buffer, count: count, dimensions: dimensions, lanes: backend.layout.pointLanes)
    }

    /// Points for an operation to write, poisoned.
    init(output count: Int, dimensions: Int, on backend: any Backend) throws(ComputeError) {
        layout = TileLayout(points: count, dimensions: dimensions, on: backend)
        guarded = try GuardedBuffer(on: backend, count: layout.count, label: "points")
        points = Points(buffer: guarded.buffer, count: count, dimensions: dimensions, lanes: backend.layout.pointLanes)
    }

    /// What is there now.
    func contents() throws(ComputeError) -> (points: GuardedContents<Float>, layout: TileLayout) {
        (try guarded.contents(), layout)
    }
}

extension CaseJudge {
    /// Compares points in their order; lanes beyond the last one must be 0.
    mutating func check(
        _ label: String, _ actual: (points: GuardedContents<Float>, layout: TileLayout),
        equals expected: (points: GuardedContents<Float>, layout: TileLayout), within tolerance: Tolerance
    ) {
        checkLanes(label, actual)
        check(
            label, actual.layout.unpack(actual.points.values),
            equals: expected.layout.unpack(expected.points.values), within: tolerance)
    }

    /// Compares points in their order with numbers that have bounds of their own; lanes beyond the last one must be 0.
    mutating func check(
        _ label: String, _ actual: (points: GuardedContents<Float>, layout: TileLayout), equals expected: [Bounded]
    ) {
        checkLanes(label, actual)
        check(label, actual.layout.unpack(actual.points.values), equals: expected)
    }

    private mutating func checkLanes(
        _ label: String, _ actual: (points: GuardedContents<Float>, layout: TileLayout)
    ) {
        checkGuards(label, actual.points)
        if let stray = actual.layout.maskedValues(actual.points.values).first(where: { $0 != 0 }) {
            complain("\(label) hold \(stray) in a lane beyond the last point, 0 is due")
        }
    }
}

/// Centroids of a case on a backend, with guards behind both forms.
struct CaseCentroids {
    let centroids: Centroids
    let values: GuardedBuffer<Float>
    let panels: GuardedBuffer<Float>

    /// `plain` [count][dimensions]; the panels hold them too, or are poisoned with `packed` false.
    init(_ plain: [Float], count: Int, dimensions: Int, packed: Bool = true, on backend: any Backend)
        throws(ComputeError)
    {
        values = try GuardedBuffer(on: backend, plain, label: "centroids")
        let width = backend.layout.panelWidth
        let elements = (count + width - 1) / width * (1 + dimensions) * width
        panels = try GuardedBuffer(on: backend, count: elements, label: "panels")
        centroids = Centroids(
            values: values.buffer, panels: panels.buffer, count: count, dimensions: dimensions,
            panelWidth: width)
        if packed { try backend.run(KmeansPanels(centroids)) }
    }
}

/// Memory of cluster sums, poisoned and guarded.
struct CaseSums {
    let sums: ClusterSums
    let totals: GuardedBuffer<Int64>
    let partials: GuardedBuffer<Float>
    let partialCounts: GuardedBuffer<Int32>

    /// Room for rounds of `blocks` blocks.
    init(
        count: Int, dimensions: Int, blocks: Int, blockPoints: Int, exponent: Int, isCompensated: Bool = false,
        on backend: any Backend
    ) throws(ComputeError) {
        totals = try GuardedBuffer(on: backend, count: count * (dimensions + 1), label: "totals")
        partials = try GuardedBuffer(
            on: backend, count: blocks * count * dimensions * (isCompensated ? 2 : 1), label: "partial sums")
        partialCounts = try GuardedBuffer(on: backend, count: blocks * count, label: "partial counts")
        sums = ClusterSums(
            totals: totals.buffer, partials: partials.buffer, partialCounts: partialCounts.buffer, count: count,
            dimensions: dimensions, blocks: blocks, blockPoints: blockPoints, exponent: exponent,
            isCompensated: isCompensated)
    }
}

/// Memory of a mini-batch's sums, poisoned and guarded.
struct CaseBatchSums {
    let sums: BatchSums
    let totals: GuardedBuffer<Float>
    let counts: GuardedBuffer<Int32>

    init(count: Int, dimensions: Int, on backend: any Backend) throws(ComputeError) {
        totals = try GuardedBuffer(on: backend, count: 2 * count * dimensions, label: "totals")
        counts = try GuardedBuffer(on: backend, count: count, label: "counts")
        sums = BatchSums(totals: totals.buffer, counts: counts.buffer, count: count, dimensions: dimensions)
    }
}

extension TileLayout {
    /// The layout of points on `backend`.
    init(points: Int, dimensions: Int, on backend: any Backend) {
        self.init(replicas: 1, samples: points, values: dimensions, tile: backend.layout.pointLanes)
    }
}

extension CaseInputs {
    /// Whole numbers as floats: sums of their products have no rounding.
    mutating func wholeFloats(_ count: Int, in range: Range<Int>) -> [Float] {
        integers(count, in: range).map { Float($0) }
    }
}

/// Rows of a case: 8-bit or float32, with more elements behind them that must not be read.
struct CaseRows {
    let bytes: Bool
    let floatValues: [Float]
    var byteValues: [UInt8]
    let count: Int
    let dimensions: Int

    /// - Parameter oneIn: of so many bytes one is kept, the others are zero.
    init(
        _ inputs: inout CaseInputs, bytes: Bool, oneIn share: Int = 1, count: Int, dimensions: Int,
        range: ClosedRange<Float> = -1...1
    ) {
        self.bytes = bytes
        self.count = count
        self.dimensions = dimensions
        byteValues = bytes ? inputs.bytes(count * dimensions, oneIn: share) : []
        floatValues = bytes ? [] : inputs.floats(count * dimensions, in: range)
    }

    func rows(on backend: any Backend) throws(ComputeError) -> Rows {
        if bytes {
            let buffer = try backend.makeBuffer(byteValues, guarded: 251, 3 * dimensions, label: "rows")
            return Rows(.bytes(buffer), count: count, dimensions: dimensions)
        }
        let buffer = try backend.makeBuffer(floatValues, guarded: .nan, 3 * dimensions, label: "rows")
        return Rows(.floats(buffer), count: count, dimensions: dimensions)
    }
}
