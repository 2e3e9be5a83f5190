import ArgumentParser
import Compute
import KernelChecks
import Studies
import Support

/// `coppice plan`
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Estimates the time and the memory of a large job.",
        subcommands: [PlanClusterCommand.self])
}

/// `coppice plan cluster`
struct PlanClusterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Estimates time, memory and network traffic of Lloyd's k-means over several ranks.",
        discussion: """
            Nothing is clustered. The time follows from the roofline model and the operations and bytes that `coppice bench` \
            counts for the same kernels. The memory is that which a clustering allocates. The network traffic is that of \
            adding up the sums of all ranks around a ring. The assumptions are printed too.

            With --gpu every rank has the GPU that a file describes (docs/gpus has some). Without it every rank has a device \
            like the one in this machine. Its limits, and the shares of them that a smaller clustering reaches, are measured \
            as `coppice bench` measures them, which takes a few seconds.

            A k-means|| start, the default above 10000 clusters, also uses the hosts: rank 0's host chooses the \
            centroids, at the rate that --host gives. Without --gpu, the rate of this machine's host is measured.
            """)

    @Option(help: ArgumentHelp("Rows of all ranks together, such as 1e9.", valueName: "n"), transform: wholeNumber)
    var rows: Int
    @Option(
        help: ArgumentHelp("Columns of the rows, which are assumed to be float32.", valueName: "d"),
        transform: wholeNumber)
    var dim: Int
    @Option(name: .customLong("k"), help: ArgumentHelp("Clusters.", valueName: "k"), transform: wholeNumber)
    var k: Int
    @Option(help: ArgumentHelp("Iterations of Lloyd's k-means. (default: 20)", valueName: "n"), transform: wholeNumber)
    var iterations = 20
    @Option(
        help: ArgumentHelp(
            "Ranks (processes) that share the rows, each with its own device. (default: 1)", valueName: "n"),
        transform: wholeNumber)
    var ranks = 1
    @Option(
        help: ArgumentHelp(
            "The start: kmeans++ (on a random subset) or kmeans-parallel (k-means||). (default: that of `coppice cluster`: kmeans-parallel with more than 10000 clusters, otherwise kmeans++)",
            valueName: "start"))
    var start: PlannedStart?
    @Option(
        help: ArgumentHelp(
            "Estimate for the GPU that this file describes by the keys name, tflops, gbs, launch_us and compute_units. (default: the device in this machine)",
            valueName: "file"))
    var gpu: String?
    @Option(
        help: ArgumentHelp(
            "With --gpu: the rate at which all cores of rank 0's host read rows that they compare, with its unit. (default: 100GB/s)",
            valueName: "rate"))
    var host: String?
    @Option(
        help: ArgumentHelp(
            "The rate at which each rank sends, with its unit: 50GB/s, 400Gbit/s. Required with several ranks.",
            valueName: "rate"))
    var network: String?
    @Option(
        help: ArgumentHelp(
            "Time per message in addition to its bytes, with its unit: 5us. (default: 0us)", valueName: "time"))
    var latency: String?
    @Flag(help: "Print one JSON object.")
    var json = false
    @OptionGroup var shape: ProfileOption
    @OptionGroup var compute: ComputeOptions

    func run() throws {
        let size = ClusterSize(
            rows: rows, dimensions: dim, k: k, iterations: iterations, ranks: ranks, start: start)
        try size.check()
        let network = try rankNetwork()
        let (device, host) = try rates(for: size)
        let plan = ClusterPlan(size, on: device, host, over: network)
        if json { try printJSON(plan) } else { for line in plan.lines { print(line) } }
    }

    /// The network; nil with one rank.
    private func rankNetwork() throws -> RankNetwork? {
        // A bad rate is refused even where it is not needed.
        let rate = try network.map { try UnitNumber.rate($0, option: "--network") }
        let seconds = try latency.map { try UnitNumber.time($0, option: "--latency") }
        guard ranks > 1 else { return nil }
        guard let rate else {
            throw Failure(
                "--network is missing: \(ranks) ranks need the rate at which each of them sends, such as 50GB/s or 400Gbit/s",
                exitCode: 64)
        }
        return RankNetwork(bytesPerSecond: rate, latency: seconds ?? 0)
    }

    /// The rates of the GPU in the file and of its host, or of the device and the host in this machine.
    private func rates(for size: ClusterSize) throws -> (DeviceRates, HostRates) {
        // A bad rate is refused even if it is not needed.
        let rate = try host.map { try UnitNumber.rate($0, option: "--host") }
        guard let gpu else {
            guard rate == nil else {
                throw Failure(
                    "--host requires --gpu; without --gpu the rate of this machine's host is measured", exitCode: 64)
            }
            return try measuredRates(for: size)
        }
        guard compute.device == "auto", shape.profile == nil else {
            throw Failure(
                "--gpu and \(shape.profile == nil ? "--device" : "--profile") are mutually exclusive: a plan for the GPU "
                    + "of a file runs on no device",
                exitCode: 64)
        }
        var rates = HostRates.assumed
        if let rate {
            guard case .parallel = size.startWork else {
                throw Failure(
                    "--host has no effect on a k-means++ start; --start kmeans-parallel uses the host", exitCode: 64)
            }
            rates.gbs = rate / 1e9
        }
        return (DeviceRates(try GPUDescription(file: gpu)), rates)
    }

    private func measuredRates(for size: ClusterSize) throws -> (DeviceRates, HostRates) {
        let interrupt = ExitOnInterrupt(saying: "interrupted")
        defer { withExtendedLifetime(interrupt) {} }
        let backend = try compute.makeBackend(in: shape, profiling: true)
        Terminal.note("measuring the device", quiet: compute.quiet)
        let stopwatch = Stopwatch(backend)
        let limits = Roofline(
            gflops: try stopwatch.limit(.peakArithmetic, \.operations),
            gbs: try stopwatch.limit(.peakBandwidth, \.bytes))
        let sample = size.sample(gflops: limits.gflops)
        func share(_ work: OperationCost..., of benchmark: Benchmark) throws -> Double {
            limits.seconds(work) / max(try stopwatch.time(benchmark).seconds, 1e-12)
        }
        var shares = DeviceRates.Shares(
            assignment: try share(sample.assignment, of: .lloyd(.assignment, of: sample)),
            update: try share(sample.update, sample.sums, of: .lloyd(.update, of: sample)))
        // A backend with profiling waits for each launch.
        let (unmeasured, _) = try DeviceSelection.make(spec: compute.device, profile: try shape.forced)
        let latency = try LaunchLatency(on: unmeasured)
        var rates = HostRates.assumed
        switch size.startSample {
        case .plusPlus(let work): shares.start = try share(work.cost, of: .plusPlus(work))
        case .parallel(_, let choice): rates = try HostRates.measured(on: choice, with: unmeasured)
        }
        let device = DeviceRates(
            name: backend.device.name, gflops: limits.gflops, gbs: limits.gbs,
            launchMicroseconds: 1e6 * latency.queued, shares: shares,
            measuredOn: "\(sample.rows) made rows of \(sample.dimensions) numbers, k \(sample.k)")
        return (device, rates)
    }
}
