extension Tunable {
    /// U: vectors of points that a work-item holds, TILE * U dividing ``ClusteringShape/blockUnit``; and R: centroids a
    /// panel, U * R running sums and their operands fitting into the registers.
    static let pointBlock = Tunable(
        "point_block", of: ["kmeans_assign", "pca_project"],
        arrangedBy: [
            "points_pack", "points_unpack", "points_gather", "centroids_gather", "kmeans_panels", "kmeans_accumulate",
            "kmeans_accumulate_update", "kmeans_plus_plus_distances", "kmeans_plus_plus_pick",
        ]
    ) { profile in
        switch profile.vectorWidth {
        case 16: [[2, 10], [1, 10], [1, 16], [2, 8], [2, 12], [4, 5], [4, 6]]
        case 1: [[1, 16], [1, 8], [1, 12], [1, 24], [2, 8], [2, 12], [4, 8]]
        default: [[1, 8], [1, 10], [1, 12], [2, 4], [2, 5], [2, 6], [4, 3]]
        }
    }

    /// Columns of a projection that are brought into local memory at a time: 32 KiB on a processor, 8 on a GPU.
    static let projectedColumns = Tunable("projected_columns", of: ["pca_project"]) {
        $0.splitsWork ? [[64], [32], [128]] : [[256], [64], [128], [512]]
    }
}

extension DeviceProfile {
    /// Work-items that share what one does on a processor.
    var group: Int { splitsWork ? 64 : 1 }
}

extension OpenCLBackend {
    /// U: vectors of points that a work-item holds.
    var pointVectors: Int { sizes[.pointBlock][0] }
    package var pointLanes: Int { profile.tile * pointVectors }
    package var panelWidth: Int { sizes[.pointBlock][1] }
    var projectedColumns: Int { sizes[.projectedColumns][0] }

    /// The most of `wanted` rows or columns, at least 1, for which a work-group finds local memory, with `besides` bytes
    /// for other things. Where it has less than would hold all, half is left alone: Rusticl counts what a kernel
    /// declares twice.
    func fitting(_ wanted: Int, bytesEach: Int, besides: Int = 0) -> Int {
        if 2 * (wanted * bytesEach + besides) <= clDevice.localMemory { return wanted }
        return max(1, min(wanted, (clDevice.localMemory / 2 - besides) / bytesEach))
    }

    /// Queues a kernel with at least `count` work-items; the kernel passes over those beyond.
    func launchItems(
        _ kernel: String, _ defines: KeyValuePairs<String, Int>, _ arguments: [KernelArgument], count: Int
    ) throws(ComputeError) {
        let group = min(64, clDevice.maxWorkGroupSize, clDevice.maxWorkItemSizes[0])
        try launch(
            kernel, defines, arguments, global: [(count + group - 1) / group * group], local: [group])
    }
}

extension Rows {
    /// The elements as a kernel's argument, whatever their type.
    var argument: KernelArgument {
        switch storage {
        case .bytes(let buffer): buffer.argument
        case .floats(let buffer): buffer.argument
        }
    }

    /// BYTES: 1 for 8-bit elements.
    var bytesDefine: Int {
        switch storage {
        case .bytes: 1
        case .floats: 0
        }
    }
}
