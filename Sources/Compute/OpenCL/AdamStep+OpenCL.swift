extension OpenCLBackend {
    public func adamStep(_ step: AdamStep) throws(ComputeError) {
        try step.validate()
        let count = step.gradients.parameterCount
        guard count % 16 == 0 else {
            throw .invalidShape(operation: "Adam step", reason: "\(count) parameters are no multiple of 16: pad them")
        }
        let chunk = profile.splitsWork ? 4 : 256
        let parametersAGroup = chunk * profile.lanes * profile.vectorWidth
        try launchTiles(
            "adam_step", ["COUNT": count, "SLICES": step.gradients.slices, "CHUNK": chunk],
            [
                step.gradients.buffer.argument, step.schedule.rates.argument, step.schedule.current.argument,
                .float(Float(1 - AdamStep.beta1)), .float(Float(AdamStep.beta2)),
                .float(Float(1 - AdamStep.beta2)), .float(Float(AdamStep.epsilon)), step.parameters.argument,
                step.firstMoments.argument, step.secondMoments.argument,
            ], groups: ((count + parametersAGroup - 1) / parametersAGroup, 1, step.replicas))
    }
}
