/// The operations behind PCA and k-means. Layouts are those of ``Points``, ``Centroids`` and ``ClusterSums``; every sum
/// has an order that depends on the shapes alone, so that the same device always gives the same bits.
package protocol ClusteringOperations: BufferBackend {
    /// P: how many points stand side by side in ``Points``. It divides ``ClusteringShape/blockUnit``.
    var pointLanes: Int { get }
    /// R: how many centroids a panel of ``Centroids`` or ``Projection`` holds.
    var panelWidth: Int { get }

    /// Partial sums of products of 8-bit rows: exact. See ``CovarianceShape`` for `tiles` and `sums`. With `adding`
    /// they are added to what is there: at most ``CovarianceShape/mostByteRows`` rows a part in all.
    func covariance(
        of rows: DeviceBuffer<UInt8>, shape: CovarianceShape, adding: Bool, tiles: DeviceBuffer<Int32>,
        sums: DeviceBuffer<Int32>) throws(ComputeError)
    /// Partial sums of products of rows, `shift` (a value a column, near its mean) subtracted first.
    func covariance(
        of rows: DeviceBuffer<Float>, shape: CovarianceShape, shift: DeviceBuffer<Float>, adding: Bool,
        tiles: DeviceBuffer<Float>, sums: DeviceBuffer<Float>) throws(ComputeError)

    /// Copies rows into `points`, from point `first` (a multiple of ``pointLanes``) on; lanes beyond the last row of
    /// the last tile become zero.
    func packPoints(_ rows: Rows, into points: Points, at first: Int) throws(ComputeError)
    /// points[i] = W (rows[i] - mean), from point `first` (a multiple of ``pointLanes``) on.
    func project(_ rows: Rows, through projection: Projection, into points: Points, at first: Int) throws(ComputeError)
    /// rows[i] = points[i], as [count][dimensions].
    func unpackPoints(_ points: Points, into rows: DeviceBuffer<Float>) throws(ComputeError)
    /// batch[i] = points[indices[i]].
    func gatherPoints(_ indices: DeviceBuffer<Int32>, of points: Points, into batch: Points) throws(ComputeError)
    /// centroids[slots[i]] = points[indices[i]], in ``Centroids/values`` alone; every slot stands in `slots` once at
    /// most.
    func gatherCentroids(
        _ indices: DeviceBuffer<Int32>, of points: Points, into centroids: Centroids, slots: DeviceBuffer<Int32>)
        throws(ComputeError)
    /// Brings ``Centroids/panels`` up to date with ``Centroids/values``.
    func packCentroids(_ centroids: Centroids) throws(ComputeError)

    /// The nearest centroid of every point, from ``Centroids/panels``, and, where asked for, the squared distance to
    /// it, computed directly from ``Centroids/values``. The lowest index wins a tie. A point with a NaN, or whose
    /// products overflow against every centroid, gets label 0 and the squared distance that follows (NaN or infinity).
    ///
    /// - Parameter direct: compares distances that are summed directly wherever rounding may have put the products in
    ///   the wrong order, as it does far from the origin.
    func assign(
        _ points: Points, to centroids: Centroids, direct: Bool, labels: DeviceBuffer<Int32>,
        distances: DeviceBuffer<Float>?)
        throws(ComputeError)
    /// The same for a batch that it gathers first: batch[i] = rows[indices[first + i]], rows being [row][dimensions]; the
    /// distances go to `first` and after.
    func gatherAndAssign(
        _ indices: DeviceBuffer<Int32>, at first: Int, of rows: DeviceBuffer<Float>, into batch: Points,
        to centroids: Centroids, direct: Bool, labels: DeviceBuffer<Int32>, distances: DeviceBuffer<Float>)
        throws(ComputeError)
    /// Sums and counts of the points of every cluster; they replace what `sums` held, or with `adding` are added to it:
    /// all points but the last ones may come in pieces of a multiple of ``ClusterSums/blockPoints``, with the same bits.
    func accumulate(_ points: Points, labels: DeviceBuffer<Int32>, into sums: ClusterSums, adding: Bool)
        throws(ComputeError)
    /// Moves ``Centroids/values`` to the mean of their points and writes how far (squared) into `shifts`. A cluster
    /// without points stays where it is.
    func updateCentroids(_ centroids: Centroids, from sums: ClusterSums, shifts: DeviceBuffer<Float>)
        throws(ComputeError)
    /// A step of mini-batch k-means (Sculley, "Web-scale k-means clustering", WWW 2010) after its assignment: moves
    /// both forms of the centroids to the running mean of their points, where the old centroid counts as `weights` [k]
    /// points, and adds the batch's counts to `weights`. A cluster without points in the batch stays where it is. The
    /// batch is that of ``gatherAndAssign(_:at:of:into:to:direct:labels:distances:)``, `count` points of `labels`. Into
    /// ``ClusterSums/totals`` and ``ClusterSums/counts`` go the batch's sums and counts, added point by point.
    func accumulateAndUpdate(
        _ centroids: Centroids, from indices: DeviceBuffer<Int32>, at first: Int, of rows: DeviceBuffer<Float>,
        labels: DeviceBuffer<Int32>, count: Int, sums: ClusterSums, weights: DeviceBuffer<Float>)
        throws(ComputeError)

    /// For every candidate l: `next[l][i]` = min(`previous[state's choice][i]`, squared distance of point i to l), and
    /// its sums over blocks of points.
    func plusPlusDistances(
        _ start: PlusPlusStart, of points: Points, previous: DeviceBuffer<Float>,
        next: DeviceBuffer<Float>) throws(ComputeError)
    /// Keeps the candidate with the smallest sum as centre `step` and draws the candidates of the next centre in
    /// proportion to the distances that are left. With step -1 all candidates become point `first`.
    func plusPlusPick(_ start: PlusPlusStart, of points: Points, distances: DeviceBuffer<Float>, step: Int, first: Int)
        throws(ComputeError)
}

