import ArgumentParser
import Clustering
import Datasets
import Networks
import Pruning
import Support

/// `--features`, and what is done to them before anything else.
struct FeatureOptions: ParsableArguments {
    @Option(
        name: .customLong("features"),
        help: ArgumentHelp(
            "Samples of your own in place of a data set's training images, a row per sample: a .npy file of two dimensions, a folder of such files or a quoted pattern ('train-*.npy'; in the order of their names' bytes), FILE.npz:NAME or FILE.safetensors:NAME. May be repeated: the rows of all follow each other in the order given, and must have one width. float16, bfloat16 (safetensors), float32, float64, int8, uint8, int16, int32 or int64, of either byte order, in C or Fortran order.",
            valueName: "X.npy"))
    var paths: [String] = []
    @Flag(
        help:
            "--features: bring each column to mean 0 and standard deviation 1. A column of one value becomes 0.")
    var standardize = false
    @Flag(
        help:
            "--features: bring each row to length 1, after --standardize where both are given. A row of zeros stays one."
    )
    var normalize = false

    /// What --features names, as part of a sentence; nil where it is not given.
    var name: String? { paths.isEmpty ? nil : paths.joined(separator: ", ") }

    /// The files that are read.
    var files: [NamedFile?] { NamedFile.matrices("--features", paths) }

    /// What must hold before anything is read.
    func check() throws {
        for (name, isGiven) in [("--standardize", standardize), ("--normalize", normalize)]
        where isGiven && paths.isEmpty {
            throw Failure("\(name) is for --features, and there are none: give them, or leave it out", exitCode: 64)
        }
    }

    /// The rows, scaled as they are asked for; notes go to standard error.
    func open(quiet: Bool) throws(DatasetError) -> Features {
        let features = try Features.open(paths)
        for note in features.notes { Terminal.note("note: \(note)", quiet: quiet) }
        let scaling = try FeatureScaling.fit(features.values, standardize: standardize, normalize: normalize)
        let scaled = try features.scaled(by: scaling)
        try scaled.checkNormalized()
        return scaled
    }
}

extension Features {
    /// The rows as samples without labels.
    var samples: SampleSet { SampleSet(self) }
}

extension Failure {
    /// An error of features: with the file, and the row counted in that file, where it is about a row.
    init(_ error: ClusteringError, in features: Features) {
        switch error {
        case .notFinite(let row, let column):
            self.init(features.values.notFinite(row: row, column: column).description, category: error.category)
        case .tooLarge(let row, let column, let value, let limit):
            let origin = features.values.origin(of: row)
            let named = ClusteringError.tooLarge(row: origin.row, column: column, value: value, limit: limit)
            self.init("\(origin.file): \(named)", category: error.category)
        case .unreadable: self.init("\(error)", category: error.category)
        default: self.init("\(features.name): \(error)", category: error.category)
        }
    }
}

/// `--features` with all that networks are trained and tested on.
struct FeatureSetOptions: ParsableArguments {
    @OptionGroup var matrix: FeatureOptions
    @OptionGroup var labels: LabelsOption
    @Option(
        help: ArgumentHelp(
            "--features: the rows to test on, of the same width, in any form that --features takes. May be repeated. They are scaled by the figures of the training rows.",
            valueName: "T.npy"))
    var testFeatures: [String] = []
    @Option(
        help: ArgumentHelp(
            "--features: the class of each row of --test-features, as for --labels. Words have the numbers that they have there.",
            valueName: "z.npy"))
    var testLabels: String?

    /// The files that are read.
    var files: [NamedFile?] {
        matrix.files + [NamedFile("--labels", labels.labels), NamedFile("--test-labels", testLabels)]
            + NamedFile.matrices("--test-features", testFeatures)
    }

    /// What is done to the rows.
    var scaling: RequestedScaling {
        RequestedScaling(standardize: matrix.standardize, normalize: matrix.normalize)
    }

    /// The files of the data set; nil where --features is not given.
    /// - Parameters:
    ///   - data: whether the images of a data set are named beside them, and whether they are to be transposed.
    ///   - identifiers: what --ids names.
    /// - Throws: ``Failure`` for options that are missing, or that have no effect.
    func named(
        besides data: (isGiven: Bool, isTransposed: Bool), identifiers: String? = nil
    ) throws -> FeatureFiles? {
        let others = [
            ("--labels", labels.labels != nil), ("--test-features", !testFeatures.isEmpty),
            ("--test-labels", testLabels != nil),
        ]
        guard matrix.name != nil else {
            for (name, isGiven) in others + [("--ids", identifiers != nil)] where isGiven {
                throw Failure("\(name) is for --features; give the training rows by it", exitCode: 64)
            }
            return nil
        }
        if data.isGiven {
            throw Failure("--features and --data are mutually exclusive", exitCode: 64)
        }
        if data.isTransposed {
            throw Failure("--transposed is for the images of a data set, and --features are none", exitCode: 64)
        }
        guard let labels = labels.labels, !testFeatures.isEmpty, let testLabels else {
            let missing = others.filter { !$0.1 }.map(\.0)
            throw Failure(
                "--features needs \(missing.joined(separator: " and ")) too: networks learn the classes of its rows, and"
                    + " are tested on other rows", exitCode: 64)
        }
        return FeatureFiles(
            features: matrix.paths, labels: labels, testFeatures: testFeatures, testLabels: testLabels,
            identifiers: identifiers)
    }

