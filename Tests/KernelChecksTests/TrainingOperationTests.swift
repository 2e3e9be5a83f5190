import OpenCL
import Testing

@testable import Compute
@testable import KernelChecks

/// What the operations of training refuse, what they cost, and how they are launched, without a device.
@Suite struct TrainingOperationTests {
    private static let shape = StepShape.leNet5(channels: 1)
    private let backend = CPUBackend()

    private func network(_ shape: StepShape, _ size: (replicas: Int, samples: Int) = (2, 64)) throws -> StepNetwork {
        let count = StepNetwork.Layout(shape).count
        let values = StepValues(
            parameters: [Float](repeating: 0, count: size.replicas * count),
            images: [UInt8](
                repeating: 0, count: StepValues.imageCount * shape.planes.0 * shape.height * shape.width),
            labels: [UInt8](repeating: 0, count: StepValues.imageCount),
            order: [Int32](repeating: 0, count: size.replicas * (StepValues.firstSample + size.samples)),
            running1: [Float](repeating: 1, count: 2 * size.replicas * shape.planes.1),
            running2: [Float](repeating: 1, count: 2 * size.replicas * shape.planes.2))
        return try StepNetwork(shape, values, size: size, on: backend)
    }

    private func floats(_ count: Int) throws -> DeviceBuffer<Float> {
        try backend.makeBuffer(of: Float.self, count: count, label: "floats")
    }

    private func integers(_ count: Int) throws -> DeviceBuffer<Int32> {
        try backend.makeBuffer(of: Int32.self, count: count, label: "integers")
    }

    private func stepEnd(
        _ network: StepNetwork, losses: Int? = nil, correct: Int? = nil, schedule: StepSchedule? = nil
    ) throws -> StepEnd {
        let steps = network.schedule.steps * network.batch.replicas
        return StepEnd(
            batch: network.batch.shape, parameters: try floats(parameterCount(network)), gradients: network.gradients,
            lossAndCorrect: network.classifier.lossAndCorrect, losses: try floats(losses ?? steps),
            correct: try integers(correct ?? steps), schedule: schedule ?? network.schedule)
    }

    private func parameterCount(_ network: StepNetwork) -> Int {
        network.batch.replicas * network.gradients.parameterCount
    }

    private func adamStep(
        _ network: StepNetwork, losses: Int? = nil, correct: Int? = nil, schedule: StepSchedule? = nil,
        decay: AdamStep.Decay = .none
    ) throws -> AdamStep {
        let count = parameterCount(network)
        return AdamStep(
            try stepEnd(network, losses: losses, correct: correct, schedule: schedule), firstMoments: try floats(count),
            secondMoments: try floats(count), decay: decay)
    }

    private func sgdStep(_ network: StepNetwork, velocities: Int?) throws -> SgdStep {
        SgdStep(
            try stepEnd(network),
            momentum: try velocities.map { SgdStep.Momentum(0.9, velocities: try floats($0)) }, weightDecay: 0.1)
    }

    private func refuses(_ operation: some Operation, _ words: String, _ location: SourceLocation = #_sourceLocation) {
        let error = #expect(throws: ComputeError.self, sourceLocation: location) { try backend.run(operation) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")", sourceLocation: location)
    }

    @Test(arguments: [[], [5], [5, 6], [5, 6, 7]]) func argumentsAreTheKernelsParameters(hidden: [Int]) throws {
        var shape = Self.shape
        shape.hidden = hidden
        let network = try network(shape)
        let predictions = network.predictions(into: try integers(400), stride: 200)
        for profile in DeviceProfile.all {
            let sizes = BlockSizes(profile)
            var launches = [
                network.classifierStep.namedLaunch(sizes), predictions.namedLaunch(sizes),
                network.blockBackward.namedLaunch(sizes), network.weightGradients.namedLaunch(sizes),
                try adamStep(network).namedLaunch(sizes),
                try adamStep(network, decay: .penalty(0.1)).namedLaunch(sizes),
                try adamStep(network, decay: .decoupled).namedLaunch(sizes),
                try sgdStep(network, velocities: nil).namedLaunch(sizes),
                try sgdStep(network, velocities: parameterCount(network)).namedLaunch(sizes),
            ]
            var augmented = network.gather
            augmented.augmentation = Augmentation(width: 32, changes: try integers(400))
            launches.append(Conv2dBlockForward(network.first, from: .images(augmented), .training).namedLaunch(sizes))
            for pass in [Pass.training, .inference] {
                launches += [network.gathered(pass).namedLaunch(sizes), network.normalised(pass).namedLaunch(sizes)]
            }
            for launch in launches {
                let parameters = KernelSource.parameters(
                    of: launch.kernel, in: try #require(KernelSource.text(of: launch.kernel)),
                    defines: launch.defines.map { (name: $0.0, value: $0.1) })
                #expect(parameters.count > 10 && launch.fault(against: parameters) == nil, "\(launch.kernel)")
                var swapped = parameters
                swapped.swapAt(3, 4)
                #expect(launch.fault(against: swapped)?.hasPrefix("argument 3 is \(parameters[3])") == true)
                #expect(launch.fault(against: parameters + ["more"]) != nil)
            }
        }
    }

