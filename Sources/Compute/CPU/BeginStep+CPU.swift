extension CPUBackend {
    /// Copies the schedule's next row into `current`.
    func beginStep(_ schedule: StepSchedule) {
        let step = Int(pointer(schedule.cursor)[0])
        let row = pointer(schedule.batches) + 4 * step
        let current = pointer(schedule.current)
        current[0] = row[0]
        current[1] = row[1]
        current[2] = Int32(step)
        current[3] = 0
    }
}
