extension OpenCLBackend {
    public func beginStep(_ schedule: StepSchedule) throws(ComputeError) {
        try launch(
            "begin_step", [],
            [schedule.batches.argument, schedule.cursor.argument, schedule.current.argument], global: [1], local: [1])
    }
}
