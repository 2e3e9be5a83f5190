extension CPUBackend {
    public func gradientSlices(tiles: Int) -> Int { 1 }

    public func beginStep(_ schedule: StepSchedule) throws(ComputeError) {
        let step = Int(pointer(schedule.cursor)[0])
        let row = pointer(schedule.batches) + 4 * step
        let current = pointer(schedule.current)
        current[0] = row[0]
        current[1] = row[1]
        current[2] = Int32(step)
        current[3] = 0
        pointer(schedule.cursor)[0] = Int32(step + 1)
    }
}
