import Testing

@testable import Compute

/// What the operations of layered networks refuse and cost, which is the same for both of their forms.
@Suite struct LayeredOperationTests {
    private let backend = CPUBackend()
    private let batch = BatchShape(replicas: 2, samples: 20, tile: CPUBackend.tile)

    /// Makes the buffers of an operation, one of which may be an element too short.
    private struct Buffers {
        let backend: CPUBackend
        let short: Int?
        var made = 0

        mutating func next<Element: BufferElement>(_ count: Int, of type: Element.Type = Float.self) throws
            -> DeviceBuffer<Element>
        {
            defer { made += 1 }
            return try backend.makeBuffer(of: type, count: made == short ? count - 1 : count, label: "operand \(made)")
        }
    }

    /// The operation that `make` gives is taken with buffers of the right size, and with no buffer an element shorter.
    private func check<Value: Operation>(
        _ buffers: Int, operations: Int, bytes: Int, _ make: (inout Buffers) throws -> Value
    ) throws {
        var whole = Buffers(backend: backend, short: nil)
        let good = try make(&whole)
        try good.validate(for: backend.layout)
        #expect(whole.made == buffers)
        #expect(good.cost == OperationCost(operations: Double(operations), bytes: Double(bytes)), "\(Value.kernel)")
        for index in 0..<buffers {
            var some = Buffers(backend: backend, short: index)
            let bad = try make(&some)
            do throws(ComputeError) {
                try bad.validate(for: backend.layout)
                Issue.record("\(Value.kernel) takes a short operand \(index)")
            } catch {
                guard case .invalidShape(Value.kernel, _) = error else {
                    Issue.record("\(Value.kernel), operand \(index): \(error)")
                    continue
                }
            }
        }
    }

    private func schedule() throws -> StepSchedule {
        StepSchedule(
            batches: try backend.makeBuffer(of: Int32.self, count: 4, label: "batches"),
            rates: try backend.makeBuffer(of: Float.self, count: 2, label: "rates"),
            cursor: try backend.makeBuffer(of: Int32.self, count: 1, label: "cursor"),
            current: try backend.makeBuffer(of: Int32.self, count: 4, label: "current"))
    }

    /// Two tiles of 16 samples for each of two networks, of which 20 count.
    private let room = 64
    private let counted = 40

    @Test func gatheringAndPredicting() throws {
        let schedule = try schedule()
        let labels = try backend.makeBuffer(of: UInt8.self, count: 3, label: "labels")
        try check(5, operations: 2 * counted * 6, bytes: counted * 6 * 5) { buffers in
            GatherSamples(
                batch: batch, features: 6, channels: 2, samples: .bytes(try buffers.next(18, of: UInt8.self)),
                labels: labels, scaling: try buffers.next(4), order: try buffers.next(21, of: Int32.self),
                orderStride: 20, schedule: schedule, output: try buffers.next(room * 6),
                batchLabels: try buffers.next(room, of: Int32.self))
        }
        try check(2, operations: counted * 3, bytes: 4 * counted * 4) { buffers in
            PredictClasses(
                batch: batch, classes: 3, logits: try buffers.next(room * 3), schedule: schedule,
                predictions: try buffers.next(2 * 20, of: Int32.self), predictionStride: 20)
        }
    }

    @Test func linearLayers() throws {
        let shape = LinearShape(batch: batch, inputs: 5, outputs: 3)
        // Rows of 16, the bias one of them; the second network's begin 112 parameters later.
        let parameters = 112
        func weights(_ buffers: inout Buffers) throws -> ReplicaTensor {
            ReplicaTensor(try buffers.next(16 + parameters + 96), offset: 16, stride: parameters)
        }
        let cost = (operations: 2 * counted * 15, bytes: 4 * (counted * 8 + 2 * 18))
        try check(3, operations: cost.operations, bytes: cost.bytes) { buffers in
            LinearForward(
                shape, input: try buffers.next(room * 5), weights: try weights(&buffers),
                output: try buffers.next(room * 3))
        }
        try check(3, operations: cost.operations, bytes: cost.bytes) { buffers in
            LinearInputGradient(
                shape, outputGradient: try buffers.next(room * 3), weights: try weights(&buffers),
                inputGradient: try buffers.next(room * 5))
        }
    }

    @Test func activationsAndLosses() throws {
        try check(2, operations: counted * 7, bytes: 8 * counted * 7) { buffers in
            ReluForward(
                batch: batch, features: 7, input: try buffers.next(room * 7), output: try buffers.next(room * 7))
        }
        try check(3, operations: counted * 7, bytes: 16 * counted * 7) { buffers in
            ReluBackward(
                batch: batch, features: 7, output: try buffers.next(room * 7), gradient: try buffers.next(room * 7),
                transposedGradient: try buffers.next(room * 16))
        }
        try check(6, operations: 6 * counted * 3, bytes: 12 * counted * 3) { buffers in
            SoftmaxCrossEntropy(
                batch: batch, classes: 3, logits: try buffers.next(room * 3),
                batchLabels: try buffers.next(room, of: Int32.self), current: try buffers.next(4, of: Int32.self),
                delta: try buffers.next(room * 3), transposedDelta: try buffers.next(room * 16),
                lossAndCorrect: try buffers.next(2 * 2 * 2))
        }
    }

    @Test func statisticsOfSamples() throws {
        // Nine operations a logit of three and a multiply-add a value of the last layer's input.
        try check(5, operations: counted * (9 * 3 + 2 * 5), bytes: 4 * counted * (3 + 5 + 8)) { buffers in
            SampleStatistics(
                batch: batch, classes: 3, logits: try buffers.next(room * 3),
                batchLabels: try buffers.next(room, of: Int32.self), current: try buffers.next(4, of: Int32.self),
                hidden: SampleStatistics.LastInput(try buffers.next(room * 5), width: 5),
                statistics: try buffers.next(2 * 8 * 30), stride: 30)
        }
        try check(4, operations: counted * 4 * 3, bytes: 4 * counted * (3 + 3)) { buffers in
            SampleStatistics(
                batch: batch, classes: 3, logits: try buffers.next(room * 3),
                batchLabels: try buffers.next(room, of: Int32.self), current: try buffers.next(4, of: Int32.self),
                statistics: try buffers.next(2 * 3 * 30), stride: 30)
        }
    }
}