    /// Finds and reads the data set: the features, or the images of `data`.
    /// - Parameters:
    ///   - model: what they are for; nil where the samples decide.
    ///   - weights: those that take them, of the file `path`: features are standardized by the figures in it, where it has
    ///     some.
    /// - Throws: ``Failure`` for options that do not fit, ``DatasetError``, and ``NetworkError`` for metadata of the weights
    ///   that is damaged.
    func load(
        orImagesOf data: DataOptions, for model: ModelSpec, with weights: StoredWeights?, of path: String?, quiet: Bool
    ) throws -> Dataset {
        try matrix.check()
        let files = try named(
            besides: (data.data != nil || data.dataset != nil, data.orientation.transposed))
        guard let files else { return try data.load(quiet: quiet) }
        try data.images.refuse(because: "--features are none")
        guard model.side == nil else {
            throw Failure(
                "\(model.name) takes images, and --features are none: --model \(ModelLibrary.featureChoices) is needed",
                exitCode: 64)
        }
        let figures = try weights?.figures(for: scaling, path: path ?? "")
        return try loadFeatures("features", files, scaling, figures: figures, quiet: quiet)
    }
}

/// Reads a data set of features, with notes on stderr.
/// - Parameter figures: as in ``Dataset/load(name:features:scaling:figures:note:)``.
func loadFeatures(
    _ name: String, _ files: FeatureFiles, _ scaling: RequestedScaling, figures: FeatureFigures? = nil, quiet: Bool
) throws(DatasetError) -> Dataset {
    let dataset = try Dataset.load(name: name, features: files, scaling: scaling, figures: figures) {
        Terminal.note("note: \($0)", quiet: quiet)
    }
    Terminal.note("data: \(name) in \(files.features.joined(separator: ", "))", quiet: quiet)
    return dataset
}

/// `--labels`
struct LabelsOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The class of each row of --features: a .npy file of one dimension, an IDX file, or text with a label per line. Classes are whole numbers from 0 to 255; in text they may be words, which are numbered in the order of their bytes.",
            valueName: "y.npy"))
    var labels: String?

    /// What must hold before anything is read.
    func check(_ options: ClusteringOptions) throws {
        if labels != nil, options.features == nil {
            throw Failure("--labels is for --features; a data set has its own", exitCode: 64)
        }
    }

    /// The same samples with the labels of the file, and the classes' names where it has words; nil where there is none.
    func label(_ samples: SampleSet, quiet: Bool) throws(DatasetError) -> (samples: SampleSet, names: [String])? {
        guard let labels else { return nil }
        let file = try LabelFile.read(labels)
        if let note = file.note { Terminal.note("note: \(note)", quiet: quiet) }
        return (try samples.labelled(file.labels, origin: labels), file.names)
    }
}

/// What is clustered or selected from.
struct Samples {
    var samples: SampleSet
    /// The same as rows.
    var matrix: FeatureMatrix
    var classes: ClassLabels?
    /// The names of the classes, where they have some: [class].
    var classNames: [String] = []
    /// The files of the samples, where each has one.
    var files: SampleFiles?
    /// What features are scaled by; nil where they are not.
    var scaling: FeatureScaling?
    /// The samples as networks take them, where they have classes.
    var trainable: TrainableSource?
}

/// Samples that networks may be trained on.
struct TrainableSamples {
    var samples: SampleSet
    var classCount: Int
    var normalisation: Normalisation
}

/// Samples that networks may be trained on, brought into memory when that is asked for.
final class TrainableSource {
    private enum Source {
        case loaded(TrainableSamples)
        case files(Features, labels: [UInt8], quiet: Bool)
    }
    private var source: Source

    init(_ samples: TrainableSamples) { source = .loaded(samples) }

    /// Rows in files, each with its class.
    init(_ features: Features, labels: [UInt8], quiet: Bool) {
        source = .files(features, labels: labels, quiet: quiet)
    }

    /// The samples, with their values in memory: of features as ``Features/lessMedians()`` has them, which a note tells.
    func load() throws(DatasetError) -> TrainableSamples {
        switch source {
        case .loaded(let samples): return samples
        case .files(let features, let labels, let quiet):
            let features = try features.lessMedians()
            if let note = features.mediansNote { Terminal.note("note: \(note)", quiet: quiet) }
            let samples = try SampleSet(features).labelled(labels, origin: features.name).inMemory()
            let trainable = TrainableSamples(
                samples: samples, classCount: samples.classCount,
                normalisation: Normalisation(spread: samples.channels))
            source = .loaded(trainable)
            return trainable
        }
    }
}
