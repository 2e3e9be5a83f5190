import Compute

/// Records on the device statistics of the samples of an epoch while R networks are trained on them, and hands them over.
final class EpochRecorder {
    /// Each run's samples in the order of the epoch under way: [run][position].
    var orders: [[Int32]]
    private let store: SampleStore
    private let size: Int
    private let backend: any Backend
    /// [run][statistic][position].
    private let statistics: DeviceBuffer<Float>
    private let record: (RecordedEpoch) -> Void

    /// A recorder of runs over `size` samples each.
    init(
        _ store: SampleStore, runs: [TrainingRun], size: Int, on backend: any Backend,
        record: @escaping (RecordedEpoch) -> Void
    ) throws(ComputeError) {
        self.store = store
        self.size = size
        self.backend = backend
        self.record = record
        orders = [[Int32]](repeating: [], count: runs.count)
        statistics = try backend.makeBuffer(
            of: Float.self, count: runs.count * SampleStatistic.recorded.count * size, label: "training dynamics")
    }

    /// Queues the recording of the batch that `network` has just been trained on.
    func record(_ network: any Network) throws(ComputeError) {
        try network.writeStatistics(statistics, stride: size, all: false, on: backend)
    }

    /// Waits, and hands over the epoch, of whose order the first `trained` positions have been trained on.
    func handOver(epochs: Int, trained: Int) throws(ComputeError) {
        let count = SampleStatistic.recorded.count
        for (run, order) in orders.enumerated() {
            let flat = try backend.read(statistics, at: run * count * size, count: count * size)
            func values(_ statistic: SampleStatistic) -> [Float] {
                var values = [Float](repeating: .nan, count: store.count)
                let first = statistic.rawValue * size
                for (position, sample) in order.prefix(trained).enumerated() {
                    values[Int(sample)] = flat[first + position]
                }
                return values
            }
            record(
                RecordedEpoch(
                    run: run, epochs: epochs, probability: values(.probability), margin: values(.margin),
                    isRight: values(.isRight)))
        }
    }
}
