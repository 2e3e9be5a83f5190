/// The files of a data set of features: rows to learn from and rows to test on, each with a label.
package struct FeatureFiles: Hashable, Sendable {
    /// The training rows: matrices as ``Features/open(_:)`` takes them, at least one.
    package var features: [String]
    /// A label per training row, as ``LabelFile/read(_:)`` takes them.
    package var labels: String
    /// The test rows, likewise.
    package var testFeatures: [String]
    /// A label per test row, likewise.
    package var testLabels: String
    /// A file with a line per training row that says what it is; nil without one.
    package var identifiers: String?

    /// These files.
    package init(
        features: [String], labels: String, testFeatures: [String], testLabels: String, identifiers: String? = nil
    ) {
        self.features = features
        self.labels = labels
        self.testFeatures = testFeatures
        self.testLabels = testLabels
        self.identifiers = identifiers
    }
}

/// What is done to features before anything else. The figures are those of the training rows.
package struct RequestedScaling: Hashable, Sendable {
    /// Whether each column is brought to mean 0 and standard deviation 1.
    package var standardize: Bool
    /// Whether each row is brought to length 1, after that.
    package var normalize: Bool

    /// Neither unless it is asked for.
    package init(standardize: Bool = false, normalize: Bool = false) {
        self.standardize = standardize
        self.normalize = normalize
    }
}

extension Dataset {
    /// Reads a data set of features into memory.
    ///
    /// A word in the test labels has the class number that it has in the training labels. Where float32 cannot tell the values
    /// of a training column apart, the training set's medians are subtracted from the rows of both sets, as
    /// ``Features/lessMedians()`` does.
    /// - Parameters:
    ///   - name: what the data set is called.
    ///   - note: hears what whoever named the files should know: sentences without their full stop.
    /// - Throws: ``DatasetError``: the files' faults; `.malformed` with the file for test rows of another width, labels or
    ///   identifiers of another length, a column whose values float32 cannot tell apart in any case, a test label that is no
    ///   class of the training labels (with its line or row), and a value that is not a finite float32 number (with its row
    ///   and column); `.outOfMemory`.
    package static func load(
        name: String, features files: FeatureFiles, scaling: RequestedScaling = RequestedScaling(),
        note: (String) -> Void = { _ in }
    ) throws(DatasetError) -> Dataset {
        // Labels are small, and a fault in them shows before the features are read.
        let labels = try LabelFile.read(files.labels)
        let testLabels = try LabelFile.read(files.testLabels, numberedAs: labels, of: files.labels)
        let features = try Features.open(files.features)
        let testFeatures = try Features.open(files.testFeatures)
        let (width, testWidth) = (features.values.columnCount, testFeatures.values.columnCount)
        guard width == testWidth else {
            throw .malformed(
                file: testFeatures.values.origin(of: 0).file,
                reason: "its rows have \(testWidth) values, and those of \(features.name) \(width); one width is needed"
            )
        }
        let train = try SampleSet(features.values).labelled(labels.labels, origin: files.labels)
        let test = try SampleSet(testFeatures.values).labelled(testLabels.labels, origin: files.testLabels)
        let identifiers = try files.identifiers.map { path throws(DatasetError) in
            try Identifiers(path, count: train.count)
        }
        for sentence in features.notes + testFeatures.notes + [labels.note].compactMap(\.self) { note(sentence) }
        let figures = try FeatureScaling.fit(
            features.values, standardize: scaling.standardize, normalize: scaling.normalize)
        let scaled = try features.scaled(by: figures).lessMedians()
        if let sentence = scaled.mediansNote { note(sentence + ", from the test rows too") }
        let scaledTest = try testFeatures.scaled(by: figures).less(scaled.medians)
        var values = (try scaled.values.inMemory(), try scaledTest.values.inMemory())
        try check(values.0, of: features.values)
        try check(values.1, of: testFeatures.values)
        // Networks take 255 of bytes for 1, and floats as they are: both sets must be of one kind.
        if values.0.isBytes != values.1.isBytes { values = (values.0.asFloats, values.1.asFloats) }
        var dataset: Dataset
        do throws(DatasetError) {
            dataset = try Dataset(
                name: name, train: train.replacing(values.0, less: scaled.medians),
                test: test.replacing(values.1, less: scaled.medians), isOfImages: false)
        } catch .malformed(_, let reason) {
            throw .malformed(file: features.name, reason: reason)
        }
        dataset.identifiers = identifiers
        dataset.classNames = labels.names
        return dataset
    }

    /// Holds every value against the range of float32.
    /// - Parameter stored: the rows as they are in their files, which an error is about.
    private static func check(_ values: SampleValues, of stored: any StoredValues) throws(DatasetError) {
        guard case .floats(let floats) = values, let place = floats.firstIndex(where: { !$0.isFinite }) else { return }
        let (row, column) = place.quotientAndRemainder(dividingBy: stored.columnCount)
        let value = try stored.value(row: row, column: column)
        if !value.isFinite { throw stored.notFinite(row: row, column: column, value: value) }
        let origin = stored.origin(of: row)
        throw .malformed(
            file: origin.file,
            reason: "row \(origin.row), column \(column) (counted from 0) is \(value), which is beyond float32"
                + (floats[place].isNaN || value.magnitude <= Double(Float.greatestFiniteMagnitude)
                    ? " once it is scaled" : ""))
    }
}

extension SampleValues {
    fileprivate var isBytes: Bool { if case .bytes = self { true } else { false } }

    /// The same numbers as floats.
    fileprivate var asFloats: SampleValues {
        if case .bytes(let bytes) = self { .floats(bytes.map { Float($0) }) } else { self }
    }
}
