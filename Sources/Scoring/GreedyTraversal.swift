import Compute
import Support

extension Score {
    /// The greedy orders by the distances to earlier picks, or by their sum.
    static let ofGreedyOrders: [Score] = [.kCenter, .herding]

    /// A greedy order by a rule. ``ScoreInput/groups``, where there are some, are traversed one by one, each with a mean of
    /// its own. A pick's value is the number of picks of its group minus its place among them, from 0; samples that
    /// were not picked have 0.
    static func greedyOrder(_ rule: GreedyRule, _ name: String) -> Score {
        Score(name, needs: [.points], paper: PapersChoice(within: .none, keeping: .hard), isOrder: true) { input in
            let (points, backend) = try input.located(for: name)
            let picks = try input.members(of: points.count).filter { !$0.isEmpty }.map { members in
                let batch = try points.gathered(members, on: backend)
                return try backend.picks(rule, of: batch, atMost: input.size, input.cancellation).map {
                    members[Int($0)]
                }
            }
            return scores(ofPicks: picks, count: points.count)
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
