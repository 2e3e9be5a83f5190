/// Where a clustering put each sample.
package struct ClusterAssignment: Sendable {
    /// The cluster of each sample, in 0..<k.
    package let labels: [Int32]
    /// The squared distance of each sample to its cluster's centroid.
    package let squaredDistances: [Float]
    /// The number of clusters, empty ones included.
    package let k: Int

    /// Checks nothing yet: ``Selection/select(_:from:random:)`` does.
    package init(labels: [Int32], squaredDistances: [Float], k: Int) {
        self.labels = labels
        self.squaredDistances = squaredDistances
        self.k = k
    }
}

/// The class of each sample.
package struct ClassLabels: Sendable {
    /// The class of each sample, in 0..<count.
    package let labels: [UInt8]
    /// The number of classes, empty ones included.
    package let count: Int

    /// Labels in 0..<count.
    package init(labels: [UInt8], count: Int) {
        self.labels = labels
        self.count = count
    }
}

/// What is known of the samples of a set.
package struct SelectionInput: Sendable {
    /// How many samples there are.
    package var count: Int
    /// Their classes; needed where classes are groups or are balanced, counted where they are given.
    package var classes: ClassLabels?
    /// Their clustering; needed where clusters are groups, counted where it is given.
    package var clustering: ClusterAssignment?
    /// The score of each sample, [count], that the selection names; nil where it names none.
    package var scores: [Float]?

    /// A set of `count` samples.
    package init(
        count: Int, classes: ClassLabels? = nil, clustering: ClusterAssignment? = nil, scores: [Float]? = nil
    ) {
        self.count = count
        self.classes = classes
        self.clustering = clustering
        self.scores = scores
    }
}

/// What a selection kept.
package struct KeptSamples: Equatable, Sendable {
    /// The kept samples in rank order: the most wanted first, none twice.
    package let indices: [Int]
    /// The size that was asked for.
    package let requested: Int
    /// How many were kept of each cluster; empty where no clustering was given.
    package let perCluster: [Int]
    /// How many were kept of each class; empty where no classes were given.
    package let perClass: [Int]

    /// The size that was kept: `requested` under the exact quota, `requested` or less under the article's.
    package var kept: Int { indices.count }

    init(_ indices: [Int], requested: SelectionSize, of input: SelectionInput) {
        self.indices = indices
        self.requested = requested.count
        perCluster = input.clustering.map { Self.tally(indices, $0.labels, $0.k) } ?? []
        perClass = input.classes.map { Self.tally(indices, $0.labels, $0.count) } ?? []
    }

    private static func tally<Label: BinaryInteger>(_ indices: [Int], _ labels: [Label], _ count: Int) -> [Int] {
        var counts = [Int](repeating: 0, count: count)
        for index in indices { counts[Int(labels[index])] += 1 }
        return counts
    }
}
