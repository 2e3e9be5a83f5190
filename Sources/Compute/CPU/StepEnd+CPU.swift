extension CPUBackend {
    /// The whole gradients, the step's mean loss and right answers, and the next step.
    func finishStep(_ end: StepEnd) {
        sumTileGradients(end.gradients, end.batch, end.schedule.current)
        finishLoss(end)
    }

    /// The whole gradient of the parameters that have one per tile.
    private func sumTileGradients(_ gradients: StepGradients, _ batch: BatchShape, _ current: DeviceBuffer<Int32>) {
        for replica in 0..<batch.replicas where batchUnderWay(current, replica).valid > 0 {
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
        let batch = end.batch
        let index = Int(pointer(end.schedule.current)[2])
        for replica in 0..<batch.replicas {
            let valid = batchUnderWay(end.schedule.current, replica).valid
            guard valid > 0 else { continue }
            var (loss, right) = (Float(0), Float(0))
            for tileIndex in 0..<batch.tiles {
                let sums = pointer(end.lossAndCorrect) + 2 * (replica * batch.tiles + tileIndex)
                loss += sums[0]
                right += sums[1]
            }
            pointer(end.losses)[index * batch.replicas + replica] = loss / Float(valid)
            pointer(end.correct)[index * batch.replicas + replica] = Int32(right)
        }
        pointer(end.schedule.cursor)[0] = Int32(index + 1)
    }

    /// The optimizer's `count` numbers of a replica's step under way.
    func rates(of schedule: StepSchedule, replica: Int, count: Int) -> [Float] {
        let index = Int(pointer(schedule.current)[4 * replica + 3])
        return (0..<count).map { pointer(schedule.rates)[count * index + $0] }
    }

    /// Calls `body` with a replica, the first of some of its parameters and their number until all have had their turn, on
    /// all cores; those of idle replicas have none.
    func overParameters(_ end: StepEnd, _ body: (_ replica: Int, _ start: Int, _ count: Int) -> Void) {
        let count = end.gradients.parameterCount
        let block = 4096
        let blocks = (count + block - 1) / block
        parallel(end.batch.replicas * blocks) { task in
            let (replica, first) = (task / blocks, task % blocks * block)
            guard batchUnderWay(end.schedule.current, replica).valid > 0 else { return }
            body(replica, replica * count + first, min(block, count - first))
        }
    }
}