    /// LeNet-5 by hand: convolutions of 784 x 150 and 100 x 2400 multiply-adds, linear layers of 400 x 120, 120 x 84 and
    /// 84 x 10; values of 1024 pixels, planes of 4704 and 1600, pools of 1176 and 400, 204 hidden ones.
    @Test func costsAreThoseOfTheShapes() throws {
        let network = try network(Self.shape)
        let predictions = network.predictions(into: try integers(400), stride: 200)
        func expect(_ operation: some Operation, _ operations: Int, floats: Double, weights: Int) {
            let images = 128.0
            #expect(operation.cost.operations == images * Double(operations))
            #expect(operation.cost.bytes == 4 * (images * floats + 2 * Double(weights)))
        }
        let linear = 400 * 120 + 120 * 84 + 84 * 10
        expect(
            network.gathered(.training), 2 * 784 * 150 + 2 * 1024 + 3 * 4704 + 3 * 1176, floats: 1280 + 4704 + 1470,
            weights: 150)
        expect(network.gathered(.inference), 2 * 784 * 150 + 2 * 1024 + 3 * 1176, floats: 1280 + 1176, weights: 150)
        expect(
            network.normalised(.training), 2 * 240_000 + 2 * 1176 + 3 * 1600 + 3 * 400, floats: 2352 + 1600 + 500,
            weights: 2400)
        expect(
            network.normalised(.inference), 2 * 240_000 + 2 * 1176 + 3 * 400, floats: 2352 + 400, weights: 2400)
        expect(network.classifierStep, 4 * linear + 5 * 400 + 60, floats: 1200 + 612 + 40, weights: linear)
        expect(predictions, 2 * linear + 2 * 400, floats: 800 + 204, weights: linear)
        expect(
            network.blockBackward, 2 * (240_000 + linear) + 4 * 1600 + 4 * 1176,
            floats: 3200 + 900 + 3 * 1176 + 408, weights: 2400 + linear)
        expect(
            network.weightGradients, 2 * (784 * 150 + 240_000) + 4 * 4704, floats: 1024 + 9408 + 2646 + 1600,
            weights: 2550)
        let parameters = Double(2 * network.gradients.parameterCount)
        #expect(
            try adamStep(network).cost == OperationCost(operations: 12 * parameters, bytes: 28 * parameters))
        #expect(
            try sgdStep(network, velocities: parameterCount(network)).cost
                == OperationCost(operations: 6 * parameters, bytes: 20 * parameters))
        #expect(
            try sgdStep(network, velocities: nil).cost
                == OperationCost(operations: 4 * parameters, bytes: 12 * parameters))
    }

    @Test func schedulesThatAreTooSmallAreRefused() throws {
        let network = try network(Self.shape)
        let due = network.schedule
        for (batches, rates, cursor, current) in [(3, 6, 1, 8), (12, 5, 1, 8), (12, 6, 0, 8), (12, 6, 1, 7)] {
            let schedule = StepSchedule(
                batches: try integers(batches), rates: try floats(rates), cursor: try integers(cursor),
                current: current == 8 ? due.current : try integers(current))
            var gather = network.gather
            gather.schedule = schedule
            refuses(Conv2dBlockForward(network.first, from: .images(gather), .training), "elements where")
            refuses(try adamStep(network, schedule: schedule), "elements where")
            refuses(
                ClassifierPredictions(
                    network.classifier, from: network.second, schedule: schedule, predictions: try integers(400),
                    predictionStride: 200), "elements where")
        }
        let other = StepSchedule(
            batches: due.batches, rates: due.rates, cursor: due.cursor, current: try integers(8))
        var gather = network.gather
        gather.schedule = other
        refuses(Conv2dBlockForward(network.first, from: .images(gather), .training), "no input")
        // Two replicas have a row for both, or one each.
        for (rows, batches, rates) in [(3, 36, 18), (2, 7, 12), (2, 24, 11)] {
            let ragged = StepSchedule(
                batches: try integers(batches), rates: try floats(rates), cursor: due.cursor, current: due.current,
                rows: rows)
            gather.schedule = ragged
            let words = rows == 3 ? "a schedule of 3 rows per step for 2 replicas" : "elements where"
            refuses(Conv2dBlockForward(network.first, from: .images(gather), .training), words)
            refuses(try adamStep(network, schedule: ragged), words)
        }
    }

    @Test func operandsThatAreTooSmallAreRefused() throws {
        let network = try network(Self.shape)
        refuses(try adamStep(network, losses: 5), "holds 5 elements where 6")
        refuses(try adamStep(network, correct: 5), "holds 5 elements where 6")
        // A decoupled decay has a number more per step.
        refuses(try adamStep(network, decay: .decoupled), "holds 6 elements where 9")
        refuses(
            try sgdStep(network, velocities: parameterCount(network) - 1),
            "elements where \(parameterCount(network)) are needed")
        for (width, changes, words) in [
            (0, 400, "at least 1"), (31, 400, "no rows of 31"), (16, 400, "no input"), (32, 0, "elements where"),
        ] {
            var gather = network.gather
            gather.augmentation = Augmentation(width: width, changes: try integers(changes))
            refuses(Conv2dBlockForward(network.first, from: .images(gather), .training), words)
        }
        for (images, labels, stride) in [(90 * 1024 - 1, 90, 5), (1024, 0, 5), (90 * 1024, 90, -1)] {
            var gather = network.gather
            gather.images = try backend.makeBuffer(of: UInt8.self, count: images, label: "images")
            gather.labels = try backend.makeBuffer(of: UInt8.self, count: labels, label: "labels")
            gather.orderStride = stride
            refuses(
                Conv2dBlockForward(network.first, from: .images(gather), .training),
                stride < 0 ? "stride -1" : "elements where")
        }
        for (channels, scaling, words) in [
            (1, 1, "holds 1 elements where 2"), (2, 3, "holds 3 elements where 4"), (2, 4, "no input"),
            (3, 6, "3 channels of one size"), (0, 2, "at least 1, got"),
        ] {
            var gather = network.gather
            gather.channels = channels
            gather.scaling = try floats(scaling)
            refuses(Conv2dBlockForward(network.first, from: .images(gather), .training), words)
        }
        refuses(network.predictions(into: try integers(399), stride: 200), "holds 399 elements where 400")
        refuses(network.predictions(into: try integers(400), stride: 0), "at least 1")
    }

    @Test func shapesThatDoNotFitTogetherAreRefused() throws {
        let network = try network(Self.shape)
        // The same output from a kernel of another size.
        var next = network.second
        next.shape = Conv2DShape(
            batch: next.shape.batch, inChannels: 6, outChannels: 16, height: 13, width: 13, kernel: 4)
        var block = network.first
        block.norm.shape.height = 26
        block.norm.shape.width = 26
        block.shape.height = 30
        block.shape.width = 30
        refuses(Conv2dWeightGradients(block, next: next, gradients: network.gradients), "equal ones are needed")
        var classifier = network.classifier
        classifier.layers.removeLast(2)
        refuses(ClassifierStep(classifier, from: network.second), "elements where")
        classifier.layers = []
        refuses(ClassifierStep(classifier, from: network.second), "1 to 4 are accepted")
        classifier.layers = [network.classifier.layers[1]]
        refuses(ClassifierStep(classifier, from: network.second), "120 inputs does not follow 400")
        var wide = network.first
        wide.shape.batch.tile = 8
        refuses(Conv2dBlockForward(wide, from: .images(network.gather), .training), "tiles of 8 samples")
    }
}
