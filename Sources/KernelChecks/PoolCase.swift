import Compute

/// A pool or its gradient.
struct PoolCase: KernelCase {
    /// Which operation.
    enum Operation {
        case avgForward
        case avgBackward
        case maxForward
        case maxBackward
    }
    /// Planes of `height` x `width` and the side of their windows.
    struct Planes {
        let channels, height, width, side: Int
        var windows: (rows: Int, columns: Int) { (height / side, width / side) }
        var count: Int { channels * height * width }
        var pooledCount: Int { channels * windows.rows * windows.columns }

        /// The places, row by row, of the values of window `window`, counted over all channels.
        func places(of window: Int) -> [Int] {
            let (row, column) = (window / windows.columns, window % windows.columns)
            let corner = (row / windows.rows * height + row % windows.rows * side) * width + column * side
            return (0..<side * side).map { corner + $0 / side * width + $0 % side }
        }
    }
    let operation: Operation
    let batch: (replicas: Int, samples: Int)
    let planes: Planes
    let seed: UInt64
    var kernel: String {
        switch operation {
        case .avgForward: AvgPoolForward.kernel
        case .avgBackward: AvgPoolBackward.kernel
        case .maxForward: MaxPoolForward.kernel
        case .maxBackward: MaxPoolBackward.kernel
        }
    }
    var name: String {
        "R \(batch.replicas), batch \(batch.samples), \(planes.channels)x\(planes.height)x\(planes.width) by "
            + "\(planes.side), seed \(seed)"
    }
    var form: String { "any" }
    var cost: Int { 2 * batch.replicas * AwkwardBatch.room(for: batch.samples) * planes.count }

    /// Windows of one value, of whole planes and of more than 256 values; rows, columns and both that are left over.
    private static let shapes = [
        Planes(channels: 1, height: 1, width: 1, side: 1), Planes(channels: 1, height: 2, width: 3, side: 2),
        Planes(channels: 3, height: 5, width: 4, side: 2), Planes(channels: 2, height: 7, width: 8, side: 3),
        Planes(channels: 17, height: 4, width: 4, side: 2), Planes(channels: 1, height: 19, width: 17, side: 17),
        Planes(channels: 5, height: 6, width: 9, side: 3), Planes(channels: 2, height: 13, width: 11, side: 4),
    ]

    static func cases(_ operation: Operation, seed: UInt64) -> [any KernelCase] {
        zip(shapes, AwkwardBatch.all).map { PoolCase(operation: operation, batch: $1, planes: $0, seed: seed) }
    }

    /// The second pool of `lenet5-1998`.
    static func launched(_ operation: Operation, seed: UInt64, replicas: Int) -> [any KernelCase] {
        [
            PoolCase(
                operation: operation, batch: (min(replicas, 2), 64),
                planes: Planes(channels: 16, height: 10, width: 10, side: 2), seed: seed)
        ]
    }

