import ArgumentParser
import Compute
import Foundation
import KernelChecks
import Networks
import Studies
import Synchronization

/// `coppice bench`
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Times every kernel at the article's sizes against the device's own limits.",
        discussion: """
            The limits are measured first: chains of multiply-adds, and a copy of 128 MiB, the fastest run of each. A kernel's share is that of \
            the limit that binds it: the time that its arithmetic or its memory traffic would take at the limit, \
            whichever is more, divided by its time. A kernel's time is the median of its runs, on an OpenCL device from its own events. Every \
            input counts as read once and every output as written once, so that a share above 100% means that caches help.
            """)

    @Option(help: ArgumentHelp("This kernel alone.", valueName: "name"))
    var kernel: String?
    @Flag(help: "Print one JSON object.")
    var json = false
    @OptionGroup var compute: ComputeOptions

    private struct Report: Encodable {
        var device: DeviceDescription
        var limits: Limits
        var cases: [Case]
        var training: Training?
    }

    private struct Limits: Encodable {
        var gflops: Double
        var gbs: Double
    }

    private struct Case: Encodable {
        var kernel: String
        var name: String
        var launches: Int
        var seconds: Double
        var gflops: Double
        var gbs: Double
        var share: Double

        enum CodingKeys: String, CodingKey {
            case kernel, launches, seconds, gflops, gbs, share
            case name = "case"
        }
    }

    private struct Training: Encodable {
        var replicas: Int
        var batch: Int
        var images: Int
        var seconds: Double
        var imagesPerSecond: Double

        enum CodingKeys: String, CodingKey {
            case replicas, batch, images, seconds
            case imagesPerSecond = "images_per_second"
        }
    }

    func run() throws {
        let benchmarks = try chosenBenchmarks()
        let backend = try compute.makeBackend(profiling: true)
        let stopwatch = Stopwatch(backend)
        let stopping = Atomic(false)
        let interrupt = Interrupt { stopping.store(true, ordering: .relaxed) }
        defer { withExtendedLifetime(interrupt) {} }
        let limits = Limits(
            gflops: Benchmark.peakArithmetic.operations / (try stopwatch.time(.peakArithmetic).fastest) / 1e9,
            gbs: Benchmark.peakBandwidth.bytes / (try stopwatch.time(.peakBandwidth).fastest) / 1e9)
        if !json {
            print("limits: \(fixed(limits.gflops, 1)) GFLOP/s, \(fixed(limits.gbs, 1)) GB/s")
            print(Self.row("kernel", "case", "time", "GFLOP/s", "GB/s", "share"))
            try flushOutput()
        }
        let bar = ProgressBar("timing", unit: "kernels", quiet: compute.quiet || !json)
        defer { bar.finish() }
        var report = Report(device: backend.device, limits: limits, cases: [])
        var failures: [String] = []
        for (index, benchmark) in benchmarks.enumerated() {
            guard let timing = try stopwatch.attempt(benchmark) else {
                failures.append("\(benchmark.kernel) (\(benchmark.name))")
                continue
            }
            let entry = Self.entry(benchmark, timing, limits)
            report.cases.append(entry)
            bar.update(Double(index + 1), of: Double(benchmarks.count))
            if !json {
                print(
                    Self.row(
                        entry.kernel, entry.name, "\(fixed(1e6 * entry.seconds, 1)) us", fixed(entry.gflops, 1),
                        fixed(entry.gbs, 1), "\(fixed(100 * entry.share, 0))%"))
                try flushOutput()
            }
            guard !stopping.load(ordering: .relaxed) else {
                throw Failure("interrupted after \(index + 1) of \(benchmarks.count) kernels", exitCode: 130)
            }
        }
        if kernel == nil { report.training = try timeTraining() }
        bar.finish()
        if json {
            try printJSON(report)
        } else if let training = report.training {
            print(
                "training: \(training.replicas) networks, batches of \(training.batch): "
                    + "\(fixed(training.imagesPerSecond, 0)) images a second, all networks together")
        }
        if !failures.isEmpty {
            try flushOutput()
            throw Failure("not timed, since they failed: \(failures.joined(separator: ", "))", exitCode: 70)
        }
    }

    private func chosenBenchmarks() throws -> [Benchmark] {
        guard let kernel else { return Benchmark.all }
        let chosen = Benchmark.all.filter { $0.kernel == kernel }
        guard chosen.isEmpty else { return chosen }
        var names: [String] = []
        for name in Benchmark.all.map(\.kernel) where !names.contains(name) { names.append(name) }
        throw Failure(
            "there is no benchmark of a kernel \(kernel); the nearest is \(nearestWord(to: kernel, in: names)), of "
                + names.joined(separator: ", "),
            exitCode: 64)
    }

    private static func entry(_ benchmark: Benchmark, _ timing: Stopwatch.Timing, _ limits: Limits) -> Case {
        let (gflops, gbs) = (timing.rate(of: benchmark.operations), timing.rate(of: benchmark.bytes))
        return Case(
            kernel: benchmark.kernel, name: benchmark.name, launches: timing.launches, seconds: timing.seconds,
            gflops: gflops, gbs: gbs, share: max(gflops / limits.gflops, gbs / limits.gbs))
    }

    private static func row(_ kernel: String, _ name: String, _ numbers: String...) -> String {
        kernel.padding(toLength: 36, withPad: " ", startingAt: 0)
            + name.padding(toLength: 34, withPad: " ", startingAt: 0)
            + numbers.map { String(repeating: " ", count: max(1, 11 - $0.count)) + $0 }.joined()
    }

    /// A whole stage as a study runs it: its launches queue up, so it needs a backend that measures none of them.
    private func timeTraining() throws -> Training {
        let (backend, _) = try DeviceSelection.make(spec: compute.device)
        let (count, replicas, batch) = (2048, 5, 64)
        let side = LeNet5Layout.inputSide
        var random = RandomStream(seed: compute.seed, run: 0, purpose: .testing)
        let pixels = (0..<count * side * side).map { _ in UInt8(truncatingIfNeeded: random.nextWord() >> 24) }
        let store = try ImageStore(
            pixels: pixels, labels: (0..<count).map { UInt8($0 % 10) }, channels: 1, classes: 10, on: backend)
        let trainer = Trainer(
            store, normalisation: Normalisation(mean: 0.5, std: 0.25), seed: compute.seed, on: backend)
        func train(_ steps: Int) throws -> Double {
            let runs = (0..<replicas).map { TrainingRun(subset: Array(0..<count), run: $0) }
            return try trainer.train(runs, options: TrainingOptions(length: .steps(steps), batchSize: batch)).seconds
        }
        // The first steps compile the kernels.
        _ = try train(2)
        let steps = count / batch
        let seconds = try (0..<3).map { _ in try train(steps) }.sorted()[1]
        let images = replicas * steps * batch
        return Training(
            replicas: replicas, batch: batch, images: images, seconds: seconds,
            imagesPerSecond: Double(images) / seconds)
    }
}