extension ClusteringOperations {
    /// The nearest centroid by the products alone.
    package func assign(
        _ points: Points, to centroids: Centroids, labels: DeviceBuffer<Int32>, distances: DeviceBuffer<Float>?
    ) throws(ComputeError) {
        try assign(points, to: centroids, direct: false, labels: labels, distances: distances)
    }
}

/// Sizes that both implementations share.
package enum ClusteringShape {
    /// Points in the smallest block of a block sum.
    package static let blockUnit = 256
    /// Most points whose sum is taken one after the other, in plain float32.
    static let blockLimit = 2048
    /// Most blocks in flight, and most numbers in their partial sums (64 MiB).
    static let maximumBlocks = 32
    static let maximumPartials = 1 << 24

    /// How the sums of `clusters` clusters over `points` points are cut: points a block, and most blocks in flight.
    package static func blocks(clusters: Int, dimensions: Int, points: Int) -> (blockPoints: Int, most: Int) {
        let most = max(1, min(maximumBlocks, maximumPartials / max(clusters * dimensions, 1)))
        let wanted = max(blockUnit, clusters / 4, (points + most - 1) / most)
        return (roundUp(min(wanted, blockLimit), to: blockUnit), most)
    }

    /// `value` rounded up to a multiple of `unit`.
    static func roundUp(_ value: Int, to unit: Int) -> Int { (value + unit - 1) / unit * unit }
}

/// A row-major matrix [count][dimensions] in a backend's memory.
package struct Rows {
    /// The elements.
    package enum Storage {
        /// 8-bit values, as images have them.
        case bytes(DeviceBuffer<UInt8>)
        /// float32 values.
        case floats(DeviceBuffer<Float>)
    }
    /// The elements, row after row.
    package let storage: Storage
    /// Number of rows.
    package let count: Int
    /// Number of columns.
    package let dimensions: Int

    /// The first `count` rows of `storage`.
    package init(_ storage: Storage, count: Int, dimensions: Int) {
        self.storage = storage
        self.count = count
        self.dimensions = dimensions
    }

    var elementCount: Int {
        switch storage {
        case .bytes(let buffer): buffer.count
        case .floats(let buffer): buffer.count
        }
    }
}

