import Compute
import Datasets
import Testing

@testable import Networks
import TestSupport

/// Models that the fused network trains beside the article's.
private enum FusedModel {
    static let count = 50
    private static let shapes: [String: (channels: Int, side: Int, planes: (Int, Int), kernel: Int, hidden: [Int])] = [
        "one linear layer": (1, 11, (3, 5), 3, []),
        "two linear layers": (2, 22, (4, 2), 7, [9]),
        "four linear layers": (1, 10, (5, 6), 3, [20, 17, 9]),
        // The planes and widths of a LeNet-5 four times as wide, on images as small as its kernels allow.
        "wide": (3, 16, (24, 64), 5, [480, 336]),
    ]
    static let names = shapes.keys.sorted()

    static func model(_ name: String) throws -> ModelSpec {
        let shape = try #require(shapes[name])
        func block(_ planes: Int) -> [ModelSpec.Layer] {
            [.conv(out: planes, kernel: shape.kernel, padding: 0), .batchNorm, .relu, .maxPool(2)]
        }
        return ModelSpec(
            name: name,
            layers: block(shape.planes.0) + block(shape.planes.1) + [.flatten]
                + shape.hidden.flatMap { [.linear(.count($0)), .relu] } + [.linear(.classes)], side: shape.side)
    }

    /// Images in which each class has a square of its own that is brighter than the noise around.
    static func store(_ name: String, on backend: any Backend) throws -> SampleStore {
        let shape = try #require(shapes[name])
        let area = shape.side * shape.side
        var pixels: [UInt8] = []
        var state: UInt32 = 7
        for image in 0..<count {
            for value in 0..<shape.channels * area {
                state = state &* 1_664_525 &+ 1_013_904_223
                let (row, column) = (value % area / shape.side, value % shape.side)
                let isBright = row * 2 / shape.side * 2 + column * 2 / shape.side == image % 4
                pixels.append(UInt8(state >> 25) + (isBright ? 120 : 0))
            }
        }
        return try SampleStore(
            pixels: pixels, labels: (0..<count).map { UInt8($0 % 4) },
            shape: .init(channels: shape.channels, height: shape.side, width: shape.side), classes: 4, on: backend)
    }

    static func normalisation(_ name: String) throws -> Normalisation {
        let channels = try #require(shapes[name]).channels
        return Normalisation([ChannelStatistics](repeating: ChannelStatistics(mean: 0.4, std: 0.25), count: channels))
    }

    static func trainer(_ name: String, on backend: any Backend) throws -> Trainer {
        Trainer(
            try store(name, on: backend), model: try model(name), normalisation: try normalisation(name), on: backend)
    }
}

@Suite struct FusedNetworkTests {
    private static let options = TrainingOptions(length: .epochs(2), batchSize: 20)

    /// A step over all images: the network after it, and each replica's loss.
    private func step(_ weights: [ModelWeights], of name: String, on backend: any Backend) throws
        -> (network: any Network, losses: [Float])
    {
        let schedule = try StepSchedule(capacity: 1, replicas: weights.count, on: backend)
        try schedule.load([0..<FusedModel.count], firstStep: 0, learningRate: 0.001, on: backend)
        let network = try ModelParameters(weights, on: backend).makeNetwork(
            batchSize: FusedModel.count, schedule: schedule, trainingSteps: 1, on: backend)
        #expect(network is FusedNetwork)
        let order = try backend.makeBuffer((0..<Int32(FusedModel.count)).map { $0 }, label: "order")
        try network.backpropagate(
            SampleSource(
                try FusedModel.store(name, on: backend), order: order, orderStride: 0,
                normalisation: try FusedModel.normalisation(name), on: backend))
        try network.update()
        return (network, try network.losses(steps: 1)[0])
    }

