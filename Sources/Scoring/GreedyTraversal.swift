import Compute
import Support

extension Score {
    /// The greedy orders that take points alone.
    static let ofGreedyOrders: [Score] = [.kCenter, .herding]

    /// A greedy order by a rule. ``ScoreInput/groups``, where there are some, are traversed one by one, each with a mean of
    /// its own. A pick's value is the number of picks of its group minus its place among them, from 0; samples that
    /// were not picked have 0.
    static func greedyOrder(_ rule: GreedyRule, _ name: String) -> Score {
        Score(name, needs: [.points], paper: PapersChoice(within: .none, keeping: .hard), isOrder: true) { input in
            let (points, backend) = try input.located(for: name)
            var values = [Float](repeating: 0, count: points.count)
            func rank(_ picks: [Int32]) {
                for (place, index) in picks.enumerated() { values[Int(index)] = Float(picks.count - place) }
            }
            guard let groups = input.groups else {
                rank(try backend.picks(rule, of: points, atMost: input.size, input.cancellation))
                return values
            }
            guard groups.count == points.count else {
                throw ScoringError.countMismatch(score: name, got: points.count, expected: groups.count)
            }
            let members = Dictionary(grouping: groups.indices.lazy.map { Int32($0) }) { groups[Int($0)] }
            for (_, indices) in members.sorted(by: { $0.key < $1.key }) {
                let batch = try backend.makePoints(count: indices.count, dimensions: points.dimensions)
                try backend.run(
                    PointsGather(try backend.makeBuffer(indices, label: "members"), of: points, into: batch))
                let picks = try backend.picks(rule, of: batch, atMost: input.size, input.cancellation)
                rank(picks.map { indices[Int($0)] })
            }
            return values
        }
    }
}

extension Backend {
    /// The first points of a greedy order, at most `size` of them, each point once, in the order in which they are picked.
    ///
    /// Picks are found on the device and queued many at a time: the host waits about five times a second, to look at
    /// `cancellation`.
    /// - Throws: ``ComputeError`` and `CancellationError`.
    func picks(_ rule: GreedyRule, of points: Points, atMost size: Int, _ cancellation: CancellationFlag) throws
        -> [Int32]
    {
        let count = min(size, points.count)
        guard count > 0 else { return [] }
        let order = try makeGreedyOrder(rule, count: count, of: points, mean: try mean(of: points))
        var step = 0
        var together = 16
        while step < count {
            try cancellation.check()
            let started = ContinuousClock.now
            let end = min(step + together, count)
            while step < end {
                try runPick(step, order, of: points)
                step += 1
            }
            try finish()
            let seconds = started.duration(to: .now)
            if seconds < .milliseconds(100) { together = min(2 * together, 4096) }
            if seconds > .milliseconds(300) { together = max(1, together / 2) }
        }
        let picks = try read(order.picks)
        guard picks.allSatisfy({ 0 <= $0 && $0 < points.count }), Set(picks).count == count else {
            throw ComputeError.nonsense(device: device.name, what: "picks that are no \(count) of the points")
        }
        return picks
    }
}
