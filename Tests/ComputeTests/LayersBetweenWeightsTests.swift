import Foundation
import TestSupport
import Testing

@testable import Compute

/// What pools, tanh, batch norm and the squared error refuse and cost, and what their loops give.
@Suite struct LayersBetweenWeightsTests {
    private let backend = CPUBackend()
    private let batch = BatchShape(replicas: 2, samples: 20, tile: CPUBackend.tile)
    /// Two tiles of 16 samples for each of two networks, of which 20 count.
    private let room = 64
    private let counted = 40

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
    private func check<Value: Compute.Operation>(
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
            let error = #expect(throws: ComputeError.self, "\(Value.kernel) takes a short operand \(index)") {
                try bad.validate(for: backend.layout)
            }
            if let error, case .invalidShape(Value.kernel, let reason) = error {
                #expect(reason.contains("operand \(index) holds"))
            } else {
                Issue.record("\(Value.kernel), operand \(index): \(String(describing: error))")
            }
        }
    }

    @Test func tanhAndSquaredError() throws {
        try check(2, operations: counted * 7 * 21, bytes: 8 * counted * 7) { buffers in
            TanhForward(
                batch: batch, features: 7, input: try buffers.next(room * 7), output: try buffers.next(room * 7))
        }
        try check(3, operations: 4 * counted * 7, bytes: 16 * counted * 7) { buffers in
            TanhBackward(
                batch: batch, features: 7, output: try buffers.next(room * 7), gradient: try buffers.next(room * 7),
                transposedGradient: try buffers.next(room * 16))
        }
        try check(2, operations: 4 * counted * 7, bytes: 12 * counted * 7) { buffers in
            TanhBackward(
                batch: batch, features: 7, output: try buffers.next(room * 7), gradient: try buffers.next(room * 7),
                transposedGradient: nil)
        }
        try check(6, operations: 4 * counted * 7, bytes: 16 * counted * 7) { buffers in
            MeanSquaredError(
                batch: batch, values: 7, output: try buffers.next(room * 7), target: try buffers.next(room * 7),
                current: try buffers.next(8, of: Int32.self), delta: try buffers.next(room * 7),
                transposedDelta: try buffers.next(room * 16), lossAndCorrect: try buffers.next(2 * 2 * 2))
        }
    }

    @Test func pools() throws {
        // Two planes of 5x7 have 2x3 windows each.
        let shape = PoolShape(batch: batch, channels: 2, height: 5, width: 7, side: 2)
        let (before, after) = (70, 12)
        let operations = counted * after * 4
        try check(2, operations: operations, bytes: 4 * counted * (before + after)) { buffers in
            AvgPoolForward(
                shape, input: try buffers.next(room * before), output: try buffers.next(room * after))
        }
        try check(2, operations: operations, bytes: 4 * counted * (before + after)) { buffers in
            AvgPoolBackward(
                shape, outputGradient: try buffers.next(room * after), inputGradient: try buffers.next(room * before))
        }
        try check(3, operations: operations, bytes: 4 * counted * (before + 2 * after)) { buffers in
            MaxPoolForward(
                shape, input: try buffers.next(room * before), output: try buffers.next(room * after),
                winners: try buffers.next(room * after, of: Int32.self))
        }
        try check(3, operations: operations, bytes: 4 * counted * (before + 2 * after)) { buffers in
            MaxPoolBackward(
                shape, outputGradient: try buffers.next(room * after),
                winners: try buffers.next(room * after, of: Int32.self), inputGradient: try buffers.next(room * before))
        }
    }

    @Test(arguments: [(5, 7, 6), (7, 5, 6), (4, 4, 0)]) func windowsThatDoNotFitAreRefused(
        _ height: Int, _ width: Int, _ side: Int
    ) throws {
        let shape = PoolShape(batch: batch, channels: 1, height: height, width: width, side: side)
        let buffer = try backend.makeBuffer(of: Float.self, count: room * 49, label: "values")
        let error = #expect(throws: ComputeError.self) {
            try backend.run(AvgPoolForward(shape, input: buffer, output: buffer))
        }
        let words = side == 0 ? "at least 1" : "a 6x6 window does not fit into \(height)x\(width)"
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    /// Three channels of four positions; the second network's parameters begin 48 later.
    private func norm(_ buffers: inout Buffers) throws -> BatchNorm {
        let parameters = try buffers.next(16 + 48 + 3)
        return BatchNorm(
            batch: batch, channels: 3, positions: 4, gamma: ReplicaTensor(parameters, offset: 0, stride: 48),
            beta: ReplicaTensor(parameters, offset: 16, stride: 48), running: try buffers.next(2 * 2 * 3),
            saved: try buffers.next(2 * 3 * 2), current: try buffers.next(8, of: Int32.self))
    }

    @Test func batchNorms() throws {
        let values = counted * 12
        for (pass, operations) in [(Pass.training, 7), (.inference, 3)] {
            try check(6, operations: operations * values, bytes: 4 * (2 * values + 2 * 4 * 3)) { buffers in
                BatchNormForward(
                    try norm(&buffers), pass, input: try buffers.next(room * 12), output: try buffers.next(room * 12))
            }
        }
        for isTransposed in [false, true] {
            let floats = (isTransposed ? 4 : 3) * values + 2 * 5 * 3
            try check(isTransposed ? 8 : 7, operations: 9 * values, bytes: 4 * floats) { buffers in
                BatchNormBackward(
                    try norm(&buffers), input: try buffers.next(room * 12), gradient: try buffers.next(room * 12),
                    transposedGradient: isTransposed ? try buffers.next(room * 16) : nil,
                    gradients: StepGradients(try buffers.next(2 * 48), parameterCount: 48))
            }
        }
    }

    @Test func parametersOfBatchNormsAreInOneBuffer() throws {
        var buffers = Buffers(backend: backend, short: nil)
        var layer = try norm(&buffers)
        let values = try buffers.next(room * 12)
        layer.beta = ReplicaTensor(try buffers.next(100), offset: 16, stride: 48)
        let error = #expect(throws: ComputeError.self) {
            try backend.run(BatchNormForward(layer, .training, input: values, output: values))
        }
        #expect(error?.description.contains("in one buffer") == true)
    }

    /// A network alone has the bits that it has beside others, on every device.
    @Test(arguments: TestBackends.names) func networksDoNotTouchEachOther(name: String) throws {
        let backend = try TestBackends.make(name)
        let alone = try normalised([1], on: backend)
        let beside = try normalised([0, 1, 2], on: backend)
        #expect(alone.count * 3 == beside.count)
        #expect(alone.map(\.bitPattern) == beside[alone.count..<2 * alone.count].map(\.bitPattern))
    }

    /// The gradients that batch norm of 33 samples of 3 x 4 values gives networks of these seeds.
    private func normalised(_ seeds: [UInt64], on backend: any Backend) throws -> [Float] {
        let batch = BatchShape(replicas: seeds.count, samples: 33, tile: backend.tile)
        func floats(_ count: Int, _ seed: UInt64) throws -> DeviceBuffer<Float> {
            try backend.makeBuffer(
                seeds.flatMap { LaneLoopsTests.values(count, seed: 10 * $0 + seed) }, label: "values")
        }
        let count = batch.tiles * batch.tile * 12
        let parameters = try floats(48, 1)
        let layer = BatchNorm(
            batch: batch, channels: 3, positions: 4, gamma: ReplicaTensor(parameters, offset: 0, stride: 48),
            beta: ReplicaTensor(parameters, offset: 16, stride: 48), running: try floats(6, 2),
            saved: try floats(6, 3),
            current: try backend.makeBuffer(
                seeds.flatMap { _ in [0, 33, 0, 0] as [Int32] }, label: "current"))
        let (input, output) = (try floats(count, 4), try floats(count, 5))
        try backend.run(BatchNormForward(layer, .training, input: input, output: output))
        try backend.run(
            BatchNormBackward(
                layer, input: input, gradient: output, transposedGradient: nil,
                gradients: StepGradients(try floats(48, 6), parameterCount: 48)))
        return try backend.read(output)
    }

    /// Every 1,024th float from 2^-30 to 16, which has all exponents and many mantissas.
    @Test func tanhIsWithinEightUnits() {
        let patterns = stride(
            from: Float(sign: .plus, exponent: -30, significand: 1).bitPattern, to: 0x4180_0000, by: 1024)
        var x = patterns.map { Float(bitPattern: $0) }
        x += [Float](repeating: 1, count: (16 - x.count % 16) % 16)
        for loops in LaneLoops.all {
            var y = [Float](repeating: 0, count: x.count)
            loops.tanhForward(x, count: x.count / 16, into: &y)
            let worst = zip(x, y).map { (Double($1) / tanh(Double($0)) - 1).magnitude }.max() ?? .infinity
            #expect(worst < 8 * 0x1p-24, "\(loops.name): \(worst)")
            #expect(y.allSatisfy { $0 <= 1 })
        }
    }
}
