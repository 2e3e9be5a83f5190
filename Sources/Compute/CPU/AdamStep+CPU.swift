extension CPUBackend {
    public func adamStep(_ step: AdamStep) throws(ComputeError) {
        try step.validate()
        let count = step.gradients.parameterCount
        let index = Int(pointer(step.schedule.current)[2])
        let stepSize = pointer(step.schedule.rates)[2 * index]
        let correction = pointer(step.schedule.rates)[2 * index + 1]
        let block = 4096
        let blocks = (count + block - 1) / block
        parallel(step.replicas * blocks) { task in
            let (replica, first) = (task / blocks, task % blocks * block)
            let start = replica * count + first
            let adam = LaneAdam(
                count: min(block, count - first), slices: step.gradients.slices, slice_stride: count,
                one_minus_beta1: Float(1 - AdamStep.beta1), beta2: Float(AdamStep.beta2),
                one_minus_beta2: Float(1 - AdamStep.beta2), step_size: stepSize, correction: correction,
                epsilon: Float(AdamStep.epsilon))
            loops.adam(
                adam, gradients: pointer(step.gradients, replica: replica, slice: 0) + first,
                parameters: pointer(step.parameters) + start, firstMoments: pointer(step.firstMoments) + start,
                secondMoments: pointer(step.secondMoments) + start)
        }
    }
}
