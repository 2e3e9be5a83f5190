extension CPUBackend {
    /// The whole gradient of the parameters that have one per tile.
    func sumTileGradients(_ gradients: StepGradients, _ batch: BatchShape) {
        for replica in 0..<batch.replicas {
            let target = pointer(gradients.values) + replica * gradients.parameterCount + gradients.tileOffset
            let source = pointer(gradients.tiles) + replica * batch.tiles * gradients.tileCount
            for index in 0..<gradients.tileCount {
                var sum = source[index]
                for tileIndex in 1..<batch.tiles { sum += source[tileIndex * gradients.tileCount + index] }
                target[index] = sum
            }
        }
    }

    /// The step's mean loss and right answers, and the next step.
    func finishLoss(_ step: AdamStep) {
        let current = pointer(step.schedule.current)
        let (valid, index, batch) = (Float(current[1]), Int(current[2]), step.batch)
        for replica in 0..<batch.replicas {
            var (loss, right) = (Float(0), Float(0))
            for tileIndex in 0..<batch.tiles {
                let sums = pointer(step.lossAndCorrect) + 2 * (replica * batch.tiles + tileIndex)
                loss += sums[0]
                right += sums[1]
            }
            pointer(step.losses)[index * batch.replicas + replica] = loss / valid
            pointer(step.correct)[index * batch.replicas + replica] = Int32(right)
        }
        pointer(step.schedule.cursor)[0] = Int32(index + 1)
    }

    /// Moves parameters and moments on.
    func adamUpdate(_ step: AdamStep) {
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
}