    func run(on backend: any Backend, reference: CPUBackend) throws -> CaseResult {
        var judge = CaseJudge(self)
        var random = CaseInputs(seed: seed)
        let batch = CaseBatch(backend, self.batch)
        let shape = PoolShape(
            batch: batch.shape, channels: planes.channels, height: planes.height, width: planes.width,
            side: planes.side)
        let samples = self.batch.replicas * self.batch.samples
        switch operation {
        case .avgForward:
            var values = random.floats(samples * planes.count)
            values[values.count - 1] = .nan
            let output = try batch.output(planes.pooledCount, label: "output")
            try backend.run(
                AvgPoolForward(
                    shape, input: try batch.activation(values, values: planes.count, masked: 3, label: "input"),
                    output: output.buffer))
            let actual = try output.contents()
            judge.checkGuards("output", actual)
            judge.check(
                "output", batch.layout(planes.pooledCount).unpack(actual.values),
                equals: eachWindow(of: values, samples) { window in
                    Bounded.sum(window.map { Bounded($0) }, additions: window.count)
                        / Bounded(Double(window.count))
                })
        case .maxForward:
            try checkLargest(values(random: &random, samples), shape, batch, &judge)
        case .avgBackward, .maxBackward:
            let gradients = random.floats(samples * planes.pooledCount)
            let outputGradient = try batch.activation(
                gradients, values: planes.pooledCount, label: "gradient of the output")
            let inputGradient = try batch.output(planes.count, label: "gradient of the input")
            var due = [Bounded](repeating: Bounded(0.0), count: samples * planes.count)
            let area = planes.side * planes.side
            let places = random.integers(gradients.count, in: 0..<area)
            for (index, gradient) in gradients.enumerated() {
                let first = index / planes.pooledCount * planes.count
                for (place, value) in planes.places(of: index % planes.pooledCount).enumerated() {
                    due[first + value] =
                        operation == .avgBackward
                        ? Bounded(gradient) / Bounded(Double(area))
                        : Bounded(place == places[index] ? gradient : 0)
                }
            }
            if operation == .avgBackward {
                try backend.run(
                    AvgPoolBackward(shape, outputGradient: outputGradient, inputGradient: inputGradient.buffer))
            } else {
                let winners = try backend.makeBuffer(
                    batch.layout(planes.pooledCount).pack(places, masked: 0), label: "winners")
                try backend.run(
                    MaxPoolBackward(
                        shape, outputGradient: outputGradient, winners: winners, inputGradient: inputGradient.buffer)
                )
            }
            let actual = try inputGradient.contents()
            judge.checkGuards("gradient of the input", actual)
            let layout = batch.layout(planes.count)
            judge.check("gradient of the input", layout.unpack(actual.values), equals: due)
            if layout.maskedValues(actual.values).contains(where: { $0 != 0 }) {
                judge.complain("a masked sample has a gradient")
            }
        }
        return judge.result
    }

    /// Values of which many are equal, with a window of nothing but -infinity in the first sample, and NaN and infinity
    /// before and after others in windows of the last.
    private func values(random: inout CaseInputs, _ samples: Int) -> [Float] {
        var values = random.floats(samples * planes.count, in: -3...3).map { $0.rounded() }
        for place in planes.places(of: 0) { values[place] = -.infinity }
        let last = (samples - 1) * planes.count
        let window = planes.places(of: planes.pooledCount - 1)
        for (place, special) in zip(window.dropFirst(), [Float.infinity, .nan, .nan, 1]) {
            values[last + place] = special
        }
        return values
    }

    private func checkLargest(_ values: [Float], _ shape: PoolShape, _ batch: CaseBatch, _ judge: inout CaseJudge)
        throws
    {
        let samples = batch.replicas * batch.samples
        let output = try batch.output(planes.pooledCount, label: "output")
        let layout = batch.layout(planes.pooledCount)
        let winners = try GuardedBuffer<Int32>(on: batch.backend, count: layout.count, label: "winners")
        try batch.backend.run(
            MaxPoolForward(
                shape, input: try batch.activation(values, values: planes.count, masked: 3, label: "input"),
                output: output.buffer, winners: winners.buffer))
        let due = eachWindow(of: values, samples) { window in
            window.firstIndex(where: \.isNaN)
                ?? window.indices.reduce(0) { window[$1] > window[$0] ? $1 : $0 }
        }
        let actual = try output.contents()
        judge.checkGuards("output", actual)
        let largest = eachWindow(of: values, samples) { $0 }
        judge.check(
            "output", layout.unpack(actual.values), equals: zip(largest, due).map { $0[$1] }, within: .exact)
        let places = try winners.contents()
        judge.checkGuards("winners", places)
        let plain = layout.unpack(places.values)
        judge.note(plain)
        if let complaint = differences(plain, due.map { Int32($0) }) { judge.complain("winners\(complaint)") }
    }

    /// What `body` makes of the values of each sample's windows, in their order.
    private func eachWindow<Result>(of values: [Float], _ samples: Int, _ body: ([Float]) -> Result) -> [Result] {
        (0..<samples * planes.pooledCount).map { index in
            let first = index / planes.pooledCount * planes.count
            return body(planes.places(of: index % planes.pooledCount).map { values[first + $0] })
        }
    }
}
