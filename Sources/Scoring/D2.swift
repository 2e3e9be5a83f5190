import Compute
import Foundation
import Pruning
import Support

extension Score {
    /// The order of D2 pruning (Maharana, Yadav and Bansal, "D2 pruning: message passing for balancing diversity and
    /// difficulty in data pruning", ICLR 2024). Each sample i starts from x_i: its ``Score/forgetting``, or 1 where
    /// there are no classes. Forward, x_i += sum over its k nearest neighbours j of w_ij x_j, all at once; then the sample
    /// with the highest x is picked, ties to the lower index, and x_j -= w_ij x_i for the neighbours j of the picked i,
    /// again and again. w_ij = exp(-gamma d), where d is the Euclidean distance. High: picked early. k is
    /// ``ScoreParameters/neighbors``, 10 in the paper.
    ///
    /// As where the authors' program reads a graph made beforehand, a sample exchanges messages with its own k neighbours,
    /// which need not have it among theirs. That program has no gamma in the forward direction, and the paper has one for
    /// each direction, found for each data set; here one serves both, and unless it is given it is 1 / the median distance
    /// of neighbours in the graph, so that a typical one has a weight of 1/e whatever the units. A sample that no network
    /// ever learned, whose forgetting is infinite, starts from the number of epochs, which no other reaches. Where samples
    /// are picked within groups, each group has a graph of its own, all with the same gamma.
    ///
    /// Throws ``ScoringError/missing(what:score:)`` without points, or without training dynamics where there are
    /// classes, and ``ScoringError/badParameter(name:value:accepted:)``.
    package static let d2 = Score("d2", needs: [.points, .dynamics], isOrder: true, usesNeighbors: true) { input in
        let found = try input.graph ?? D2Graph(input)
        let starts = try difficulties(input, count: input.count)
        try ScoreInput.check(starts.count, "scores that d2 starts from", of: input.count)
        try ScoreInput.check(found.order.count, "nodes of the graph", of: input.count)
        var graph = MessageGraph(
            found.neighbors, gamma: found.gamma, starts: found.order.map { Double(starts[$0]) })
        let picks = try found.segments.map { segment in
            try graph.pick(min(input.size, segment.count), of: segment, input.cancellation).map { found.order[$0] }
        }
        return scores(ofPicks: picks, count: input.count)
    }

    /// What every sample starts from.
    private static func difficulties(_ input: ScoreInput, count: Int) throws -> [Float] {
        guard input.classes != nil else { return [Float](repeating: 1, count: count) }
        guard let dynamics = input.dynamics else {
            throw ScoringError.missing(what: "training dynamics", score: "d2")
        }
        return try Score.named("forgetting").values(input).map { min($0, Float(dynamics.epochs)) }
    }
}

/// The nearest neighbours that ``Score/d2`` passes messages between, which takes no networks.
package struct D2Graph: Sendable {
    /// The samples, those of a group together.
    let order: [Int]
    /// The groups in ``order``.
    let segments: [Range<Int>]
    /// The neighbours of each place in ``order``.
    let neighbors: Neighbors
    /// How fast weights fall.
    let gamma: Double

    /// The graph of the points of `input`, within its groups.
    /// - Throws: ``ScoringError/missing(what:score:)`` without points; ``ScoringError/badParameter(name:value:accepted:)``
    ///   for numbers out of range, and for a gamma that silences every message; `ComputeError`, `CancellationError`.
    package init(_ input: ScoreInput) throws {
        let (points, backend) = try input.located(for: "d2")
        let parameters = input.parameters
        guard parameters.neighbors >= 1 else {
            throw ScoringError.badParameter(
                name: "neighbors", value: "\(parameters.neighbors)", accepted: "1 or more are possible")
        }
        if let gamma = parameters.gamma, !(gamma >= 0 && gamma.isFinite) {
            throw ScoringError.badParameter(
                name: "gamma", value: "\(gamma)", accepted: "it has to be a number of 0 or more")
        }
        let groups = try input.members(of: points.count).filter { !$0.isEmpty }
        order = groups.flatMap { $0 }
        var rows = try HostRows(points, on: backend)
        if groups.count > 1 { rows = rows.gathered(order) }
        var segments: [Range<Int>] = []
        for group in groups {
            let first = segments.last?.upperBound ?? 0
            segments.append(first..<first + group.count)
        }
        self.segments = segments
        neighbors = try rows.nearest(parameters.neighbors, within: segments, cancellation: input.cancellation)
        let distances = neighbors.distances
        guard let gamma = parameters.gamma else {
            // Copies say nothing of the scale.
            let apart = distances.filter { $0 > 0 }.sorted()
            let middle = apart.isEmpty ? 1 : (apart[(apart.count - 1) / 2] + apart[apart.count / 2]) / 2
            self.gamma = 1 / middle
            return
        }
        if let least = distances.filter({ $0 > 0 }).min(), exp(-gamma * least) < 0x1p-53 {
            // Not a single message would change a value, and the order would be that of the difficulties, or of the indices.
            throw ScoringError.badParameter(
                name: "gamma", value: "\(gamma)",
                accepted: "exp(-gamma distance) is next to nothing for the nearest two samples, which are"
                    + " \(shortest(Double(Float(least)))) apart; leave it out, or give one near 1 / the distance of"
                    + " neighbours"
            )
        }
        self.gamma = gamma
    }
}