    /// Alone and among five the bits are the same; on every device the numbers are the CPU path's, in six launches per
    /// step and three per test.
    @Test(arguments: FusedModel.names) func everyDeviceTrainsAsTheReferenceDoes(name: String) throws {
        let runs = (0..<5).map { run in
            TrainingRun(subset: (0..<FusedModel.count).map { ($0 * 7 + run) % FusedModel.count }, seed: 3, run: run)
        }
        let reference = try FusedModel.trainer(name, on: CPUBackend()).train(runs, options: Self.options)
        let initial = ModelWeights(layout: reference.weights[0].layout, seed: 5, run: 0)
        let due = try step([initial], of: name, on: CPUBackend()).network.gradients(replica: 0)
        for backendName in TestBackends.names {
            let backend = try TestBackends.make(backendName, profiling: true)
            let trainer = try FusedModel.trainer(name, on: backend)
            let alone = try trainer.train([runs[4]], options: Self.options)
            let steps = alone.losses.count
            #expect(steps == 6)
            if let device = backend as? OpenCLBackend {
                #expect(device.kernelTimes.values.reduce(0) { $0 + $1.launches } == 6 * steps, "\(backendName)")
                #expect(device.kernelTimes.values.allSatisfy { $0.launches % steps == 0 }, "\(backendName)")
            }
            let together = try trainer.train(runs, options: Self.options)
            #expect(alone.weights[0] == together.weights[4], "\(backendName)")
            #expect(alone.losses.map { $0[0] } == together.losses.map { $0[4] }, "\(backendName)")
            for (ours, theirs) in zip(together.losses.flatMap { $0 }, reference.losses.flatMap { $0 }) {
                #expect(abs(ours - theirs) < 1e-4, "\(backendName): a loss of \(ours), not \(theirs)")
            }
            // Of weights, Adam makes whole steps of gradients that are next to nothing but a rounding: gradients are
            // held against each other.
            let gradients = try step([initial], of: name, on: backend).network.gradients(replica: 0)
            for (tensor, values) in gradients {
                let error = relativeError(values.values, due[tensor]?.values ?? [])
                #expect(error < 1e-5, "\(backendName): the gradient of \(tensor) is off by \(error) of its largest")
            }
            let store = try FusedModel.store(name, on: backend)
            let before = (backend as? OpenCLBackend)?.kernelTimes.values.reduce(0) { $0 + $1.launches } ?? 0
            let evaluator = Evaluator(store, normalisation: try FusedModel.normalisation(name), on: backend)
            let evaluations = try evaluator.evaluate(together.weights).results
            let after = (backend as? OpenCLBackend)?.kernelTimes.values.reduce(0) { $0 + $1.launches } ?? 0
            #expect((after - before) % 3 == 0, "\(backendName)")
            #expect(evaluations.allSatisfy { $0.isFinite && $0.count == FusedModel.count })
        }
    }

    /// The change of the loss along each tensor's gradient is that gradient's length: all of a network's parts are
    /// joined as its layers say. The networks that are moved are replicas of one step.
    @Test(arguments: FusedModel.names) func gradientsAreTheSlopesOfTheLoss(name: String) throws {
        let backend = CPUBackend()
        let store = try FusedModel.store(name, on: backend)
        let layout = try ParameterLayout(FusedModel.model(name), samples: store.shape, classes: 4)
        #expect(layout.isFused)
        let start = ModelWeights(layout: layout, seed: 5, run: 0)
        let gradients = try step([start], of: name, on: backend).network.gradients(replica: 0)
        let names = layout.slots.map(\.name)
        let length = 0.0005
        var moved: [ModelWeights] = []
        for tensor in names {
            let gradient = gradients[tensor]?.values ?? []
            let norm = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            for side in [1.0, -1.0] {
                var tensors = start.tensors
                for index in gradient.indices where norm > 0 {
                    tensors[tensor]?.values[index] += Float(side * length * Double(gradient[index]) / norm)
                }
                moved.append(try ModelWeights(layout.model, tensors: tensors))
            }
        }
        let losses = try step(moved, of: name, on: backend).losses
        for (index, tensor) in names.enumerated() {
            let gradient = gradients[tensor]?.values ?? []
            let norm = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            let slope = (Double(losses[2 * index]) - Double(losses[2 * index + 1])) / (2 * length)
            // Before a batch norm a bias changes nothing.
            let isFrozen = tensor == "0.bias" || tensor == "4.bias"
            #expect((norm == 0) == isFrozen, "\(tensor)")
            #expect(abs(slope - norm) < 0.02 * norm + 5e-4, "\(tensor): a slope of \(slope), a gradient of \(norm)")
        }
    }

    @Test func aTrainingLearns() throws {
        let backend = CPUBackend()
        for name in ["one linear layer", "four linear layers"] {
            let result = try FusedModel.trainer(name, on: backend).train(
                [TrainingRun(subset: Array(0..<FusedModel.count), seed: 1, run: 0)],
                options: TrainingOptions(length: .epochs(40), batchSize: 20, learningRate: 0.01))
            let store = try FusedModel.store(name, on: backend)
            let evaluation = try Evaluator(store, normalisation: try FusedModel.normalisation(name), on: backend)
                .evaluate(result.weights)
            #expect(evaluation.results[0].accuracy > 95, "\(name): \(evaluation.results[0].accuracy)")
        }
    }
}
