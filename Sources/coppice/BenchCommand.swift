import ArgumentParser
import Compute
import Foundation
import KernelChecks
import Networks
import Studies
import Support

/// `coppice bench`
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Times every kernel and every stage of a study against the device's own limits.",
        discussion: """
            The limits are measured first: chains of multiply-adds, and a copy of 128 MiB, the fastest run of each. \
            A kernel's share is that of the limit that binds it: the time that its arithmetic or its memory traffic \
            would take at the limit, whichever is more, divided by its time. A kernel's time is the median of its \
            runs, on an OpenCL device from its own events. Every input counts as read once and every output as \
            written once, so that a share above 100% means that caches help.

            A stage is what a study does with many kernels and the host together, on made data of MNIST's size, by \
            the clock; its share is the sum of its kernels' least times, divided by its time. --rows, --dim and --k \
            make `lloyd`, `pca` and `dedup` run on float32 rows around 1,000 random centres instead. `lloyd` runs at most \
            20 iterations from a random start, `pca` finds 50 components, or as many as there are columns; `dedup` \
            clusters rows of which every tenth is nearly another one, and then compares them. A run of more than 4 s is \
            not repeated.

            The launch latency is the time of a copy of 128 numbers: per launch when many are queued, and from \
            queueing one launch until the host knows that it has finished.

            --roofline needs no device: it estimates what a GPU that a file describes (docs/gpus has some) would take, \
            from the same counts of operations and bytes.
            """)

    @Option(help: ArgumentHelp("This kernel alone.", valueName: "name"))
    var kernel: String?
    @Option(
        help: ArgumentHelp(
            "This stage alone: \(BenchStage.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "name"))
    var stage: String?
    @Option(
        help: ArgumentHelp(
            "Train this model in --stage training: \(ModelLibrary.names.joined(separator: ", ")), or a YAML file of layers. (default: "
                + "\(ModelLibrary.leNet5.name))", valueName: "name"),
        completion: .allModels, transform: ModelChoice.parseAny)
    var model: ModelChoice?
    @Option(
        help: ArgumentHelp(
            "Estimate for the GPU of this file instead; keys name, tflops, gbs, launch_us, compute_units.",
            valueName: "file"))
    var roofline: String?
    @Option(
        help: ArgumentHelp(
            "Networks side by side, in kernels and stages. By default as many as suit the device.", valueName: "n"),
        transform: wholeNumber)
    var replicas: Int?
    @Option(
        help: ArgumentHelp("Rows that --stage lloyd, pca or dedup makes (60000).", valueName: "n"),
        transform: wholeNumber)
    var rows: Int?
    @Option(
        help: ArgumentHelp("Columns of those rows (lloyd, dedup: 50, pca: 784).", valueName: "d"),
        transform: wholeNumber)
    var dim: Int?
    @Option(
        help: ArgumentHelp("Clusters of --stage lloyd or dedup (500).", valueName: "k"),
        transform: wholeNumber)
    var k: Int?
    @Flag(help: "Print one JSON object.")
    var json = false
    @OptionGroup var shape: ProfileOption
    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        if let replicas, !(1...10_000).contains(replicas) {
            throw ValidationError("--replicas is \(replicas); from 1 to 10000 networks are accepted")
        }
        if roofline != nil, kernel != nil || stage != nil {
            throw ValidationError(
                "--roofline estimates a training step and times nothing: leave --kernel and --stage out")
        }
        if model != nil, stage != BenchStage.training.rawValue {
            throw ValidationError("--model requires --stage training")
        }
        try validateSize()
    }

    private func validateSize() throws {
        for (name, value) in [("--rows", rows), ("--dim", dim), ("--k", k)] where value != nil {
            guard isClustered || stage == BenchStage.pca.rawValue else {
                throw ValidationError("\(name) requires --stage lloyd, pca or dedup")
            }
        }
        guard let size = madeSize else { return }
        if k != nil, !isClustered { throw ValidationError("--k requires --stage lloyd or dedup: PCA has no clusters") }
        for (name, value, most) in [
            ("--rows", size.rows, MadeSize.mostRows), ("--dim", size.dimensions, MadeSize.mostColumns),
        ] where !(1...most).contains(value) {
            throw ValidationError("\(name) is \(value); from 1 to \(most) are accepted")
        }
        // All centroids' numbers are counted in 32 bits.
        let most = min(size.rows, Int(Int32.max) / size.dimensions)
        if let k = size.k, !(1...most).contains(k) {
            throw ValidationError(
                "--k is \(k); for \(size.rows) rows of \(size.dimensions) numbers from 1 to \(most) are accepted")
        }
    }

    /// Whether the stage clusters rows that may be made in any size.
    private var isClustered: Bool { [BenchStage.lloyd, .dedup].contains { $0.rawValue == stage } }

    /// The size of made data, nil where none is given and a stage takes MNIST's.
    private var madeSize: MadeSize? {
        guard rows != nil || dim != nil || k != nil else { return nil }
        let rows = rows ?? 60_000
        return isClustered
            ? MadeSize(rows: rows, dimensions: dim ?? 50, k: k ?? min(500, rows))
            : MadeSize(rows: rows, dimensions: dim ?? 784)
    }

    private struct Report: Encodable {
        var device: DeviceDescription
        var limits: Limits
        var cases: [Case]
        var stages: [StageTiming]
    }

    private struct Limits: Encodable {
        var gflops: Double
        var gbs: Double
        var launchMicroseconds: Double
        var roundTripMicroseconds: Double

        enum CodingKeys: String, CodingKey {
            case gflops, gbs
            case launchMicroseconds = "launchUs"
            case roundTripMicroseconds = "roundTripUs"
        }
    }

    private struct Case: Encodable {
        var kernel: String
        var name: String
        var launches: Int
        var seconds: Double
        var gflops: Double
        var gbs: Double
        var share: Double
        /// Networks side by side; nil for what has none.
        var replicas: Int?

        enum CodingKeys: String, CodingKey {
            case kernel, launches, seconds, gflops, gbs, share, replicas
            case name = "case"
        }
    }

    func run() throws {
        if let roofline {
            let report = try RooflineReport(GPUDescription(file: roofline), replicas: replicas)
            if json { try printJSON(report) } else { for line in report.lines { print(line) } }
            return
        }
        // Bad names are said before a device is started.
        try checkKernel()
        let stages = try chosenStages()
        let model = try model?.load() ?? ModelLibrary.leNet5
        let stopping = CancellationFlag()
        let interrupt = Interrupt { stopping.cancel() }
        defer { withExtendedLifetime(interrupt) {} }
        let backend = try compute.makeBackend(in: shape, profiling: true)
        let benchmarks = chosenBenchmarks(BenchmarkSize(for: backend, replicas: replicas))
        // The launches of a stage queue up, as a study's do, so it needs a backend that measures none of them.
        let (unmeasured, _) = try DeviceSelection.make(spec: compute.device, profile: try shape.forced)
        let made = try madeSize.map { try MadeStage($0, on: unmeasured, seed: compute.seed) }
        let stopwatch = Stopwatch(backend)
        let limits = Roofline(
            gflops: try stopwatch.limit(.peakArithmetic, \.operations),
            gbs: try stopwatch.limit(.peakBandwidth, \.bytes))
        let latency = try LaunchLatency(on: unmeasured)
        var report = Report(
            device: backend.device,
            limits: Limits(
                gflops: limits.gflops, gbs: limits.gbs, launchMicroseconds: 1e6 * latency.queued,
                roundTripMicroseconds: 1e6 * latency.roundTrip), cases: [], stages: [])
        try show("limits: \(fixed(limits.gflops, 1)) GFLOP/s, \(fixed(limits.gbs, 1)) GB/s")
        try show(
            "launch: \(fixed(1e6 * latency.queued, 2)) us each in a queue, \(fixed(1e6 * latency.roundTrip, 2)) us "
                + "with a wait after it")
        let total = benchmarks.count + stages.count
        let bar = ProgressBar("timing", unit: "entries", quiet: compute.quiet || !json)
        defer { bar.finish() }
        func goOn() throws {
            let done = report.cases.count + report.stages.count
            bar.update(Double(done), of: Double(total))
            guard stopping.isCancelled else { return }
            if json { try printJSON(report) }
            throw Failure("interrupted after \(done) timings", exitCode: 130)
        }
        var failures: [String] = []
        if !benchmarks.isEmpty { try show(Self.row("kernel", "case", "time", "GFLOP/s", "GB/s", "share")) }
        for benchmark in benchmarks {
            if let timing = try stopwatch.attempt(benchmark) {
                let entry = Self.entry(benchmark, timing, limits)
                report.cases.append(entry)
                try show(
                    Self.row(
                        entry.kernel, entry.name + (entry.replicas.map { ", " + networkCount($0) } ?? ""),
                        "\(fixed(1e6 * entry.seconds, 1)) us", fixed(entry.gflops, 1),
                        fixed(entry.gbs, 1), "\(fixed(100 * entry.share, 0))%"))
            } else {
                failures.append("\(benchmark.kernel) (\(benchmark.name))")
            }
            try goOn()
        }
        if !stages.isEmpty { try show(Self.row("stage", "case", "time", "GFLOP/s", "", "share")) }
        for stage in stages {
            let timings =
                if let made {
                    try made.time(stage, limits: limits, goOn: goOn)
                } else {
                    try stage.time(
                        on: unmeasured, seed: compute.seed, replicas: replicas, model: model, limits: limits)
                }
            for timing in timings {
                report.stages.append(timing)
                try show(
                    Self.row(
                        timing.stage.rawValue, timing.name, Self.duration(timing.seconds),
                        timing.gflops.map { fixed($0, 1) } ?? "", "",
                        timing.share.map { "\(fixed(100 * $0, 0))%" } ?? ""))
            }
            try goOn()
        }
        bar.finish()
        if json { try printJSON(report) }
        if !failures.isEmpty {
            try flushOutput()
            throw Failure("not timed, since they failed: \(failures.joined(separator: ", "))", exitCode: 70)
        }
    }

    /// A line for people, at once.
    private func show(_ line: String) throws {
        guard !json else { return }
        print(line)
        // Nobody is left to time for.
        guard try flushOutput() else { throw ExitCode.success }
    }

    private func checkKernel() throws {
        let names = Benchmark.kernels
        guard let kernel, !names.contains(kernel) else { return }
        throw Failure(
            "there is no benchmark of a kernel \(kernel); the nearest is \(nearestWord(to: kernel, in: names)), of "
                + names.joined(separator: ", "),
            exitCode: 64)
    }

    private func chosenBenchmarks(_ size: BenchmarkSize) -> [Benchmark] {
        guard let kernel else { return stage == nil ? Benchmark.all(size) : [] }
        return Benchmark.all(size).filter { $0.kernel == kernel }
    }

    private func chosenStages() throws -> [BenchStage] {
        guard let stage else { return kernel == nil ? BenchStage.allCases : [] }
        if let chosen = BenchStage(rawValue: stage) { return [chosen] }
        let names = BenchStage.allCases.map(\.rawValue)
        throw Failure(
            "there is no stage \(stage); the nearest is \(nearestWord(to: stage, in: names)), of "
                + names.joined(separator: ", "),
            exitCode: 64)
    }

    private static func entry(_ benchmark: Benchmark, _ timing: Stopwatch.Timing, _ limits: Roofline) -> Case {
        let (gflops, gbs) = (timing.rate(of: timing.cost.operations), timing.rate(of: timing.cost.bytes))
        return Case(
            kernel: benchmark.kernel, name: benchmark.name, launches: timing.launches, seconds: timing.seconds,
            gflops: gflops, gbs: gbs, share: limits.seconds(timing.cost) / timing.seconds,
            replicas: benchmark.replicas)
    }

    private static func duration(_ seconds: Double) -> String {
        seconds < 0.1 ? "\(fixed(1e3 * seconds, 3)) ms" : "\(fixed(seconds, 3)) s"
    }

    private static func row(_ kernel: String, _ name: String, _ numbers: String...) -> String {
        kernel.padding(toLength: 28, withPad: " ", startingAt: 0)
            + name.padding(toLength: max(46, name.count), withPad: " ", startingAt: 0)
            + numbers.map { String(repeating: " ", count: max(1, 11 - $0.count)) + $0 }.joined()
    }
}
