import Compute
import KernelChecks

/// Finds the block sizes that suit a device: each candidate is timed, and the fastest is kept only if it is right, its
/// results have the default's bits, and it is faster than the default again when the two are timed in turns.
struct Tuner {
    /// What became of a candidate.
    struct Trial: Encodable {
        enum Outcome: String, Encodable {
            /// The default, which the others are held against.
            case standard = "default"
            /// The fastest, and kept.
            case kept
            /// Not fast enough to matter.
            case slower
            /// Faster than the default, not the fastest.
            case faster
            /// A wrong result, or other bits than the default's.
            case rejected
            /// It cannot be built or launched there.
            case failed
        }
        var tunable: String
        var sizes: [Int]
        /// Of all its kernels' benchmarks together.
        var seconds: Double?
        var verdict: Outcome
        /// Why it was rejected or failed.
        var reason: String?
    }

    /// Share of the default's time that a candidate has to save: less is noise.
    static let leastGain = 0.03
    /// Times that the fastest candidate is held against the default before it is kept.
    private static let rounds = 5

    private let backend: OpenCLBackend
    private let profile: DeviceProfile
    private let benchmarks: [Benchmark]
    /// Hears of each candidate when it is judged.
    private let hear: (Trial) throws -> Void

    init(_ backend: OpenCLBackend, hear: @escaping (Trial) throws -> Void) {
        self.backend = backend
        profile = backend.profile
        benchmarks = Benchmark.tuning(BenchmarkSize(for: backend))
        self.hear = hear
    }

    /// The best sizes of all tunables, found one tunable after the other.
    func run() throws -> BlockSizes {
        var best = BlockSizes(profile)
        for tunable in Tunable.all { best = try tune(tunable, from: best) }
        return best
    }

    private func tune(_ tunable: Tunable, from sizes: BlockSizes) throws -> BlockSizes {
        let candidates = tunable.candidates(profile)
        guard candidates.count > 1 else { return sizes }
        func trial(_ sizes: [Int], _ seconds: Double?, _ verdict: Trial.Outcome, _ reason: String? = nil) -> Trial {
            Trial(tunable: tunable.name, sizes: sizes, seconds: seconds, verdict: verdict, reason: reason)
        }
        let standard = try seconds(of: tunable, sizes)
        try hear(trial(candidates[0], standard, .standard))
        var expected: [CaseResult]?
        var best = (sizes: sizes, seconds: standard, candidate: [Int]())
        for candidate in candidates.dropFirst() {
            let changed = sizes.with(candidate, for: tunable)
            do {
                let time = try seconds(of: tunable, changed)
                guard time < (1 - Self.leastGain) * standard else {
                    try hear(trial(candidate, time, .slower))
                    continue
                }
                let reference = try expected ?? results(of: tunable, sizes)
                expected = reference
                if let reason = Self.difference(try results(of: tunable, changed), reference, tunable) {
                    try hear(trial(candidate, time, .rejected, reason))
                    continue
                }
                try hear(trial(candidate, time, .faster))
                if time < best.seconds { best = (changed, time, candidate) }
            } catch let error as ComputeError {
                try hear(trial(candidate, nil, .failed, error.description))
            }
        }
        guard best.sizes != sizes else { return sizes }
        let ratio = try ratio(of: tunable, best.sizes, to: sizes)
        guard ratio < 1 - Self.leastGain else {
            try hear(trial(best.candidate, ratio * standard, .slower, "in turns with the default"))
            return sizes
        }
        try hear(trial(best.candidate, ratio * standard, .kept))
        return best.sizes
    }

    /// The median over rounds of one candidate's time divided by another's: in turns, so that what else the device does
    /// meanwhile is the same for both.
    private func ratio(of tunable: Tunable, _ sizes: BlockSizes, to others: BlockSizes) throws -> Double {
        var ratios: [Double] = []
        for _ in 0..<Self.rounds {
            let time = try seconds(of: tunable, sizes)
            ratios.append(try time / seconds(of: tunable, others))
        }
        return ratios.sorted()[Self.rounds / 2]
    }

    /// The benchmarks of a tunable's kernels, together.
    private func seconds(of tunable: Tunable, _ sizes: BlockSizes) throws -> Double {
        let stopwatch = Stopwatch(try backend.with(sizes, profiling: true))
        return try benchmarks.filter { tunable.kernels.contains($0.kernel) }
            .reduce(0) { try $0 + stopwatch.time($1).seconds }
    }

    /// The cases of `verify` of all kernels that the tunable touches.
    private func results(of tunable: Tunable, _ sizes: BlockSizes) throws -> [CaseResult] {
        let target = try backend.with(sizes, profiling: false)
        let reference = CPUBackend()
        return KernelChecks.cases(.quick, for: profile)
            .filter { tunable.kernels.contains($0.kernel) || tunable.arrangers.contains($0.kernel) }
            .map { KernelChecks.run($0, on: target, reference: reference) }
    }

    /// What keeps a candidate from being taken, nil for nothing.
    static func difference(_ results: [CaseResult], _ expected: [CaseResult], _ tunable: Tunable) -> String? {
        for (result, standard) in zip(results, expected) {
            guard result.verdict == .right else {
                return "\(result.kernel), \(result.name): \(result.verdict.rawValue): \(result.message)"
            }
            // What is only arranged otherwise may be in another order.
            if tunable.kernels.contains(result.kernel), result.fingerprint != standard.fingerprint {
                return "\(result.kernel), \(result.name): other bits than with the default"
            }
        }
        return nil
    }
}
