import Compute

/// The statistics of every sample of a store under one network, each array [sample].
package struct NetworkStatistics: Sendable {
    private let values: [[Float]]
    /// As ``Evaluation/isFinite``.
    package let isFinite: Bool

    /// - Parameter values: [statistic][sample].
    init(_ values: [[Float]], isFinite: Bool) {
        self.values = values
        self.isFinite = isFinite
    }

    /// One of them.
    package subscript(statistic: SampleStatistic) -> [Float] { values[statistic.rawValue] }
}

extension Evaluator {
    /// The statistics of every sample under each of `weights`, which share a layout, in inference mode: batch norm takes the
    /// running statistics.
    /// - Throws: what ``evaluate(_:)`` throws.
    package func statistics(_ weights: [ModelWeights]) throws(NetworkError) -> [NetworkStatistics] {
        if let fault = weights.lazy.compactMap(\.fault).first { throw .unusableWeights(reason: fault) }
        guard !weights.isEmpty else { return [] }
        let (backend, count, kinds) = (backend, store.count, SampleStatistic.allCases.count)
        let buffer = try onDevice { () throws(ComputeError) in
            try backend.makeBuffer(of: Float.self, count: weights.count * kinds * count, label: "statistics")
        }
        let (_, areFinite) = try predictions(
            weights,
            afterBatch: { network throws(ComputeError) in
                try network.writeStatistics(buffer, stride: count, all: true, on: backend)
            })
        return try onDevice { () throws(ComputeError) in
            var results: [NetworkStatistics] = []
            for (replica, isFinite) in areFinite.enumerated() {
                var values: [[Float]] = []
                for kind in 0..<kinds {
                    values.append(try backend.read(buffer, at: (replica * kinds + kind) * count, count: count))
                }
                results.append(NetworkStatistics(values, isFinite: isFinite))
            }
            return results
        }
    }
}
