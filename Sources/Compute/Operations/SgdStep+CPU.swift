extension SgdStep {
    package func compute(on backend: CPUBackend) {
        backend.finishStep(end)
        let learningRates = (0..<end.batch.replicas).map {
            backend.rates(of: end.schedule, replica: $0, count: 2)[0]
        }
        backend.overParameters(end) { replica, start, count in
            backend.loops.sgd(
                LaneSgd(
                    count: count, learning_rate: learningRates[replica], momentum: momentum?.share ?? 0,
                    weight_decay: weightDecay),
                gradients: backend.pointer(end.gradients.values) + start,
                parameters: backend.pointer(end.parameters) + start,
                velocities: momentum.map { backend.pointer($0.velocities) + start })
        }
    }
}
