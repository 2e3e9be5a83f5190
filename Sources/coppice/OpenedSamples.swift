import Clustering
import Datasets
import Pruning
import Ranks
import Support

/// Samples with their classes, whose values have not been checked yet. Ranks of one process share them.
struct OpenedSamples: Sendable {
    /// Nil for images.
    var features: Features?
    var samples: SampleSet
    /// Nil if the samples have no classes.
    var classes: ClassLabels?
    /// The names of the classes, where they have some: [class].
    var classNames: [String] = []
    /// The files of the samples, where each has one.
    var files: SampleFiles?
    /// Seconds that opening them took.
    var seconds = 0.0
}

extension ClusteringOptions {
    /// Opens the samples.
    /// - Parameter labels: the classes of features; images have their own.
    func open(labels: LabelsOption? = nil, quiet: Bool) throws(DatasetError) -> OpenedSamples {
        let begin = ContinuousClock.now
        var opened: OpenedSamples
        if features == nil {
            let images = try data.load(quiet: quiet)
            opened = OpenedSamples(
                samples: images.train, classes: ClassLabels(labels: images.train.labels, count: images.classCount),
                classNames: images.classNames, files: images.trainFiles)
        } else {
            let features = try matrix.open(quiet: quiet)
            let labelled = try labels?.label(features.samples, quiet: quiet)
            opened = OpenedSamples(
                features: features, samples: features.samples,
                classes: labelled.map { ClassLabels(labels: $0.samples.labels, count: $0.samples.classCount) },
                classNames: labelled?.names ?? [])
        }
        opened.seconds = (ContinuousClock.now - begin) / .seconds(1)
        return opened
    }

    /// The samples of all ranks, and this rank's part of them. Collective.
    /// - Parameters:
    ///   - opened: the samples; nil if the ranks open them.
    ///   - labels: the classes of features that the ranks open.
    /// - Throws: ``SharedRefusal``, ``Failure``, `ClusteringError`, `RanksError`.
    func samples(
        over ranks: Communicator, _ opened: OpenedSamples?, labels: LabelsOption? = nil, quiet: Bool
    ) throws -> (samples: Samples, spread: RowSpread) {
        let opened = try opened ?? ranks.sharingFailures { try open(labels: labels, quiet: quiet) }
        let spread = try ranks.spread(opened.samples.count)
        try ranks.agree(on: [
            Agreement("the classes of the samples", opened.classes.map { checksum($0.labels) } ?? "none")
        ])
        do throws(ClusteringError) {
            let matrix = try FeatureMatrix(
                opened.samples, named: "the samples of \(features ?? "--data")", forComponents: pca != nil,
                spread: spread)
            return (
                Samples(
                    samples: opened.samples, matrix: matrix, classes: opened.classes, classNames: opened.classNames,
                    files: opened.files, scaling: opened.features?.scaling), spread
            )
        } catch {
            guard let features = opened.features, !error.isShared else { throw error }
            throw Failure(error, in: features)
        }
    }
}
