extension AdamStep {
    package func compute(on backend: CPUBackend) {
        backend.finishStep(end)
        let steps = (0..<end.batch.replicas).map { replica in
            let rates = backend.rates(
                of: end.schedule, replica: replica, count: { if case .decoupled = decay { 3 } else { 2 } }())
            var adam = LaneAdam(
                count: 0, one_minus_beta1: Float(1 - Self.beta1), beta2: Float(Self.beta2),
                one_minus_beta2: Float(1 - Self.beta2), step_size: rates[0], correction: rates[1],
                epsilon: Float(Self.epsilon), weight_decay: 0, kept: 1)
            switch decay {
            case .none: break
            case .penalty(let weight): adam.weight_decay = weight
            case .decoupled: adam.kept = rates[2]
            }
            return adam
        }
        backend.overParameters(end) { replica, start, count in
            var adam = steps[replica]
            adam.count = count
            backend.loops.adam(
                adam, decay, gradients: backend.pointer(end.gradients.values) + start,
                parameters: backend.pointer(end.parameters) + start,
                firstMoments: backend.pointer(firstMoments) + start,
                secondMoments: backend.pointer(secondMoments) + start)
        }
    }
}
