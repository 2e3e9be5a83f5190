import Datasets
import Pruning
import Support

/// Training samples that are set aside, to decide by what the test set must not decide: as many of each class.
package struct ValidationSplit: Hashable, Sendable {
    /// How many samples.
    package let count: Int
    /// The seed that they are drawn by.
    package let seed: UInt64

    /// A split of `count` samples.
    package init(count: Int, seed: UInt64) {
        self.count = count
        self.seed = seed
    }

    /// The most samples that a training set can set aside: every class keeps one.
    static func most(of shape: DatasetShape) -> Int { max(0, shape.count - max(1, shape.classCount)) }

    /// A training set in two, both by rising index. Classes give equal shares; what a small class cannot give, one of whose
    /// samples stays, falls evenly to the others.
    /// - Parameter classes: of a set of more samples than are set aside.
    /// - Returns: the samples that are left to train on, those that are set aside, and what of each class is.
    package func split(_ classes: ClassLabels) -> (rest: [Int], validation: [Int], perClass: [Int]) {
        var members = [[Int]](repeating: [], count: classes.count)
        for (index, label) in classes.labels.enumerated() { members[Int(label)].append(index) }
        let most = members.map { max(0, $0.count - 1) }
        let shares = evenShares(of: min(count, most.reduce(0, +)), among: most)
        var random = RandomStream(seed: seed, run: 0, purpose: .validation)
        var (rest, validation): ([Int], [Int]) = ([], [])
        for label in members.indices {
            random.shuffle(&members[label])
            validation += members[label].prefix(shares[label])
            rest += members[label].dropFirst(shares[label])
        }
        return (rest.sorted(), validation.sorted(), shares)
    }

    /// The classes that are too small for their share, as a sentence without its full stop; nil where there are none.
    func note(_ dataset: String, _ classes: ClassLabels) -> String? {
        let shares = split(classes).perClass
        let sizes = classes.labels.reduce(into: [Int](repeating: 0, count: classes.count)) { $0[Int($1)] += 1 }
        let share = count / max(1, sizes.count { $0 > 0 })
        let short = shares.indices.filter { sizes[$0] > 0 && shares[$0] < share }
        if short.isEmpty { return nil }
        let named = short.prefix(3).map { "class \($0) (\(shares[$0]) of \(share))" }
        let more = short.count > named.count ? " and \(short.count - named.count) more" : ""
        return "\(dataset): classes too small for their share of the validation split: "
            + named.joined(separator: ", ") + more + "; the others give the rest"
    }
}

/// What networks are trained on and selections made of: the training samples of a data set, without those of a validation
/// split where there is one.
package struct TrainingSet: Hashable, Sendable {
    /// The data set's name.
    package let dataset: String
    /// What is set aside; nil where nothing is.
    package let validation: ValidationSplit?

    /// A data set's training samples, or those that a split leaves.
    package init(_ dataset: String, validation: ValidationSplit? = nil) {
        self.dataset = dataset
        self.validation = validation
    }

    /// A name for files, the same for all splits of so many samples: their seed is named beside it.
    var fileName: String { validation.map { "\(dataset)-validation\($0.count)" } ?? dataset }

    /// In words for people.
    package var title: String { validation.map { "\(dataset) less \($0.count) for validation" } ?? dataset }

    /// The indices of its samples in the data set; nil where it has all of them.
    package func indices(in dataset: Dataset) -> [Int]? {
        validation?.split(ClassLabels(labels: dataset.train.labels, count: dataset.classCount)).rest
    }

    /// Its samples.
    /// - Throws: ``DatasetError`` as ``SampleSet/subset(_:)``.
    package func samples(of dataset: Dataset) throws(DatasetError) -> SampleSet {
        guard let indices = indices(in: dataset) else { return dataset.train }
        return try dataset.train.subset(indices)
    }
}
