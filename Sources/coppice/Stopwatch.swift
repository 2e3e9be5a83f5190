import Compute
import KernelChecks

/// Times benchmarks on a backend: by the device's own events where it has them, else by the clock.
struct Stopwatch {
    /// How long a benchmark's runs took.
    struct Timing {
        /// The median.
        var seconds: Double
        /// The least: what a limit is.
        var fastest: Double
        /// Kernel launches a run; 1 where nothing is launched.
        var launches: Int
        /// How much work a run is.
        var cost: OperationCost

        /// Billions a second.
        func rate(of amount: Double) -> Double { amount / max(seconds, 1e-12) / 1e9 }
    }

    private let backend: any Backend

    init(_ backend: any Backend) { self.backend = backend }

    /// Runs until there are five times and a fifth of a second, or a hundred of them; two more runs before warm up.
    func time(_ benchmark: Benchmark) throws -> Timing {
        let prepared = try benchmark.prepare(backend)
        let run = prepared.run
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
        return Timing(
            seconds: times[times.count / 2], fastest: max(times[0], 1e-12), launches: launches, cost: prepared.cost)
    }

    /// The most of its work, in billions a second, that the device does of a benchmark made to find a limit.
    func limit(_ benchmark: Benchmark, _ work: KeyPath<OperationCost, Double>) throws -> Double {
        let timing = try time(benchmark)
        return timing.cost[keyPath: work] / timing.fastest / 1e9
    }

    /// The same as ``time(_:)``; nil, after a word on stderr, where the operation fails. The other kernels' times are still worth having.
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
