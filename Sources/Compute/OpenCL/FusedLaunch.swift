import OpenCL

/// The launch of a fused kernel as a value: no device is needed to hold it against the kernel's text.
struct FusedLaunch {
    let kernel: String
    let defines: [(String, Int)]
    /// Under the names of the kernel's parameters, in their order.
    let arguments: [(String, KernelArgument)]
    let global: [Int]
    let local: [Int]

    /// `teams` times `shares` work-groups of a team for each replica.
    init(
        _ kernel: String, _ defines: [(String, Int)], _ arguments: [(String, KernelArgument)], teams: Int,
        shares: Int = 1, replicas: Int, _ profile: DeviceProfile
    ) {
        self.kernel = kernel
        self.defines = defines
        self.arguments = arguments
        global = [teams * profile.lanes, shares * profile.team, replicas]
        local = [profile.lanes, profile.team, 1]
    }

    /// `tiles` work-groups of the work-items that share one for each replica.
    init(
        _ kernel: String, _ defines: [(String, Int)], _ arguments: [(String, KernelArgument)], tiles: Int,
        replicas: Int, _ profile: DeviceProfile
    ) {
        self.kernel = kernel
        self.defines = defines
        self.arguments = arguments
        global = [tiles * profile.lanes, 1, replicas]
        local = [profile.lanes, 1, 1]
    }
}

extension OpenCLBackend {
    /// Queues a fused kernel.
    func launch(_ launch: FusedLaunch) throws(ComputeError) {
        try self.launch(
            launch.kernel, launch.defines, launch.arguments.map(\.1), global: launch.global, local: launch.local)
    }
}
