extension CPUBackend {
    /// Copies the schedule's next row, or each replica's own, into `current`.
    func beginStep(_ schedule: StepSchedule, replicas: Int) {
        let step = Int(pointer(schedule.cursor)[0])
        for replica in 0..<replicas {
            let row = step * schedule.rows + min(replica, schedule.rows - 1)
            let current = pointer(schedule.current) + 4 * replica
            current[0] = pointer(schedule.batches)[4 * row]
            current[1] = pointer(schedule.batches)[4 * row + 1]
            current[2] = Int32(step)
            current[3] = Int32(row)
        }
    }

    /// A replica's row of ``StepSchedule/current``: its batch's first sample in the order, and the number of valid samples.
    func batchUnderWay(_ current: DeviceBuffer<Int32>, _ replica: Int) -> (base: Int, valid: Int) {
        let row = pointer(current) + 4 * replica
        return (Int(row[0]), Int(row[1]))
    }
}
