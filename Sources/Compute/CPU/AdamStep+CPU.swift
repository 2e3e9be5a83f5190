extension CPUBackend {
    package func adamStep(_ step: AdamStep) throws(ComputeError) {
        try step.validate()
        finishGradients(step)
        finishResults(step)
        let count = step.gradients.parameterCount
        let index = Int(pointer(step.schedule.current)[2])
        let stepSize = pointer(step.schedule.rates)[2 * index]
        let correction = pointer(step.schedule.rates)[2 * index + 1]
        let block = 4096
        let blocks = (count + block - 1) / block
        parallel(step.batch.replicas * blocks) { task in
            let (replica, first) = (task / blocks, task % blocks * block)
            let start = replica * count + first
            let adam = LaneAdam(
                count: min(block, count - first), one_minus_beta1: Float(1 - AdamStep.beta1),
                beta2: Float(AdamStep.beta2),
                one_minus_beta2: Float(1 - AdamStep.beta2), step_size: stepSize, correction: correction,
                epsilon: Float(AdamStep.epsilon))
            loops.adam(
                adam, gradients: pointer(step.gradients.values) + start,
                parameters: pointer(step.parameters) + start, firstMoments: pointer(step.firstMoments) + start,
                secondMoments: pointer(step.secondMoments) + start)
        }
    }

    /// Adds up what the tiles have of the sliced gradients.
    private func finishGradients(_ step: AdamStep) {
        let (gradients, tiles) = (step.gradients, step.batch.tiles)
        for replica in 0..<step.batch.replicas {
            let target = pointer(gradients.values) + replica * gradients.parameterCount + gradients.tileOffset
            let source = pointer(gradients.tiles) + replica * tiles * gradients.tileCount
            for index in 0..<gradients.tileCount {
                var sum = source[index]
                for tileIndex in 1..<max(tiles, 1) { sum += source[tileIndex * gradients.tileCount + index] }
                target[index] = sum
            }
        }
    }

    /// The step's loss and right answers, and the next step.
    private func finishResults(_ step: AdamStep) {
        let current = pointer(step.schedule.current)
        let (valid, index, replicas) = (Float(current[1]), Int(current[2]), step.batch.replicas)
        for replica in 0..<replicas {
            var (loss, right) = (Float(0), Float(0))
            for tileIndex in 0..<step.batch.tiles {
                let result = pointer(step.results) + 2 * (replica * step.batch.tiles + tileIndex)
                loss += result[0]
                right += result[1]
            }
            pointer(step.losses)[index * replicas + replica] = loss / valid
            pointer(step.correct)[index * replicas + replica] = Int32(right)
        }
        pointer(step.schedule.cursor)[0] = Int32(index + 1)
    }
}