/// Points in a backend's memory, as tiles [tile][dimension][lane]: point i is lane i mod P of tile i / P. Lanes beyond
/// the last point hold zeros.
package struct Points {
    /// The coordinates.
    package let buffer: DeviceBuffer<Float>
    /// Number of points.
    package let count: Int
    /// Number of coordinates.
    package let dimensions: Int
    /// P.
    package let lanes: Int
    /// Number of tiles.
    package var tiles: Int { (count + lanes - 1) / lanes }

    /// Names what `buffer` holds, laid out as tiles of `lanes`; it may be longer.
    package init(buffer: DeviceBuffer<Float>, count: Int, dimensions: Int, lanes: Int) {
        self.buffer = buffer
        self.count = count
        self.dimensions = dimensions
        self.lanes = lanes
    }
}

/// k centroids, row by row and as panels [panel][1 + d][R] whose first row is -|c|²/2 (-infinity where there is no
/// centroid), so that point · centroid + first row ranks centroids as the distance does.
package struct Centroids {
    /// The coordinates, [k][d].
    package let values: DeviceBuffer<Float>
    /// The same in panels; ``ClusteringOperations/packCentroids(_:)`` fills them.
    package let panels: DeviceBuffer<Float>
    /// k.
    package let count: Int
    /// d.
    package let dimensions: Int
    /// R.
    package let panelWidth: Int
    /// Number of panels.
    package var panelCount: Int { (count + panelWidth - 1) / panelWidth }

    /// Names what the two buffers hold.
    package init(
        values: DeviceBuffer<Float>, panels: DeviceBuffer<Float>, count: Int, dimensions: Int, panelWidth: Int
    ) {
        self.values = values
        self.panels = panels
        self.count = count
        self.dimensions = dimensions
        self.panelWidth = panelWidth
    }
}

/// A projection W (x - mean): W as panels [panel][1 + D][R] with -W mean as first row.
package struct Projection {
    /// W in panels.
    package let panels: DeviceBuffer<Float>
    /// The mean, [D].
    package let mean: DeviceBuffer<Float>
    /// Rows of W: dimensions of what comes out.
    package let components: Int
    /// D.
    package let dimensions: Int
    /// R.
    package let panelWidth: Int
    /// Number of panels.
    package var panelCount: Int { (components + panelWidth - 1) / panelWidth }
}

/// What a covariance adds up. Columns are cut into blocks of ``width``; pairs of blocks (a, b), a <= b, are numbered
/// row by row; rows are cut into parts. Tiles are [part][pair][width][width]: the sum over the part's rows of
/// x[a·width + i] x[b·width + j]; sums are [part][dimensions]. Columns beyond the last count as zero.
package struct CovarianceShape: Sendable {
    /// Columns a block.
    package static let width = 112
    /// Rows a part.
    package static let partRows = 4096
    /// Most rows whose products of bytes a 32-bit sum holds.
    package static let mostByteRows = Int(Int32.max) / (255 * 255)
    /// Rows that float32 sums run over at once.
    package static let chunkRows = 128
    /// Number of rows.
    package let count: Int
    /// Number of columns.
    package let dimensions: Int

    /// The shape for a matrix [count][dimensions].
    package init(count: Int, dimensions: Int) {
        self.count = count
        self.dimensions = dimensions
    }
    /// Number of column blocks.
    package var blocks: Int { (dimensions + Self.width - 1) / Self.width }
    /// Number of pairs of column blocks.
    package var pairs: Int { blocks * (blocks + 1) / 2 }
    /// Number of row parts.
    package var parts: Int { (count + Self.partRows - 1) / Self.partRows }
    /// Elements of the tiles.
    package var tileElements: Int { parts * pairs * Self.width * Self.width }
    /// Elements of the sums.
    package var sumElements: Int { parts * dimensions }

    /// The pair of the column blocks `row` <= `column`.
    package func pair(ofBlocks row: Int, _ column: Int) -> Int { row * blocks - row * (row - 1) / 2 + column - row }

    /// The two column blocks of a pair.
    package func blocks(ofPair pair: Int) -> (row: Int, column: Int) {
        var row = 0
        var left = pair
        while left >= blocks - row {
            left -= blocks - row
            row += 1
        }
        return (row, row + left)
    }
}

