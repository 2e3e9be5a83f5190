import Compute
import Networks
import Scoring
import Support
import TestSupport
import Testing

/// Networks whose words about the samples are scores.
@Suite struct TrainingDynamicsTests {
    private static let count = 60
    /// One in ten has another class's label.
    private static let mislabelled = Set(stride(from: 4, to: count, by: 10))
    private static let probe = ModelSpec(name: "probe", layers: [.flatten, .linear(.classes)])
    private static let perceptron = ModelSpec(
        name: "perceptron", layers: [.flatten, .linear(.count(8)), .relu, .linear(.classes)])
    private static let normalisation = Normalisation(mean: 0, std: 1)
    private static let options = TrainingOptions(batchSize: 4, learningRate: 0.02)

    /// Samples about the three corners of a triangle in four dimensions.
    private func store(on backend: any Backend) throws -> SampleStore {
        var random = RandomStream(seed: 1, run: 0, purpose: .testing)
        var (values, labels): ([Float], [UInt8]) = ([], [])
        for sample in 0..<Self.count {
            let corner = sample % 3
            for axis in 0..<4 { values.append((axis == corner ? 3 : 0) + Float(random.nextUniform(-0.5, 0.5))) }
            labels.append(UInt8(Self.mislabelled.contains(sample) ? (corner + 1) % 3 : corner))
        }
        return try SampleStore(floats: values, labels: labels, shape: .vector(4), classes: 3, on: backend)
    }

    private func parameters(networks: Int = 3, epochs: Int = 4) -> ScoreParameters {
        var parameters = ScoreParameters()
        parameters.networks = networks
        parameters.epochs = epochs
        parameters.window = 3
        return parameters
    }

    private func record(
        _ model: ModelSpec = probe, _ parameters: ScoreParameters? = nil, options: TrainingOptions = options,
        seed: UInt64 = 7, set: Int = 0, replicas: Int? = nil, on backend: any Backend = CPUBackend(),
        cancellation: CancellationFlag = CancellationFlag(), progress: (DynamicsProgress) -> Void = { _ in },
        keep: ((Int, Int, ModelWeights) throws -> Void)? = nil
    ) throws -> TrainingDynamics {
        try TrainingDynamics.record(
            of: store(on: backend), model: model, normalisation: Self.normalisation, options: options,
            parameters: parameters ?? self.parameters(), seed: seed, set: set, replicas: replicas, on: backend,
            cancellation: cancellation, progress: progress, keep: keep)
    }

    /// Every bit of it.
    private func bits(_ dynamics: TrainingDynamics) -> [[UInt32]] {
        [
            dynamics.probability, dynamics.margin, dynamics.isRight, dynamics.el2n, dynamics.grand, dynamics.entropy,
            dynamics.largest, dynamics.lead,
        ].map { $0.map(\.bitPattern) }
    }