extension Neighbors {
    /// The distances of all neighbours that there are.
    fileprivate var distances: [Double] {
        zip(squares, indices).filter { $0.1 >= 0 }.map { Double($0.0).squareRoot() }
    }
}

/// A graph of nearest neighbours whose nodes pass messages to each other.
struct MessageGraph {
    private let neighbors: Neighbors
    /// w of each neighbour, [count][room].
    private let weights: [Double]
    private var values: [Double]

    /// The graph after the forward messages.
    init(_ neighbors: Neighbors, gamma: Double, starts: [Double]) {
        self.neighbors = neighbors
        let weights = neighbors.squares.map { exp(-gamma * Double($0).squareRoot()) }
        self.weights = weights
        values = starts.indices.map { node in
            var value = starts[node]
            for element in node * neighbors.room..<(node + 1) * neighbors.room where neighbors.indices[element] >= 0 {
                value += weights[element] * starts[Int(neighbors.indices[element])]
            }
            return value
        }
    }

    /// The first `size` nodes of `nodes`, whose neighbours are among them.
    /// - Throws: `CancellationError`.
    mutating func pick(_ size: Int, of nodes: Range<Int>, _ cancellation: CancellationFlag) throws -> [Int] {
        var tree = MaximumTree(Array(values[nodes]))
        var picks: [Int] = []
        for place in 0..<size {
            if place % 4096 == 0 { try cancellation.check() }
            let node = nodes.lowerBound + tree.first
            picks.append(node)
            tree.remove(node - nodes.lowerBound)
            for element in node * neighbors.room..<(node + 1) * neighbors.room where neighbors.indices[element] >= 0 {
                let other = Int(neighbors.indices[element])
                // What was picked before stays out.
                values[other] -= weights[element] * values[node]
                tree.update(other - nodes.lowerBound, to: values[other])
            }
        }
        return picks
    }
}

/// Finds the largest of some values that change, the first of equal ones.
private struct MaximumTree {
    private let leaves: Int
    private var values: [Double]
    private var isRemoved: [Bool]
    /// The place of the largest value below each node; node 1 is the root, leaf i is node leaves + i.
    private var winners: [Int]

    /// The place of the largest value that is left, of which there is one.
    var first: Int { winners[1] }

    init(_ values: [Double]) {
        var leaves = 1
        while leaves < values.count { leaves *= 2 }
        self.leaves = leaves
        let padding = leaves - values.count
        self.values = values + [Double](repeating: -.infinity, count: padding)
        isRemoved = [Bool](repeating: false, count: values.count) + [Bool](repeating: true, count: padding)
        winners = (0..<2 * leaves).map { max(0, $0 - leaves) }
        for node in stride(from: leaves - 1, to: 0, by: -1) { decide(node) }
    }

    mutating func update(_ place: Int, to value: Double) {
        values[place] = value
        climb(from: place)
    }

    mutating func remove(_ place: Int) {
        isRemoved[place] = true
        climb(from: place)
    }

    private mutating func climb(from place: Int) {
        var node = (leaves + place) / 2
        while node > 0 {
            decide(node)
            node /= 2
        }
    }

    private mutating func decide(_ node: Int) {
        let (left, right) = (winners[2 * node], winners[2 * node + 1])
        let isRight = isRemoved[left] || (!isRemoved[right] && values[right] > values[left])
        winners[node] = isRight ? right : left
    }
}