/// Sums and counts of clusters. Points are taken in rounds of at most ``blocks`` blocks; blocks are added in order into
/// pairs of numbers (sum, correction) that keep what float32 drops. The sums of a block are plain float32, or such pairs.
package struct ClusterSums {
    /// Sums [k][d], then their corrections [k][d].
    package let totals: DeviceBuffer<Float>
    /// Points a cluster, [k].
    package let counts: DeviceBuffer<Int32>
    /// Sums [block][k][d] of the round at hand; [block][2][k][d], sums and then corrections, where they are compensated.
    package let partials: DeviceBuffer<Float>
    /// Points a cluster, [block][k], of the round at hand.
    package let partialCounts: DeviceBuffer<Int32>
    /// k.
    package let count: Int
    /// d.
    package let dimensions: Int
    /// Blocks a round, and points a block.
    package let blocks: Int
    package let blockPoints: Int
    /// Whether the sums of a block have corrections.
    package let isCompensated: Bool

    /// Names what the buffers hold, for rounds of `blocks` blocks of `blockPoints` points.
    package init(
        totals: DeviceBuffer<Float>, counts: DeviceBuffer<Int32>, partials: DeviceBuffer<Float>,
        partialCounts: DeviceBuffer<Int32>, count: Int, dimensions: Int, blocks: Int, blockPoints: Int,
        isCompensated: Bool = false
    ) {
        self.totals = totals
        self.counts = counts
        self.partials = partials
        self.partialCounts = partialCounts
        self.count = count
        self.dimensions = dimensions
        self.blocks = blocks
        self.blockPoints = blockPoints
        self.isCompensated = isCompensated
    }

    /// First points of the rounds that cover `points` points.
    func rounds(of points: Int) -> [Int] { Array(stride(from: 0, to: max(points, 1), by: blocks * blockPoints)) }
    /// Blocks of the round that starts at `first`.
    func blocks(from first: Int, of points: Int) -> Int {
        min(blocks, max(0, points - first + blockPoints - 1) / blockPoints)
    }
}

/// The memory of a k-means++ start (Arthur & Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007),
/// greedy: of a few candidates for each centre the one that leaves the smallest sum of distances is kept.
package struct PlusPlusStart {
    /// Sums of distances, [candidate][block of ``ClusteringShape/blockUnit`` points].
    package let blockSums: DeviceBuffer<Float>
    /// The candidates' points, [candidate], and their coordinates, [dimension][candidate].
    package let candidates: DeviceBuffer<Int32>
    package let coordinates: DeviceBuffer<Float>
    /// Uniform numbers in [0, 1), [centre][candidate].
    package let uniforms: DeviceBuffer<Float>
    /// Which candidate was kept last, [1].
    package let state: DeviceBuffer<Int32>
    /// The points kept, [k].
    package let chosen: DeviceBuffer<Int32>
    /// k.
    package let count: Int
    /// Candidates a centre.
    package let trials: Int
    /// Number of blocks.
    package let blocks: Int

    /// Names what the buffers hold.
    package init(
        blockSums: DeviceBuffer<Float>, candidates: DeviceBuffer<Int32>, coordinates: DeviceBuffer<Float>,
        uniforms: DeviceBuffer<Float>, state: DeviceBuffer<Int32>, chosen: DeviceBuffer<Int32>, count: Int, trials: Int,
        blocks: Int
    ) {
        self.blockSums = blockSums
        self.candidates = candidates
        self.coordinates = coordinates
        self.uniforms = uniforms
        self.state = state
        self.chosen = chosen
        self.count = count
        self.trials = trials
        self.blocks = blocks
    }
}
