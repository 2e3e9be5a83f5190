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
            current: try backend.makeBuffer(of: Int32.self, count: 8, label: "current"))
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

    /// Tens where they cover no more outputs than eights, on a processor whose vectors hold 16 samples.
    @Test(arguments: [(1, 8), (8, 8), (9, 10), (10, 10), (100, 10), (256, 8), (300, 10), (784, 8)])
    func blocksOfLinearLayersSuitTheirWidth(outputs: Int, block: Int) throws {
        let shape = LinearShape(batch: batch, inputs: 5, outputs: outputs)
        var buffers = Buffers(backend: backend, short: nil)
        let layer = LinearForward(
            shape, input: try buffers.next(1),
            weights: ReplicaTensor(try buffers.next(1), offset: 0, stride: 1), output: try buffers.next(1))
        func taken(_ profile: DeviceProfile) -> Int? {
            layer.namedLaunch(BlockSizes(profile)).defines.first { $0.0 == "BLOCK" }?.1
        }
        #expect(taken(.cpu16) == block)
        #expect(taken(.cpu8) == 4 && taken(.gpu) == 4)
    }

    /// Eight members to a work-group of this profile, each with a feature, or a word of four bytes, at a time.
    @Test func gatheringHasAsManyWorkGroupsAsHaveWork() throws {
        let schedule = try schedule()
        var buffers = Buffers(backend: backend, short: nil)
        let bytes = try buffers.next(1, of: UInt8.self)
        let floats = try buffers.next(1)
        let integers = try buffers.next(1, of: Int32.self)
        func shares(_ samples: SampleBuffer, channels: Int, augmented: Bool = false) -> Int {
            let operation = GatherSamples(
                batch: batch, features: 64, channels: channels, samples: samples, labels: bytes, scaling: floats,
                order: integers, orderStride: 0, schedule: schedule,
                augmentation: augmented ? Augmentation(width: 8, changes: integers) : nil, output: floats,
                batchLabels: integers)
            return operation.namedLaunch(BlockSizes(.gpu)).global[1] / DeviceProfile.gpu.team
        }
        #expect(shares(.bytes(bytes), channels: 1) == 2)
        #expect(shares(.bytes(bytes), channels: 32) == 8)
        #expect(shares(.bytes(bytes), channels: 1, augmented: true) == 8)
        #expect(shares(.floats(floats), channels: 1) == 8)
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

    /// What a layer before another linear layer, or before batch norm, has more or less.
    @Test func transposedGradients() throws {
        let shape = LinearShape(batch: batch, inputs: 5, outputs: 3)
        let weights = ReplicaTensor(
            try backend.makeBuffer(of: Float.self, count: 224, label: "weights"), offset: 0, stride: 112)
        try check(3, operations: 2 * counted * 15, bytes: 4 * (counted * 13 + 2 * 18)) { buffers in
            LinearInputGradient(
                shape, outputGradient: try buffers.next(room * 3), weights: weights,
                inputGradient: try buffers.next(room * 5), transposedGradient: try buffers.next(room * 16))
        }
        try check(2, operations: counted * 7, bytes: 12 * counted * 7) { buffers in
            ReluBackward(
                batch: batch, features: 7, output: try buffers.next(room * 7), gradient: try buffers.next(room * 7),
                transposedGradient: nil)
        }
    }

    @Test func convolutions() throws {
        // 3 planes of 4x5 and padding of 1 around them to 2 planes of 5x6: of a row's 6 x 2 taps 10 are inside, of a
        // column's 5 x 2 taps 8.
        let shape = Conv2DShape(batch: batch, inChannels: 3, outChannels: 2, height: 4, width: 5, kernel: 2, padding: 1)
        let (products, values) = (3 * 2 * 10 * 8, 3 * 20 + 2 * 30)
        func tensors(_ buffers: inout Buffers) throws -> (ReplicaTensor, ReplicaTensor) {
            // The biases of the second network come last.
            let buffer = try buffers.next(48 + 32 + 2)
            return (ReplicaTensor(buffer, offset: 0, stride: 48), ReplicaTensor(buffer, offset: 32, stride: 48))
        }
        try check(3, operations: 2 * counted * products, bytes: 4 * (counted * values + 2 * 26)) { buffers in
            let (weights, bias) = try tensors(&buffers)
            return Conv2dForward(
                shape: shape, input: try buffers.next(room * 60), weights: weights, bias: bias,
                output: try buffers.next(room * 60))
        }
        try check(3, operations: 2 * counted * products, bytes: 4 * (counted * values + 2 * 24)) { buffers in
            Conv2dInputGradient(
                shape: shape, outputGradient: try buffers.next(room * 60),
                weights: ReplicaTensor(try buffers.next(48 + 24), offset: 0, stride: 48),
                inputGradient: try buffers.next(room * 60))
        }
        try check(
            4, operations: counted * (2 * products + 60), bytes: 4 * (counted * values + 2 * 26)
        ) { buffers in
            // Biases are not read; only their place counts.
            let weights = ReplicaTensor(try buffers.next(48 + 24), offset: 0, stride: 48)
            return Conv2dKernelGradients(
                shape: shape, input: try buffers.next(room * 60), outputGradient: try buffers.next(room * 60),
                weights: weights, bias: ReplicaTensor(weights.buffer, offset: 32, stride: 48),
                gradients: StepGradients(try buffers.next(96), parameterCount: 48))
        }
        let floats = try backend.makeBuffer(of: Float.self, count: 10_000, label: "values")
        let weights = ReplicaTensor(floats, offset: 0, stride: 48)
        for (padding, kernel) in [(-1, 1), (0, 5), (1, 7)] {
            var shape = shape
            (shape.padding, shape.kernel) = (padding, kernel)
            #expect(throws: ComputeError.self, "padding \(padding), kernel \(kernel)") {
                try Conv2dInputGradient(
                    shape: shape, outputGradient: floats, weights: weights, inputGradient: floats
                ).validate(for: backend.layout)
            }
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
                batchLabels: try buffers.next(room, of: Int32.self), current: try buffers.next(8, of: Int32.self),
                delta: try buffers.next(room * 3), transposedDelta: try buffers.next(room * 16),
                lossAndCorrect: try buffers.next(2 * 2 * 2))
        }
    }

    @Test func statisticsOfSamples() throws {
        // Nine operations a logit of three and a multiply-add a value of the last layer's input.
        try check(5, operations: counted * (9 * 3 + 2 * 5), bytes: 4 * counted * (3 + 5 + 8)) { buffers in
            SampleStatistics(
                batch: batch, classes: 3, logits: try buffers.next(room * 3),
                batchLabels: try buffers.next(room, of: Int32.self), current: try buffers.next(8, of: Int32.self),
                hidden: SampleStatistics.LastInput(try buffers.next(room * 5), width: 5),
                statistics: try buffers.next(2 * 8 * 30), stride: 30)
        }
        try check(4, operations: counted * 4 * 3, bytes: 4 * counted * (3 + 3)) { buffers in
            SampleStatistics(
                batch: batch, classes: 3, logits: try buffers.next(room * 3),
                batchLabels: try buffers.next(room, of: Int32.self), current: try buffers.next(8, of: Int32.self),
                statistics: try buffers.next(2 * 3 * 30), stride: 30)
        }
    }
}
