extension SgdStep {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        var numbers: [(String, KernelArgument)] = [("weight_decay", .float(weightDecay))]
        if let momentum {
            numbers += [("momentum", .float(momentum.share)), ("velocities", momentum.velocities.argument)]
        }
        return end.namedLaunch(
            Self.kernel, [("MOMENTUM", momentum == nil ? 0 : 1)], numbers: numbers, state: [], sizes)
    }
}
