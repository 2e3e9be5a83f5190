extension CPUBackend {
    /// The whole gradients, the step's mean loss and right answers, and the next step.
    func finishStep(_ end: StepEnd) {
        sumTileGradients(end.gradients, end.batch)
        finishLoss(end)
    }

    /// The whole gradient of the parameters that have one per tile.
    private func sumTileGradients(_ gradients: StepGradients, _ batch: BatchShape) {
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

    private func finishLoss(_ end: StepEnd) {
        let current = pointer(end.schedule.current)
        let (valid, index, batch) = (Float(current[1]), Int(current[2]), end.batch)
        for replica in 0..<batch.replicas {
            var (loss, right) = (Float(0), Float(0))
            for tileIndex in 0..<batch.tiles {
                let sums = pointer(end.lossAndCorrect) + 2 * (replica * batch.tiles + tileIndex)
                loss += sums[0]
                right += sums[1]
            }
            pointer(end.losses)[index * batch.replicas + replica] = loss / valid
            pointer(end.correct)[index * batch.replicas + replica] = Int32(right)
        }
        pointer(end.schedule.cursor)[0] = Int32(index + 1)
    }

    /// The optimizer's `count` numbers of the step under way.
    func rates(of schedule: StepSchedule, count: Int) -> [Float] {
        let index = Int(pointer(schedule.current)[2])
        return (0..<count).map { pointer(schedule.rates)[count * index + $0] }
    }

    /// Calls `body` with the first of some parameters of a replica and their number until all have had their turn, on all
    /// cores.
    func overParameters(_ end: StepEnd, _ body: (_ start: Int, _ count: Int) -> Void) {
        let count = end.gradients.parameterCount
        let block = 4096
        let blocks = (count + block - 1) / block
        parallel(end.batch.replicas * blocks) { task in
            let (replica, first) = (task / blocks, task % blocks * block)
            body(replica * count + first, min(block, count - first))
        }
    }
}
