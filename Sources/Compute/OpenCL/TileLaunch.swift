/// How kernels are launched over tiles: work-groups of the LANES work-items that share one.
extension OpenCLBackend {
    /// Queues a kernel over `groups` work-groups.
    func launchTiles(
        _ kernel: String, _ defines: KeyValuePairs<String, Int>, _ arguments: [KernelArgument],
        groups: (Int, Int, Int)
    ) throws(ComputeError) {
        try launch(
            kernel, defines, arguments, global: [groups.0 * profile.lanes, groups.1, groups.2],
            local: [profile.lanes, 1, 1])
    }

    package var suggestedReplicas: Int { profile.suggestedReplicas }
}

extension DeviceProfile {
    /// TEAM: members of a work-group that share the work on a tile.
    var team: Int { splitsWork ? 256 / lanes : 1 }

    /// Networks to train side by side unless the user says. One this small does not fill a GPU; a processor is full with
    /// one, and shares its launch costs among five.
    package var suggestedReplicas: Int { splitsWork ? 40 : 5 }

    /// Whether the device has so many work-items to fill that rows and tiles go to work-groups of their own.
    package var splitsWork: Bool { vectorWidth == 1 }
}

/// The largest divisor of `count` that is at most `limit`: kernels that hold a block in registers have no odd ends.
func divisor(of count: Int, atMost limit: Int) -> Int {
    stride(from: min(count, max(limit, 1)), to: 1, by: -1).first { count % $0 == 0 } ?? 1
}

extension Int {
    /// As a kernel's int.
    var argument: KernelArgument { .int(self) }
}
