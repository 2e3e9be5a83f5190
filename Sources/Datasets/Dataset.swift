/// A training set and a test set, with what normalises both.
package struct Dataset: Sendable {
    /// The data set's name, "mnist" for one.
    package let name: String
    /// The samples to learn from.
    package let train: SampleSet
    /// The samples to test on, of the same shape.
    package let test: SampleSet
    /// The statistics of each channel, which normalise it: those of the whole training set as read, before any resizing.
    package let channels: [ChannelStatistics]
    /// The largest label of both sets plus one.
    package let classCount: Int
    /// The names of the classes, as text on one line: [class]; empty where they are numbers alone.
    package var classNames: [String] = []
    /// The files of the training samples; nil where a file holds many of them.
    package let trainFiles: SampleFiles?
    /// A line per training sample that says what it is, in the samples' order; nil where none are given.
    package var identifiers: Identifiers?
    /// Whether the samples are images; otherwise they are rows of features.
    package let isOfImages: Bool
    /// The scaling of features, which is part of their values already; nil where they are as their files have them.
    package internal(set) var scaling: FeatureScaling?

    /// A data set; the statistics are computed from `train`.
    /// - Parameter isLearnt: false for samples that only a network trained on others takes, which may all be the same.
    /// - Throws: ``DatasetError`` `.malformed` when the two sets differ in shape, when a training value is not finite, or
    ///   when all training samples are the same in every channel; `.unsupported` for values that are not in memory.
    package init(
        name: String, train: SampleSet, test: SampleSet, trainFiles: SampleFiles? = nil, isOfImages: Bool = true,
        isLearnt: Bool = true
    ) throws(DatasetError) {
        guard train.shape == test.shape else {
            throw .malformed(
                file: name,
                reason: "training images are \(train.shape) and test images \(test.shape): the sizes must be equal")
        }
        for set in [train, test] {
            if case .stored = set.values {
                throw .unsupported(file: name, reason: "its values have to be read into memory first")
            }
        }
        let channels = ChannelStatistics.of(train.values, shape: train.shape)
        guard channels.allSatisfy({ $0.mean.isFinite && $0.std.isFinite }) else {
            throw .malformed(file: name, reason: "a value of the training set is not a finite number")
        }
        guard !isLearnt || channels.contains(where: { $0.std > 0 }) else {
            throw .malformed(
                file: name,
                reason:
                    "every \(isOfImages ? "pixel" : "value") of the training set \(isOfImages ? "has the same value" : "is the same"), so there is nothing to learn"
            )
        }
        self.name = name
        self.train = train
        self.test = test
        self.channels = channels
        classCount = max(train.classCount, test.classCount)
        self.trainFiles = trainFiles
        self.isOfImages = isOfImages
    }

    /// What a sample is called: "image" or "sample".
    package var unit: String { isOfImages ? "image" : "sample" }

    /// Reads the data set of a folder; the name is the folder's.
    /// - Throws: ``DatasetError``: `.notFound` when files are missing, and what ``load(_:)`` throws.
    package static func load(directory: String) throws(DatasetError) -> Dataset {
        try load(try DatasetLocator.location(directory: directory, name: nil))
    }

    /// Reads a data set from where it was found.
    /// - Parameters:
    ///   - reading: how, and who hears of it.
    ///   - transposed: whether rows and columns of its images are exchanged.
    /// - Throws: ``DatasetError``: the faults of its format, and `.malformed` where a file is of another known data set
    ///   than the name says.
    package static func load(
        _ location: DatasetLocation, _ reading: DatasetReading = DatasetReading(), transposed: Bool = false
    ) throws(DatasetError) -> Dataset {
        let samples = try location.format.read(location, reading)
        let train = transposed ? try samples.train.transposed() : samples.train
        let test = transposed ? try samples.test.transposed() : samples.test
        do throws(DatasetError) {
            var dataset = try Dataset(name: location.name, train: train, test: test, trainFiles: samples.trainFiles)
            dataset.classNames = samples.classNames
            return dataset
        } catch .malformed(_, let reason) {
            throw .malformed(file: location.directory, reason: reason)
        }
    }
}