/// Times benchmarks on a backend: by the device's own events where it has them, else by the clock.
private struct Stopwatch {
    /// How long a benchmark's runs took.
    struct Timing {
        /// The median.
        var seconds: Double
        /// The least: what a limit is.
        var fastest: Double
        /// Kernel launches a run; 1 where nothing is launched.
        var launches: Int

        /// Billions a second.
        func rate(of amount: Double) -> Double { amount / max(seconds, 1e-12) / 1e9 }
    }

    private let backend: any Backend

    init(_ backend: any Backend) { self.backend = backend }

    /// Runs until there are five times and a fifth of a second, or a hundred of them; two more runs before warm up.
    func time(_ benchmark: Benchmark) throws -> Timing {
        let run = try benchmark.prepare(backend)
        for _ in 0..<2 { try run() }
        try backend.finish()
        var times: [Double] = []
        var launches = 1
        var total = 0.0
        while times.count < 5 || (total < 0.2 && times.count < 100) {
            let before = spent
            let start = ContinuousClock.now
            try run()
            try backend.finish()
            var seconds = (ContinuousClock.now - start) / .seconds(1)
            total += seconds
            // What is no kernel, such as filling, the clock times.
            if let before, let after = spent, after.launches > before.launches {
                seconds = after.seconds - before.seconds
                launches = after.launches - before.launches
            }
            times.append(seconds)
        }
        times.sort()
        return Timing(seconds: times[times.count / 2], fastest: max(times[0], 1e-12), launches: launches)
    }

    /// The same; nil, after a word on stderr, where the operation fails. The other kernels' times are still worth having.
    func attempt(_ benchmark: Benchmark) throws -> Timing? {
        do {
            return try time(benchmark)
        } catch let error as ComputeError {
            Terminal.note("\(benchmark.kernel), \(benchmark.name): \(error)", quiet: false)
            return nil
        }
    }

    /// What the device has measured so far, nil where it measures nothing.
    private var spent: (seconds: Double, launches: Int)? {
        guard let times = (backend as? OpenCLBackend)?.kernelTimes else { return nil }
        return times.values.reduce((0, 0)) { ($0.0 + $1.seconds, $0.1 + $1.launches) }
    }
}
