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
    /// Candidates per centre.
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

extension Backend {
    /// The memory of a k-means++ start of `count` centres, `uniforms` being [count][trials].
    package func makePlusPlusStart(count: Int, trials: Int, points: Points, uniforms: [Float]) throws(ComputeError)
        -> PlusPlusStart
    {
        let blocks = max(1, (points.count + ClusteringShape.blockUnit - 1) / ClusteringShape.blockUnit)
        return PlusPlusStart(
            blockSums: try makeBuffer(of: Float.self, count: trials * blocks, label: "sums of distances"),
            candidates: try makeBuffer(of: Int32.self, count: trials, label: "candidates"),
            coordinates: try makeBuffer(
                of: Float.self, count: trials * points.dimensions, label: "candidates' coordinates"),
            uniforms: try makeBuffer(uniforms, label: "uniform numbers"),
            state: try makeBuffer([Int32(0)], label: "candidate kept"),
            chosen: try makeBuffer(of: Int32.self, count: count, label: "centres"), count: count, trials: trials,
            blocks: blocks)
    }

    /// The k-means++ start itself: the points chosen as centres end up in ``PlusPlusStart/chosen``.
    package func runPlusPlus(_ start: PlusPlusStart, of points: Points, first: Int) throws(ComputeError) {
        let elements = start.trials * points.tiles * points.lanes
        var previous = try makeBuffer(of: Float.self, count: elements, label: "distances to candidates")
        var next = try makeBuffer(of: Float.self, count: elements, label: "distances to candidates")
        try fill(previous, with: .infinity)
        try run(KmeansPlusPlusPick(start, of: points, distances: previous, step: -1, first: first))
        for step in 0..<start.count {
            try run(KmeansPlusPlusDistances(start, of: points, previous: previous, next: next))
            try run(KmeansPlusPlusPick(start, of: points, distances: next, step: step, first: first))
            swap(&previous, &next)
        }
    }
}
