import KernelChecks
import Networks
import OpenCL
import Testing

@testable import Compute

@Suite struct KernelWorkTests {
    /// The launches that are counted are those that the tool makes: in training and in an evaluation.
    @Test(
        .enabled(if: (try? Device.all().isEmpty) == false, "this host has no OpenCL device"),
        arguments: DeviceProfile.all)
    func theLaunchesOfAStepAreTheOnesThatAreMade(_ profile: DeviceProfile) throws {
        let device = try #require(try Device.all().first)
        let backend = try OpenCLBackend(device: device, profile: profile, profiling: true)
        var inputs = CaseInputs(seed: 1)
        let count = 3 * KernelWork.batch
        let store = try SampleStore(
            pixels: inputs.bytes(count * 1024), labels: (0..<count).map { UInt8($0 % 10) },
            shape: .init(height: 32, width: 32), classes: 10, on: backend)
        let normalisation = Normalisation(mean: 0.5, std: 0.25)
        let trained = try Trainer(store, normalisation: normalisation, on: backend).train(
            [TrainingRun(subset: Array(0..<count), seed: 1, run: 0)], options: TrainingOptions(length: .epochs(1)))
        let training = backend.kernelTimes.mapValues(\.launches)
        #expect(training == Self.launches(try KernelWork.trainingStep(networks: 1), times: 3))
        _ = try Evaluator(store, normalisation: normalisation, on: backend).evaluate(trained.weights)
        let after = backend.kernelTimes.mapValues(\.launches)
        let evaluation = after.merging(training) { $0 - $1 }.filter { $0.value > 0 }
        // The evaluator takes as many batches at a time as a training has networks.
        let times = (3 + profile.suggestedReplicas - 1) / profile.suggestedReplicas
        #expect(evaluation == Self.launches(try KernelWork.evaluationStep(networks: 1), times: times))
    }

    private static func launches(_ work: [KernelWork], times: Int) -> [String: Int] {
        Dictionary(work.map { ($0.kernel, times) }) { $0 + $1 }
    }

    /// What operations say of themselves with 3 networks is three times what they say with one.
    @Test func workGrowsWithTheNetworks() throws {
        let one = try KernelWork.trainingStep(networks: 1)
        let three = try KernelWork.trainingStep(networks: 3)
        let measured = try Benchmark.all(BenchmarkSize(replicas: 3, points: 16_384, images: 131))
            .filter { $0.pass == .training }.map { ($0.kernel, try $0.prepare(CPUBackend()).cost) }
        #expect(one.map(\.kernel) == measured.map(\.0) && three.map(\.kernel) == measured.map(\.0))
        for (few, (_, cost)) in zip(three, measured) {
            #expect(abs(cost.operations - few.cost.operations) <= 1e-9 * cost.operations)
            #expect(abs(cost.bytes - few.cost.bytes) <= 1e-9 * cost.bytes)
        }
        // Of the article's network, by hand: 64 images x 2 operations x multiply-adds (convolutions 784 x 150 and 100 x
        // 2400, linear layers 400 x 120, 120 x 84, 84 x 10), each forward, for the weights, and for the inputs of all but
        // the first convolution. All else is small.
        let first: Int = 784 * 150
        let others: [Int] = [100 * 2400, 400 * 120, 120 * 84, 84 * 10]
        let least = Double(128 * (2 * first + 3 * others.reduce(0, +)))
        let counted = one.reduce(0) { $0 + $1.cost.operations }
        #expect(counted > least && counted < 1.1 * least)
    }

