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
    var files: [NamedFile?] {
        paths.flatMap { Formats.files(ofMatrix: $0) }.map { NamedFile("--features", $0) }
    }

    /// What must hold before anything is read.
    func check() throws {
        for (name, isGiven) in [("--standardize", standardize), ("--normalize", normalize)]
        where isGiven && paths.isEmpty {
            throw Failure("\(name) is for --features, and has no effect on a data set's images", exitCode: 64)
        }
    }

    /// The rows, scaled as they are asked for; notes go to standard error.
    func open(quiet: Bool) throws(DatasetError) -> Features {
        let features = try Features.open(paths)
        for note in features.notes { Terminal.note("note: \(note)", quiet: quiet) }
        let scaling = try FeatureScaling.fit(features.values, standardize: standardize, normalize: normalize)
        return try features.scaled(by: scaling)
    }
}

extension Features {
    /// The rows as samples without labels.
    var samples: SampleSet { SampleSet(values) }
}

extension Failure {
    /// An error of features: with the file, and the row counted in that file, where it is about a row.
    init(_ error: ClusteringError, in features: Features) {
        func named(_ row: Int, _ error: (Int) -> ClusteringError) -> (String, ClusteringError) {
            let origin = features.values.origin(of: row)
            return (origin.file, error(origin.row))
        }
        let (name, error) =
            switch error {
            case .notFinite(let row, let column): named(row) { .notFinite(row: $0, column: column) }
            case .tooLarge(let row, let column, let value, let limit):
                named(row) { .tooLarge(row: $0, column: column, value: value, limit: limit) }
            default: (features.name, error)
            }
        if case .unreadable = error {
            self.init("\(error)", category: error.category)
        } else {
            self.init("\(name): \(error)", category: error.category)
        }
    }
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

    /// The same samples with the labels of the file; nil where there is none.
    func label(_ samples: SampleSet, quiet: Bool) throws(DatasetError) -> SampleSet? {
        guard let labels else { return nil }
        let file = try LabelFile.read(labels)
        if let note = file.note { Terminal.note("note: \(note)", quiet: quiet) }
        return try samples.labelled(file.labels, origin: labels)
    }
}

/// What is clustered or selected from.
struct Samples {
    var samples: SampleSet
    /// The same as rows.
    var matrix: FeatureMatrix
    var classes: ClassLabels?
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
    private let samples: SampleSet
    private var loaded: TrainableSamples?

    init(_ samples: TrainableSamples) {
        self.samples = samples.samples
        loaded = samples
    }

    /// Samples with labels, whose values may be in files.
    init(_ labelled: SampleSet) { samples = labelled }

    /// The samples, with their values in memory.
    func load() throws(DatasetError) -> TrainableSamples {
        if let loaded { return loaded }
        let samples = try samples.inMemory()
        let trainable = TrainableSamples(
            samples: samples, classCount: samples.classCount,
            normalisation: Normalisation(spread: samples.channels))
        loaded = trainable
        return trainable
    }
}
