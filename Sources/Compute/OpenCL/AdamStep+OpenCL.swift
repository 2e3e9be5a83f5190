extension OpenCLBackend {
    package func adamStep(_ step: AdamStep) throws(ComputeError) {
        try step.validate()
        let gradients = step.gradients
        let chunk = profile.splitsWork ? 4 : 256
        let parametersAGroup = chunk * profile.lanes * profile.vectorWidth
        try launchTiles(
            "adam_step", ["COUNT": gradients.parameterCount, "SLICED": gradients.tileCount, "CHUNK": chunk],
            [
                gradients.values.argument, gradients.tiles.argument, gradients.tileOffset.argument,
                step.batch.tiles.argument, step.results.argument, step.schedule.rates.argument,
                step.schedule.current.argument, .float(Float(1 - AdamStep.beta1)), .float(Float(AdamStep.beta2)),
                .float(Float(1 - AdamStep.beta2)), .float(Float(AdamStep.epsilon)), step.parameters.argument,
                step.firstMoments.argument, step.secondMoments.argument, step.losses.argument, step.correct.argument,
                step.schedule.cursor.argument,
            ],
            groups: ((gradients.parameterCount + parametersAGroup - 1) / parametersAGroup, 1, step.batch.replicas))
    }
}