    @Test(arguments: [probe, perceptron]) func mislabelledSamplesStandOut(model: ModelSpec) throws {
        let dynamics = try record(model, parameters(epochs: 6))
        #expect(dynamics.networks == 3 && dynamics.epochs == 6 && dynamics.count == Self.count)
        let input = ScoreInput(count: Self.count, dynamics: dynamics, parameters: parameters(epochs: 6))
        func scores(_ name: String) throws -> (wrong: [Float], right: [Float]) {
            let values = try Score.named(name).values(input)
            return (
                Self.mislabelled.map { values[$0] },
                values.indices.filter { !Self.mislabelled.contains($0) }.map { values[$0] }
            )
        }
        for name in ["el2n", "forgetting"] {
            let (wrong, right) = try scores(name)
            let highest = try #require(right.max())
            #expect(wrong.allSatisfy { $0 > highest }, "\(name): \(wrong), \(highest)")
        }
        // The norm of the last layer's input counts as well, which differs from sample to sample.
        let (pulling, others) = try scores("grand")
        func mean(_ values: [Float]) -> Float { values.reduce(0, +) / Float(values.count) }
        #expect(mean(pulling) > 1.5 * mean(others))
        let (wrong, right) = try scores("aum")
        let lowest = min(0, try #require(right.min()))
        #expect(wrong.allSatisfy { $0 < lowest }, "\(wrong), \(lowest)")
    }

    /// The last word of an epoch is that of the epoch's last network: what was recorded is what its weights say.
    @Test func theOrderOfNetworksAndEpochsIsKept() throws {
        let backend = CPUBackend()
        let store = try store(on: backend)
        var kept: [String: ModelWeights] = [:]
        let dynamics = try record(set: 1, replicas: 2, on: backend, keep: { kept["\($0) after \($1)"] = $2 })
        #expect(kept.count == 3 * 4)
        let evaluator = Evaluator(store, normalisation: Self.normalisation, on: backend)
        for network in 0..<3 {
            var options = Self.options
            options.length = .epochs(4)
            let run = TrainingRun(
                subset: Array(0..<Self.count), seed: 7, run: TrainingDynamics.firstRun + 1000 + network)
            var probability: [Float] = []
            let trained = try Trainer(store, model: Self.probe, normalisation: Self.normalisation, on: backend).train(
                [run], options: options, record: { probability += $0.probability })
            #expect(trained.weights[0] == kept["\(network) after 4"])
            let (perEpoch, samples) = (4 * Self.count, network * Self.count..<(network + 1) * Self.count)
            #expect(Array(dynamics.probability[network * perEpoch..<(network + 1) * perEpoch]) == probability)
            let first = try evaluator.statistics([try #require(kept["\(network) after 1"])])[0]
            #expect(Array(dynamics.el2n[samples]) == first[.el2n] && Array(dynamics.grand[samples]) == first[.grand])
            let last = try evaluator.statistics(trained.weights)[0]
            #expect(Array(dynamics.entropy[samples]) == last[.entropy])
            #expect(Array(dynamics.largest[samples]) == last[.largest])
            #expect(Array(dynamics.lead[samples]) == last[.lead])
        }
    }

    @Test(arguments: TestBackends.names) func theResultDoesNotDependOnHowManyTrainTogether(name: String) throws {
        let backend = try TestBackends.make(name)
        let few = parameters(networks: 5, epochs: 2)
        let due = bits(try record(Self.perceptron, few, replicas: 1, on: backend))
        for replicas in [2, 3, nil] {
            #expect(bits(try record(Self.perceptron, few, replicas: replicas, on: backend)) == due, "\(replicas ?? 0)")
        }
        #expect(bits(try record(Self.perceptron, few, set: 1, on: backend)) != due)
        #expect(bits(try record(Self.perceptron, few, seed: 8, on: backend)) != due)
    }

    @Test func networksThatDoNotFitAreTrainedApart() throws {
        // Room for the parameters of two networks of 5 inputs by 16 columns.
        let tight = TightBackend(most: 2 * 80)
        var samples: [Int] = []
        let some = parameters(networks: 5, epochs: 2)
        let dynamics = try record(Self.probe, some, replicas: 5, on: tight, progress: { samples.append($0.samples) })
        #expect(tight.refusals == 1)
        #expect(bits(dynamics) == bits(try record(Self.probe, some)))
        #expect(samples == samples.sorted() && samples.last == 5 * 2 * Self.count)
        // Not even one.
        let error = #expect(throws: ComputeError.self) { try record(on: TightBackend(most: 79)) }
        #expect(error?.isOutOfMemory == true)
    }

    @Test func aRaisedFlagStopsIt() throws {
        let flag = CancellationFlag()
        #expect(throws: CancellationError.self) {
            try record(cancellation: flag, progress: { if $0.samples > 300 { flag.cancel() } })
        }
        #expect(throws: CancellationError.self) { try record(cancellation: flag) }
        struct Full: Error {}
        #expect(throws: Full.self) { try record(keep: { _, _, _ in throw Full() }) }
    }

    @Test func whatDivergesIsAnError() throws {
        let error = #expect(throws: ScoringError.self) {
            try record(options: TrainingOptions(batchSize: 4, learningRate: 1e38))
        }
        guard case .diverged(0, _, 1e38) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.category == .badData && error?.description.contains("learning rate of 1e+38") == true)
    }

    @Test func numbersThatMakeNoSenseAreRefused() throws {
        for (networks, epochs, set, name) in [
            (0, 4, 0, "networks"), (1001, 4, 0, "networks"), (3, 0, 0, "score_epochs"), (3, -1, 0, "score_epochs"),
            (3, 4, -1, "the number of a set of networks"), (3, 4, 1 << 31, "the number of a set of networks"),
        ] {
            let error = #expect(throws: ScoringError.self) {
                try record(Self.probe, parameters(networks: networks, epochs: epochs), set: set)
            }
            guard case .badParameter(name, _, _) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
    }
}

/// The CPU path with room for so many parameters.
private final class TightBackend: Backend {
    private let cpu = CPUBackend()
    private let most: Int
    private(set) var refusals = 0

    init(most: Int) { self.most = most }

    var device: DeviceDescription { cpu.device }
    var tile: Int { cpu.tile }
    var suggestedReplicas: Int { cpu.suggestedReplicas }
    var isInHostMemory: Bool { cpu.isInHostMemory }
    var largestBuffer: Int { cpu.largestBuffer }
    var layout: DataLayout { cpu.layout }

    func makeBuffer<Element: BufferElement>(of type: Element.Type, count: Int, label: String) throws(ComputeError)
        -> DeviceBuffer<Element>
    {
        if label == "parameters", count > most {
            refusals += 1
            throw .outOfMemory(label: label, byteCount: 4 * count, device: "a small device")
        }
        return try cpu.makeBuffer(of: type, count: count, label: label)
    }

    func hostBuffer<Element: BufferElement>(over source: UnsafeBufferPointer<Element>, label: String)
        throws(ComputeError) -> DeviceBuffer<Element>?
    { try cpu.hostBuffer(over: source, label: label) }

    func write<Element: BufferElement>(
        _ source: UnsafeBufferPointer<Element>, to buffer: DeviceBuffer<Element>, at offset: Int
    ) throws(ComputeError) { try cpu.write(source, to: buffer, at: offset) }

    func read<Element: BufferElement>(
        _ buffer: DeviceBuffer<Element>, at offset: Int, into destination: UnsafeMutableBufferPointer<Element>
    ) throws(ComputeError) { try cpu.read(buffer, at: offset, into: destination) }

    func fill<Element: BufferElement>(_ buffer: DeviceBuffer<Element>, with value: Element) throws(ComputeError) {
        try cpu.fill(buffer, with: value)
    }

    func finish() throws(ComputeError) { try cpu.finish() }

    func preparing<Failure: Error>(_ operations: () throws(Failure) -> Void) throws(Failure) {
        try cpu.preparing(operations)
    }

    func run<Value: Operation>(_ operation: Value) throws(ComputeError) { try cpu.run(operation) }
}
