extension DeviceProfile {
    /// Work-items that share what one does on a processor.
    var group: Int { splitsWork ? 64 : 1 }
}

extension OpenCLBackend {
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
