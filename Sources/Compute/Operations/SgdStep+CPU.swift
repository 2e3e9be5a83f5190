extension SgdStep {
    package func compute(on backend: CPUBackend) {
        backend.finishStep(end)
        let learningRate = backend.rates(of: end.schedule, count: 2)[0]
        backend.overParameters(end) { start, count in
            backend.loops.sgd(
                LaneSgd(
                    count: count, learning_rate: learningRate, momentum: momentum?.share ?? 0,
                    weight_decay: weightDecay),
                gradients: backend.pointer(end.gradients.values) + start,
                parameters: backend.pointer(end.parameters) + start,
                velocities: momentum.map { backend.pointer($0.velocities) + start })
        }
    }
}
