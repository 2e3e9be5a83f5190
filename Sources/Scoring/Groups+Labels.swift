import Pruning

extension Groups {
    /// The group of each sample, from 0, for greedy orders; nil where the whole set is one group.
    /// - Throws: ``ScoringError/missing(what:score:)`` where classes or clusters are needed and not there.
    package func labels(
        classes: ClassLabels?, clustering: ClusterAssignment?
    ) throws(ScoringError) -> [Int32]? {
        if needClasses, classes == nil {
            throw .missing(what: "the class of every sample", score: "within \(rawValue)")
        }
        if needClustering, clustering == nil { throw .missing(what: "a clustering", score: "within \(rawValue)") }
        switch (needClasses ? classes : nil, needClustering ? clustering : nil) {
        case (nil, nil): return nil
        case (let classes?, nil): return classes.labels.map(Int32.init)
        case (nil, let clustering?): return clustering.labels
        case (let classes?, let clustering?):
            // Numbered in the order of their first member: class by cluster may be more than an Int32 holds.
            var numbers: [Int: Int32] = [:]
            return zip(classes.labels, clustering.labels).map { label, cluster in
                let pair = Int(label) * clustering.k + Int(cluster)
                let number = numbers[pair] ?? Int32(numbers.count)
                numbers[pair] = number
                return number
            }
        }
    }
}
