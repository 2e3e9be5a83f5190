import Compute

/// What a launch costs beside its work: the times of a copy of 128 numbers.
struct LaunchLatency {
    /// Seconds per launch of many that are queued together: what a step of training pays for each of its launches.
    var queued: Double
    /// Seconds from queueing a launch until the host knows that it is done.
    var roundTrip: Double

    private static let (launches, rounds) = (384, 5)

    /// Measures `backend`, which must not measure its launches itself: it would wait for each.
    init(on backend: any Backend) throws {
        let count = Copy.unit
        let source = try backend.makeBuffer(of: Float.self, count: count, label: "source of a copy")
        let target = try backend.makeBuffer(of: Float.self, count: count, label: "target of a copy")
        try backend.fill(source, with: 1)
        func seconds(_ launches: Int) throws -> Double {
            let start = ContinuousClock.now
            for _ in 0..<launches { try backend.run(Copy(source, to: target, count: count)) }
            try backend.finish()
            return (ContinuousClock.now - start) / .seconds(1)
        }
        // The first ones compile the kernel and wake the device.
        _ = try seconds(Self.launches)
        queued =
            try (0..<Self.rounds).map { _ in try seconds(Self.launches) }.sorted()[Self.rounds / 2]
            / Double(Self.launches)
        roundTrip = try (0..<Self.launches).map { _ in try seconds(1) }.sorted()[Self.launches / 2]
    }
}
