import Compute
import KernelChecks
import Studies
import Support

/// What `coppice bench --roofline` says: how long a GPU that is not here should take, by its data sheet.
struct RooflineReport: Encodable {
    /// A time where every launch keeps all compute units busy, and where a launch is one work-group a tile of samples.
    struct Span: Encodable {
        var seconds: Double
        var secondsWithFewGroups: Double
    }

    struct Launch: Encodable {
        var kernel: String
        var name: String
        var operations: Double
        var bytes: Double
        var seconds: Double
        var bound: String

        enum CodingKeys: String, CodingKey {
            case kernel, operations, bytes, seconds, bound
            case name = "case"
        }
    }

    struct GPU: Encodable {
        var name: String
        var tflops: Double
        var gbs: Double
        var launchMicroseconds: Double
        var computeUnits: Int

        enum CodingKeys: String, CodingKey {
            case name, tflops, gbs, computeUnits
            case launchMicroseconds = "launchUs"
        }
    }

    var isEstimate = true
    var gpu: GPU
    var profile: String
    var replicas: Int
    var batch = KernelWork.batch
    /// A training step of all networks, its launches and what they cost.
    var step: Span
    var launches: [Launch]
    var launchSeconds: Double
    /// 60,000 images for each network, all networks together.
    var epoch: Span
    var study: String
    var studyRuns: Int
    var studyTraining: Span
    var studyEvaluation: Span
    var assumptions: [String]

    enum CodingKeys: String, CodingKey {
        case gpu, profile, replicas, batch, step, launches, launchSeconds, epoch, study, studyRuns, studyTraining
        case studyEvaluation, assumptions
        case isEstimate = "estimate"
    }

    private static let epochImages = 60_000
    private static let testImages = 10_000

    /// The estimate for a GPU and so many networks side by side; as many as the profile of GPUs suggests where nil.
    init(_ description: GPUDescription, replicas wanted: Int?) throws {
        let profile = DeviceProfile.gpu
        let replicas = wanted ?? profile.suggestedReplicas
        gpu = GPU(
            name: description.name, tflops: description.tflops, gbs: description.gbs,
            launchMicroseconds: description.launchMicroseconds, computeUnits: description.computeUnits)
        self.profile = profile.name
        self.replicas = replicas
        let model = Model(description, tilesABatch: (KernelWork.batch + profile.tile - 1) / profile.tile)
        let (training, evaluation) = (
            try KernelWork.trainingStep(networks: 1), try KernelWork.evaluationStep(networks: 1)
        )
        step = model.span(training, networks: replicas)
        launches = training.map {
            let cost = replicas * $0.cost
            return Launch(
                kernel: $0.kernel, name: $0.name, operations: cost.operations, bytes: cost.bytes,
                seconds: model.full.seconds(cost), bound: model.full.bound(cost).rawValue)
        }
        launchSeconds = Double(launches.count) * model.launch
        epoch = step.times(Self.batches(Self.epochImages))
        study = "article"
        let plan = try StudyPlan(
            StudyLibrary.load(study), shapes: ["mnist": DatasetShape(count: Self.epochImages, featureCount: 784)])
        studyRuns = plan.runs.count
        studyTraining = Span(seconds: 0, secondsWithFewGroups: 0)
        studyEvaluation = studyTraining
        for group in plan.steps(replicas: replicas) {
            let networks = group.networks
            studyTraining.add(model.span(training, networks: networks).times(group.steps))
            // The evaluator takes as many batches of a network at a time as fill the device.
            let batches = max(1, profile.suggestedReplicas / networks)
            studyEvaluation.add(
                model.span(evaluation, networks: networks * batches)
                    .times((Self.batches(Self.testImages) + batches - 1) / batches))
        }
        let units = description.computeUnits
        let groups = replicas * model.tilesABatch
        assumptions = [
            "every kernel reaches the peak of float32 arithmetic or of memory bandwidth that the file gives, whichever "
                + "binds it; on a real device none does",
            "every input is read once from memory and every output written once; caches neither help nor fail",
            "launches follow one another, none overlaps the next, and each adds \(shortest(gpu.launchMicroseconds)) us",
            "\"all units\" has every launch keep all \(units) compute units busy; \"few groups\" has each be one work-group "
                + "a tile of \(profile.tile) samples, \(groups) at a time here",
            "the bytes are those of one sum of each gradient; a GPU's kernels that keep one a tile move more",
            "runs of one size train together, up to \(replicas) of them, and every size is kept as it was requested",
            "clustering, loading, reading results back and everything else of the host is left out",
        ]
    }

