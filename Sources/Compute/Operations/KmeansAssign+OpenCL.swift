extension Tunable {
    /// U: vectors of points that a work-item holds, TILE * U dividing ``ClusteringShape/blockUnit``; and R: centroids a
    /// panel, U * R running sums and their operands fitting into the registers.
    static let pointBlock = Tunable(
        "point_block", of: [KmeansAssign.kernel, PcaProject.kernel],
        arrangedBy: [
            PointsPack.kernel, PointsUnpack.kernel, PointsGather.kernel, CentroidsGather.kernel, KmeansPanels.kernel,
            KmeansCoarse.kernel, KmeansAccumulate.kernel, KmeansAccumulateUpdate.kernel, KmeansPlusPlusDistances.kernel,
            KmeansPlusPlusPick.kernel, GreedyDistances.kernel, GreedyPick.kernel,
        ]
    ) { profile in
        switch profile.vectorWidth {
        case 16: [[2, 10], [1, 10], [1, 16], [2, 8], [2, 12], [4, 5], [4, 6]]
        case 1: [[1, 16], [1, 8], [1, 12], [1, 24], [2, 8], [2, 12], [4, 8]]
        default: [[1, 8], [1, 10], [1, 12], [2, 4], [2, 5], [2, 6], [4, 3]]
        }
    }
}

extension BlockSizes {
    /// U: vectors of points that a work-item holds.
    var pointVectors: Int { self[.pointBlock][0] }
    /// How kernels lay numbers out.
    var layout: DataLayout {
        DataLayout(
            tile: profile.tile, pointLanes: profile.tile * pointVectors, panelWidth: self[.pointBlock][1])
    }
}

extension KmeansAssign {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        let gathered = batch.map { [$0.rows.argument, $0.indices.argument, $0.first.argument] } ?? []
        let searched = coarse.map { [$0.numbers.argument, $0.bounds.argument] } ?? []
        try backend.launchTiles(
            Self.kernel,
            [
                "D": points.dimensions, "P": points.lanes, "U": backend.sizes.pointVectors,
                "R": centroids.panelWidth, "DISTANCES": distances == nil ? 0 : 1, "GATHER": batch == nil ? 0 : 1,
                "DIRECT": direct ? 1 : 0, "COARSE": coarse == nil ? 0 : 1,
            ],
            [
                points.buffer.argument, centroids.panels.argument, centroids.values.argument, labels.argument,
                // Without distances the argument is not used: any buffer will do.
                (distances ?? points.buffer).argument, points.count.argument, centroids.panelCount.argument,
            ] + gathered + searched, groups: (points.tiles, 1, 1))
    }
}
