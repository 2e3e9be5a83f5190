import Datasets
import Support

/// Training sets that are in memory, which the executors of several devices share.
package final class LoadedSets: Sendable {
    /// A training set.
    struct Loaded: Sendable {
        /// Its training samples are those of the training set.
        let dataset: Dataset
        /// The samples that are set aside; nil if none are.
        let validation: SampleSet?
        let description: StudyDataset
    }

    private let sets = Locked<[TrainingSet: Loaded]>([:])

    /// Makes an empty collection.
    package init() {}

    subscript(key: TrainingSet) -> Loaded? {
        get { sets.withLock { $0[key] } }
        set { sets.withLock { $0[key] = newValue } }
    }
}
