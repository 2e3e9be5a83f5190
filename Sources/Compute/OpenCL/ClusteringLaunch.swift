/// Shapes of the clustering kernels on a device.
extension DeviceProfile {
    /// U: vectors of points that a work-item holds. TILE * U divides ``ClusteringShape/blockUnit``.
    var pointVectors: Int { vectorWidth == 16 ? 2 : 1 }

    /// R: centroids a panel; U * R running sums and their operands fit into the registers.
    var centroidsAPanel: Int { vectorWidth == 16 ? 10 : vectorWidth == 1 ? 16 : 8 }

    /// Work-items that share what one does on a processor.
    var group: Int { splitsWork ? 64 : 1 }

    /// Columns of a projection that are brought into local memory at a time: 32 KiB on a processor, 8 on a GPU.
    var projectedColumns: Int { splitsWork ? 64 : 256 }
}

extension OpenCLBackend {
    public var pointLanes: Int { profile.tile * profile.pointVectors }
    public var panelWidth: Int { profile.centroidsAPanel }

    /// The most of `wanted` rows or columns, at least 1, for which a work-group finds local memory. Where it has less
    /// than would hold all, half is left alone: Rusticl counts what a kernel declares twice.
    func fitting(_ wanted: Int, bytesEach: Int) -> Int {
        if 2 * wanted * bytesEach <= clDevice.localMemory { return wanted }
        return max(1, min(wanted, clDevice.localMemory / 2 / bytesEach))
    }

    /// Queues a kernel with at least `count` work-items; the kernel passes over those beyond.
    func launchItems(
        _ kernel: String, _ defines: KeyValuePairs<String, Int>, _ arguments: [KernelArgument], count: Int
    ) throws(ComputeError) {
        let group = 64
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
