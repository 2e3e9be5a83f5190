import Clustering
import Compute

extension ScoreInput {
    /// The members of each group, rising; of the whole set where there are no groups.
    /// - Throws: ``ScoringError/badParameter(name:value:accepted:)`` where there is not one group per sample.
    func members(of count: Int) throws(ScoringError) -> [[Int]] {
        guard let groups else { return [Array(0..<count)] }
        try Self.check(groups.count, "groups", of: count)
        var members = [[Int]](repeating: [], count: Int(groups.max() ?? -1) + 1)
        for (sample, group) in groups.enumerated() {
            guard group >= 0 else {
                throw .badParameter(
                    name: "the group of sample \(sample)", value: "\(group)", accepted: "0 or more is needed")
            }
            members[Int(group)].append(sample)
        }
        return members
    }

    /// The points as rows of unit length, what was subtracted from them added again; rows of zeros stay.
    /// - Throws: ``ScoringError/badParameter(name:value:accepted:)``, ``ComputeError``.
    func unitRows(of points: Points, on backend: any Backend) throws -> HostRows {
        try checkShift(of: points)
        return try HostRows(points, on: backend).normalised(adding: shift)
    }

    /// - Throws: ``ScoringError/badParameter(name:value:accepted:)`` unless there is a shift for each coordinate, or none.
    func checkShift(of points: Points) throws(ScoringError) {
        guard let shift, shift.count != points.dimensions else { return }
        throw .badParameter(
            name: "the number of shifts", value: "\(shift.count)",
            accepted: "one for each of \(points.dimensions) coordinates is needed")
    }

    /// - Throws: ``ScoringError/badParameter(name:value:accepted:)`` unless there is one of `what` per sample.
    static func check(_ got: Int, _ what: String, of count: Int) throws(ScoringError) {
        guard got == count else {
            throw .badParameter(
                name: "the number of \(what)", value: "\(got)", accepted: "one for each of \(count) samples is needed")
        }
    }
}

extension Points {
    /// The points of `members`, in that order.
    func gathered(_ members: [Int], on backend: any Backend) throws(ComputeError) -> Points {
        if members.count == count { return self }
        let gathered = try backend.makePoints(count: members.count, dimensions: dimensions)
        try backend.run(
            PointsGather(backend.makeBuffer(members.map { Int32($0) }, label: "members"), of: self, into: gathered))
        return gathered
    }
}

/// The scores of a greedy order, [count]: of each group's `picks` the first has their number, the last 1, all others 0.
func scores(ofPicks picks: [[Int]], count: Int) -> [Float] {
    var values = [Float](repeating: 0, count: count)
    for picks in picks {
        for (place, sample) in picks.enumerated() { values[sample] = Float(picks.count - place) }
    }
    return values
}

/// The ranges of equal labels.
func runs(of labels: [Int32]) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    for (place, label) in labels.enumerated() {
        if let last = runs.last, labels[last.lowerBound] == label {
            runs[runs.count - 1] = last.lowerBound..<place + 1
        } else {
            runs.append(place..<place + 1)
        }
    }
    return runs
}