    private static func batches(_ images: Int) -> Int { (images + KernelWork.batch - 1) / KernelWork.batch }

    /// The limits of a device, and what they come to when only some of its compute units work.
    private struct Model {
        let full: Roofline
        let launch: Double
        let computeUnits: Int
        let tilesABatch: Int

        init(_ gpu: GPUDescription, tilesABatch: Int) {
            full = Roofline(gflops: gpu.tflops * 1e3, gbs: gpu.gbs)
            launch = gpu.launchMicroseconds * 1e-6
            computeUnits = gpu.computeUnits
            self.tilesABatch = tilesABatch
        }

        /// The time of so many networks side by side, `launches` being those of one.
        func span(_ launches: [KernelWork], networks: Int) -> Span {
            let costs = launches.map { networks * $0.cost }
            let fixed = Double(launches.count) * launch
            let share = min(1, Double(networks * tilesABatch) / Double(computeUnits))
            // A compute unit has its share of the arithmetic; few of them are enough to fill the memory's lines.
            let few = Roofline(gflops: full.gflops * share, gbs: full.gbs)
            return Span(
                seconds: full.seconds(costs) + fixed, secondsWithFewGroups: few.seconds(costs) + fixed)
        }
    }

    /// The lines for people; the first says what this is.
    var lines: [String] {
        func row(_ name: String, _ span: Span, _ scale: Double, _ unit: String, _ note: String) -> String {
            name.padding(toLength: 26, withPad: " ", startingAt: 0)
                + [span.seconds, span.secondsWithFewGroups].map { right("\(threeDigits($0 * scale)) \(unit)", 14) }
                .joined()
                + "   \(note)"
        }
        let networks = Double(replicas)
        let arithmetic = launches.reduce(0) { $0 + $1.operations }
        let memory = launches.reduce(0) { $0 + $1.bytes }
        var lines = [
            "an estimate from a data sheet, not a measurement: \(gpu.name), as the roofline model has it",
            "\(shortest(gpu.tflops)) TFLOP/s, \(shortest(gpu.gbs)) GB/s, \(shortest(gpu.launchMicroseconds)) us a launch, "
                + "\(gpu.computeUnits) compute units; \(replicas) networks side by side, batches of \(batch), kernels as "
                + profile,
            "",
            String(repeating: " ", count: 26) + right("all units", 14) + right("few groups", 14),
            row(
                "training step", step, 1e6, "us",
                "\(launches.count) launches (\(threeDigits(launchSeconds * 1e6)) us of it), \(threeDigits(arithmetic / 1e9)) GFLOP, "
                    + "\(threeDigits(memory / 1e6)) MB"),
            row("epoch of 60,000 images", epoch, 1, "s", "of all \(replicas) networks"),
            row("  of it a network", epoch.times(1 / networks), 1, "s", ""),
            row("study \(study), training", studyTraining, 1, "s", "\(studyRuns) runs"),
            row("study \(study), tests", studyEvaluation, 1, "s", "10,000 images a run"),
            "",
            "launch".padding(toLength: 66, withPad: " ", startingAt: 0) + right("time", 12) + "   bound by",
        ]
        lines += launches.map {
            "\($0.kernel), \($0.name)".padding(toLength: 66, withPad: " ", startingAt: 0)
                + right("\(threeDigits($0.seconds * 1e6)) us", 12) + "   \($0.bound)"
        }
        return lines + ["", "assumptions:"] + assumptions.map { "- \($0)" }
    }

    private func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(1, width - text.count)) + text
    }
}

extension RooflineReport.Span {
    func times(_ count: Int) -> Self { times(Double(count)) }

    func times(_ factor: Double) -> Self {
        Self(seconds: seconds * factor, secondsWithFewGroups: secondsWithFewGroups * factor)
    }

    mutating func add(_ other: Self) {
        seconds += other.seconds
        secondsWithFewGroups += other.secondsWithFewGroups
    }
}
