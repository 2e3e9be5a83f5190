/// A launch whose arguments have names, as a value: no device is needed to hold it against the kernel's text.
struct NamedLaunch {
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

    /// What is wrong with the names or the order of the arguments, nil where the kernel has such parameters.
    func fault(against parameters: [String]) -> String? {
        for (index, (argument, parameter)) in zip(arguments, parameters).enumerated() where argument.0 != parameter {
            return "argument \(index) is \(argument.0), the kernel's parameter is \(parameter)"
        }
        guard arguments.count != parameters.count else { return nil }
        return "\(arguments.count) arguments given, the kernel takes \(parameters.count)"
    }
}

extension OpenCLBackend {
    /// Queues a kernel.
    /// - Throws: ``ComputeError/invalidShape(operation:reason:)`` also where an argument's name is not that of the
    ///   kernel's parameter. A kernel is asked once: its launches differ in values alone.
    func launch(_ launch: NamedLaunch) throws(ComputeError) {
        let key = KernelKey(kernel: launch.kernel, defines: launch.defines.map { (name: $0.0, value: $0.1) })
        if kernels[key] == nil, let fault = launch.fault(against: try parameterNames(key)) {
            throw .invalidShape(operation: launch.kernel, reason: fault)
        }
        try self.launch(key, launch.arguments.map(\.1), launch.global, launch.local)
    }
}
