import ArgumentParser
import Compute
import Support

/// `coppice tune`
struct TuneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tune",
        abstract: "Measures a device's best block sizes once, for all commands to use.",
        discussion: """
            Only sizes that change the order of no sum: a candidate is kept if it is faster than the default, right by \
            the cases of `coppice verify`, and its results have the same bits. They are kept in the user's cache for this \
            device, driver and version of the kernels; `coppice devices` says where they are in use.
            """)

    @Flag(help: "Remove what was kept for the device, and measure nothing.")
    var forget = false
    @Flag(help: "Print one JSON object.")
    var json = false
    @OptionGroup var shape: ProfileOption
    @OptionGroup var compute: ComputeOptions

    private struct Report: Encodable {
        var device: DeviceDescription
        var profile: String
        var trials: [Tuner.Trial]
        var tuned: [String: [Int]]
        var directory: String
    }

    func run() throws {
        guard let backend = try compute.makeBackend(in: shape) as? OpenCLBackend else {
            throw Failure(
                "there is no OpenCL device to tune: the built-in CPU path has no block sizes; `coppice devices` lists "
                    + "what there is", exitCode: 69)
        }
        let cache = BlockSizeCache()
        var report = Report(
            device: backend.device, profile: backend.profile.name, trials: [], tuned: [:],
            directory: cache.directory.path)
        if forget {
            let was = backend.forgetSizes(in: cache)
            if json {
                try printJSON(report)
            } else {
                print(was ? "forgotten: the defaults hold again" : "nothing was kept for \(backend.device.name)")
            }
            return
        }
        let stopping = CancellationFlag()
        let interrupt = Interrupt { stopping.cancel() }
        defer { withExtendedLifetime(interrupt) {} }
        let tuner = Tuner(backend) { trial in
            report.trials.append(trial)
            if !json {
                print(Self.line(trial))
                try flushOutput()
            }
            guard !stopping.isCancelled else {
                throw Failure("interrupted; what was kept before stays", exitCode: 130)
            }
        }
        let sizes = try tuner.run()
        guard backend.store(sizes, in: cache) else {
            throw Failure("\(cache.directory.path): the block sizes could not be written there", exitCode: 73)
        }
        report.tuned = sizes.tuned
        if json {
            try printJSON(report)
        } else {
            print(
                sizes.tuned.isEmpty
                    ? "the defaults are best on \(backend.device.name)"
                    : "kept in \(cache.directory.path); `coppice tune --forget` removes them")
        }
    }

    private static func line(_ trial: Tuner.Trial) -> String {
        trial.tunable.padding(toLength: 26, withPad: " ", startingAt: 0)
            + trial.sizes.map(String.init).joined(separator: " x ").padding(toLength: 12, withPad: " ", startingAt: 0)
            + (trial.seconds.map { "\(fixed(1e3 * $0, 3)) ms" } ?? "").padding(
                toLength: 14, withPad: " ", startingAt: 0)
            + trial.verdict.rawValue + (trial.reason.map { ": \($0)" } ?? "")
    }
}
