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
    /// The probability that networks gave to each sample's own class while they were trained on it, [count], in 0...1: the
    /// mean over epochs and networks. Needed by the order `beta`.
    package var meanProbability: [Float]?
    /// The recall of each class on a validation split, [classes], in 0...1; needed where classes are balanced by it.
    package var recalls: [Double]?

    /// A set of `count` samples.
    package init(
        count: Int, classes: ClassLabels? = nil, clustering: ClusterAssignment? = nil, scores: [Float]? = nil,
        meanProbability: [Float]? = nil, recalls: [Double]? = nil
    ) {
        self.count = count
        self.classes = classes
        self.clustering = clustering
        self.scores = scores
        self.meanProbability = meanProbability
        self.recalls = recalls
    }
}

/// A group that has fewer samples than its share, which the others make up for.
package struct ShortGroup: Equatable, Sendable {
    /// Its class; nil where clusters of all classes are groups.
    package let `class`: Int?
    /// Its cluster; nil where classes are groups.
    package let cluster: Int?
    /// How many samples it has.
    package let count: Int
    /// How many it should have given.
    package let share: Int

    /// A class, a cluster, or a cluster's part of a class.
    package init(class label: Int?, cluster: Int?, count: Int, share: Int) {
        self.class = label
        self.cluster = cluster
        self.count = count
        self.share = share
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
    /// The classes and clusters that had fewer samples than their share, apart from those that have none. Under the
    /// article's quota nothing makes up for them, and they are not listed.
    package let shortGroups: [ShortGroup]

    /// The size that was kept: `requested` under the exact quota, `requested` or less under the article's.
    package var kept: Int { indices.count }

    /// A note on the classes among ``shortGroups``, in one line; nil where there are none. Small clusters are common, and not
    /// worth a note.
    package var shortClassesNote: String? {
        let classes = shortGroups.filter { $0.cluster == nil }
        if classes.isEmpty { return nil }
        let named = classes.prefix(3).map { "class \($0.class ?? 0) (\($0.count) of \($0.share))" }
        let more = classes.count > named.count ? " and \(classes.count - named.count) more" : ""
        return "fewer samples than their share: \(named.joined(separator: ", "))\(more); the others give the rest"
    }

    init(_ indices: [Int], requested: Int, perCluster: [Int], perClass: [Int], shortGroups: [ShortGroup]) {
        (self.indices, self.requested, self.shortGroups) = (indices, requested, shortGroups)
        (self.perCluster, self.perClass) = (perCluster, perClass)
    }

    init(
        _ indices: [Int], requested: SelectionSize, of input: SelectionInput, shortGroups: [ShortGroup]
    ) {
        self.indices = indices
        self.requested = requested.count
        self.shortGroups = shortGroups
        perCluster = input.clustering.map { Self.tally(indices, $0.labels, $0.k) } ?? []
        perClass = input.classes.map { Self.tally(indices, $0.labels, $0.count) } ?? []
    }

    private static func tally<Label: BinaryInteger>(_ indices: [Int], _ labels: [Label], _ count: Int) -> [Int] {
        var counts = [Int](repeating: 0, count: count)
        for index in indices { counts[Int(labels[index])] += 1 }
        return counts
    }
}