    /// The work of a training equals a count by hand and, for other models, the sum over their operations.
    @Test func theWorkOfAnyModelIsThatOfItsLaunches() throws {
        func step(of model: ModelSpec, side: Int) throws -> [(kernel: String, cost: OperationCost)] {
            try StepWork.launches(
                of: model, .init(height: side, width: side), classes: 10, samples: KernelWork.batch)
        }
        let counted = try KernelWork.trainingStep(networks: 1)
        let recorded = try step(of: ModelLibrary.leNet5, side: 32)
        #expect(recorded.map(\.kernel) == counted.map(\.kernel))
        // Adam's work is left out, since its padding differs.
        for (recorded, counted) in zip(recorded, counted) where recorded.kernel != AdamStep.kernel {
            #expect(recorded.cost == counted.cost, "\(recorded.kernel)")
        }
        let mlp = try step(of: try #require(ModelLibrary.model("mlp")), side: 28)
        #expect(mlp.count == 15)
        let adam = try #require(mlp.last)
        // Rows of weights, a bias among them, are padded to 16; a parameter has 28 bytes.
        #expect(adam.kernel == AdamStep.kernel && adam.cost.bytes == 28 * Double(785 * 304 + 301 * 112 + 101 * 16))
    }

    /// Enough to fill a device: what its profile suggests unless the user says, and more points on what splits the work.
    @Test(
        .enabled(if: (try? Device.all().isEmpty) == false, "this host has no OpenCL device"),
        arguments: DeviceProfile.all)
    func benchmarksAreAsLargeAsTheDeviceIsWide(_ profile: DeviceProfile) throws {
        let device = try #require(try Device.all().first)
        let backend = try OpenCLBackend(device: device, profile: profile)
        let size = BenchmarkSize(for: backend)
        #expect(size.replicas == profile.suggestedReplicas)
        #expect(size.points == (profile.splitsWork ? 262_144 : 16_384))
        #expect(size.images == (profile.splitsWork ? 65_536 : 16_384))
        #expect(BenchmarkSize(for: backend, replicas: 7).replicas == 7)
        #expect(BenchmarkSize(for: CPUBackend()) == BenchmarkSize(replicas: 5, points: 16_384, images: 16_384))
        let names = Benchmark.all(size).map(\.name)
        #expect(names.contains("\(size.points) points of 50, k 500"))
        #expect(names.contains("\(size.images) rows of 784 bytes"))
    }

    /// All of them run, at sizes that no tile divides and with more networks than distinct weights.
    @Test func benchmarksRunAtAnySize() throws {
        let backend = CPUBackend()
        for benchmark in Benchmark.all(BenchmarkSize(replicas: 6, points: 16_389, images: 131)) {
            let prepared = try benchmark.prepare(backend)
            try prepared.run()
            #expect(prepared.cost.bytes > 0)
            #expect(benchmark.replicas == nil || benchmark.replicas == 6)
        }
    }

    /// A weight is an operation more for each of ten logits, and two floats for each of 64 samples.
    @Test func weightedLossesAreMeasuredBesideTheOthers() throws {
        let size = BenchmarkSize(replicas: 2, points: 16, images: 16)
        let weighted = Benchmark.all(size).filter { $0.name.hasSuffix(", weighted") }
        #expect(weighted.map(\.kernel) == [ClassifierStep.kernel, SoftmaxCrossEntropy.kernel])
        let others = Benchmark.tuning(size)
        #expect(!others.contains { $0.name.hasSuffix(", weighted") })
        for benchmark in weighted {
            let plain = try #require(
                others.first { $0.kernel == benchmark.kernel && "\($0.name), weighted" == benchmark.name })
            let (cost, less) = try (benchmark.prepare(CPUBackend()).cost, plain.prepare(CPUBackend()).cost)
            #expect(cost.operations - less.operations == 2 * 64 * 10, "\(benchmark.name)")
            #expect(cost.bytes - less.bytes == 2 * 64 * 2 * 4, "\(benchmark.name)")
        }
    }

    @Test func theRooflineIsTheSlowerOfItsTwoLimits() {
        let roofline = Roofline(gflops: 100, gbs: 10)
        let arithmetic = OperationCost(operations: 2e9, bytes: 1e7)
        let memory = OperationCost(operations: 1e7, bytes: 3e9)
        #expect(roofline.seconds(arithmetic) == 0.02 && roofline.bound(arithmetic) == .arithmetic)
        #expect(roofline.seconds(memory) == 0.3 && roofline.bound(memory) == .memory)
        #expect(abs(roofline.seconds([arithmetic, memory, memory]) - 0.62) < 1e-12)
    }
}
