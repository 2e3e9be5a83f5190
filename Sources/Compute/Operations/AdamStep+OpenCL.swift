extension AdamStep {
    package func launch(on backend: OpenCLBackend) throws(ComputeError) {
        try backend.launch(namedLaunch(backend.sizes))
    }

    func namedLaunch(_ sizes: BlockSizes) -> NamedLaunch {
        var numbers: [(String, KernelArgument)] = [
            ("one_minus_beta1", .float(Float(1 - Self.beta1))), ("beta2", .float(Float(Self.beta2))),
            ("one_minus_beta2", .float(Float(1 - Self.beta2))), ("epsilon", .float(Float(Self.epsilon))),
        ]
        var (hasPenalty, isDecoupled) = (false, false)
        switch decay {
        case .none: break
        case .penalty(let weight):
            hasPenalty = true
            numbers.append(("weight_decay", .float(weight)))
        case .decoupled: isDecoupled = true
        }
        return end.namedLaunch(
            Self.kernel, [("PENALTY", hasPenalty ? 1 : 0), ("DECOUPLED", isDecoupled ? 1 : 0)],
            numbers: numbers,
            state: [("first_moments", firstMoments.argument), ("second_moments", secondMoments.argument)], sizes)
    }
}
