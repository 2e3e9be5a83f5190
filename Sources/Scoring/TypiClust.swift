import Clustering
import Compute
import Pruning
import Support

extension Score {
    /// The order of TypiClust (Hacohen, Dekel and Weinshall, "Active learning on a budget: opposite strategies suit
    /// high and low budgets", ICML 2022, algorithm 1): Lloyd's k-means makes min(budget, 500) clusters; those of more
    /// than 5 members give one sample each in turns, the largest first (ties to the lower cluster), each time the most
    /// typical one that is left. Typicality is 1 / the mean Euclidean distance to the min(20, n / 2) nearest of the n
    /// members that are left (the sample itself is one of the n and none of its neighbours); ties go to the lower
    /// index. High: picked early.
    ///
    /// The paper labels samples in rounds; this is its first round, which nothing precedes. Once all clusters of more
    /// than 5 are used up, the others give theirs by the same rule, so that exactly ``ScoreInput/size`` are picked. Its
    /// authors' program scales rows to unit length, averages squared distances, and takes mini-batch k-means for more
    /// than 50 clusters. Where samples are picked within groups, each group is clustered by itself, into as many
    /// clusters as its equal share. The number of clusters follows the budget, so a selection is not a prefix of a larger one.
    ///
    /// Throws ``ScoringError/missing(what:score:)`` without points.
    package static let typiclust = Score(
        "typiclust", needs: [.points], isOrder: true, dependsOnSize: true, isSeeded: true
    ) { input in
        let (points, backend) = try input.located(for: "typiclust")
        let groups = try input.members(of: points.count)
        let shares = evenShares(of: min(input.size, points.count), among: groups.map(\.count))
        var picks: [[Int]] = []
        for (members, share) in zip(groups, shares) where !members.isEmpty {
            let own = try points.gathered(members, on: backend)
            // A selection that shares among classes first, then among clusters, may take more than an equal share of a group.
            let size = min(input.size, members.count)
            picks.append(
                try mostTypical(size, of: own, clusters: max(1, share), on: backend, input).map { members[$0] })
        }
        return scores(ofPicks: picks, count: points.count)
    }

    /// The first `size` of the order of `points`, which so many clusters make.
    private static func mostTypical(
        _ size: Int, of points: Points, clusters: Int, on backend: any Backend, _ input: ScoreInput
    ) throws -> [Int] {
        let clustering = try KMeans(
            k: min(clusters, TypicalMembers.mostClusters), kind: .lloyd(iterations: TypicalMembers.iterations),
            seed: input.seed, run: input.run
        ).fit(PointSource(points, isDirect: true), on: backend)
        try input.cancellation.check()
        let labels = clustering.labels
        let order = (0..<points.count).sorted { (labels[$0], $0) < (labels[$1], $1) }
        let rows = try HostRows(points, on: backend).gathered(order)
        let segments = runs(of: order.map { labels[$0] })
        let neighbors = try rows.nearest(
            TypicalMembers.room, within: segments, cancellation: input.cancellation)
        var clusters = segments.map { TypicalMembers($0, of: rows, neighbors) }
        let ranked = segments.indices.sorted { (segments[$1].count, $0) < (segments[$0].count, $1) }
        let isLarge = { (cluster: Int) in segments[cluster].count > TypicalMembers.small }
        var picks: [Int] = []
        for part in [ranked.filter(isLarge), ranked.filter { !isLarge($0) }] {
            var waiting = part
            while picks.count < size, !waiting.isEmpty {
                try input.cancellation.check()
                for cluster in waiting where picks.count < size {
                    picks.append(order[clusters[cluster].takeMostTypical()])
                }
                waiting.removeAll { clusters[$0].isEmpty }
            }
        }
        return picks
    }
}

/// The members of a cluster that are left, each with its nearest ones.
struct TypicalMembers {
    /// Most clusters, and the most members that a cluster has which others precede.
    static let (mostClusters, small) = (500, 5)
    /// Lloyd's iterations at most.
    static let iterations = 100
    /// Most neighbours that typicality is of, and how many are kept of each member so that some may go.
    static let (nearest, room) = (20, 40)

    private let rows: HostRows
    private let members: Range<Int>
    private var left: Int
    private var isLeft: [Bool]
    /// Of each member the nearest that are left, nearest first: as many as typicality is of, at least.
    private var lists: [[(square: Float, member: Int)]]
    /// The members whose lists a member is or was in.
    private var holders: [[Int]]
    /// The mean distance of each member to its nearest.
    private var means: [Double]

    /// Whether none is left.
    var isEmpty: Bool { left == 0 }
    /// Neighbours that typicality is of now.
    private var wanted: Int { min(Self.nearest, left / 2) }

    init(_ members: Range<Int>, of rows: HostRows, _ neighbors: Neighbors) {
        self.rows = rows
        self.members = members
        left = members.count
        isLeft = [Bool](repeating: true, count: left)
        lists = []
        holders = [[Int]](repeating: [], count: left)
        means = [Double](repeating: 0, count: left)
        for member in 0..<left {
            var list: [(square: Float, member: Int)] = []
            for place in 0..<neighbors.room {
                let element = (members.lowerBound + member) * neighbors.room + place
                guard neighbors.indices[element] >= 0 else { break }
                let other = Int(neighbors.indices[element]) - members.lowerBound
                list.append((neighbors.squares[element], other))
                holders[other].append(member)
            }
            lists.append(list)
        }
        for member in 0..<left { measure(member) }
    }

    /// Takes out the most typical member, of which there is one, and returns its row.
    mutating func takeMostTypical() -> Int {
        var best = -1
        for member in isLeft.indices where isLeft[member] {
            if best < 0 || means[member] < means[best] { best = member }
        }
        remove(best)
        return members.lowerBound + best
    }

    private mutating func remove(_ gone: Int) {
        let before = wanted
        isLeft[gone] = false
        left -= 1
        for member in holders[gone] where isLeft[member] {
            guard let place = lists[member].firstIndex(where: { $0.member == gone }) else { continue }
            lists[member].remove(at: place)
            if lists[member].count < wanted { findNearest(of: member) }
            measure(member)
        }
        lists[gone] = []
        holders[gone] = []
        guard wanted != before else { return }
        for member in isLeft.indices where isLeft[member] { measure(member) }
    }

    private mutating func findNearest(of member: Int) {
        var list: [(square: Float, member: Int)] = []
        for other in isLeft.indices where isLeft[other] && other != member {
            let square = rows.squaredDistance(members.lowerBound + member, members.lowerBound + other)
            if list.count == Self.room {
                guard square < list[Self.room - 1].square else { continue }
                list.removeLast()
            }
            // After all that are as near, whose members are lower.
            var place = list.count
            while place > 0, list[place - 1].square > square { place -= 1 }
            list.insert((square, other), at: place)
        }
        lists[member] = list
        for entry in lists[member] { holders[entry.member].append(member) }
    }

    private mutating func measure(_ member: Int) {
        let count = wanted
        var sum = 0.0
        for entry in lists[member].prefix(count) { sum += Double(entry.square).squareRoot() }
        means[member] = count > 0 ? sum / Double(count) : 0
    }
}
