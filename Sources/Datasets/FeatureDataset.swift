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

/// The figures of training rows by which all rows of features are changed.
package struct FeatureFigures: Equatable, Sendable {
    /// The scaling; nil where rows are not scaled.
    package var scaling: FeatureScaling?
    /// [column]: subtracted from every row after that; nil where nothing is known to have been subtracted.
    package var medians: [Double]?

    /// These figures.
    package init(scaling: FeatureScaling? = nil, medians: [Double]? = nil) {
        self.scaling = scaling
        self.medians = medians
    }

    /// The number of columns that the figures are for; nil if they apply to rows of any width.
    fileprivate var width: Int? { scaling?.columns?.count ?? medians?.count }
}

extension Dataset {
    /// Reads a data set of features into memory.
    ///
    /// A word in the test labels has the class number that it has in the training labels. Where float32 cannot tell the values
    /// of a training column apart, the training set's medians are subtracted from the rows of both sets, as
    /// ``Features/lessMedians()`` does.
    /// - Parameters:
    ///   - name: what the data set is called.
    ///   - figures: those of other training rows, by which these are changed; nil to take the figures of these training
    ///     rows, as `scaling` asks for.
    ///   - note: hears what whoever named the files should know: sentences without their full stop.
    /// - Throws: ``DatasetError``: the files' faults; `.malformed` with the file for test rows of another width, rows of
    ///   another width than `figures`, labels or identifiers of another length, a column whose values float32 cannot tell
    ///   apart in any case, a test label that is no class of the training labels (with its line or row), and a value that is
    ///   not a finite float32 number (with its row and column); `.outOfMemory`.
    package static func load(
        name: String, features files: FeatureFiles, scaling: RequestedScaling = RequestedScaling(),
        figures: FeatureFigures? = nil, note: (String) -> Void = { _ in }
    ) throws(DatasetError) -> Dataset {
        // Labels are small, and a fault in them shows before the features are read.
        let labels = try LabelFile.read(files.labels)
        let testLabels = try LabelFile.read(files.testLabels, numberedAs: labels, of: files.labels)
        let features = try Features.open(files.features)
        let testFeatures = try Features.open(files.testFeatures)
        try testFeatures.checkWidth(of: features)
        let train = try SampleSet(features.values).labelled(labels.labels, origin: files.labels)
        let test = try SampleSet(testFeatures.values).labelled(testLabels.labels, origin: files.testLabels)
        let identifiers = try files.identifiers.map { path throws(DatasetError) in
            try Identifiers(path, count: train.count)
        }
        if let sentence = labels.note { note(sentence) }
        var dataset = try load(
            name: name, (features, train), test: (testFeatures, test), scaling: scaling, figures: figures, note: note)
        dataset.identifiers = identifiers
        dataset.classNames = labels.names
        return dataset
    }

    /// Reads rows of features without labels into memory, as ``load(name:features:scaling:figures:note:)`` reads those with
    /// labels.
    /// - Parameters:
    ///   - features: the training rows: matrices as ``Features/open(_:)`` takes them, at least one.
    ///   - testFeatures: the test rows, likewise; with none, they are the training rows.
    /// - Throws: as ``load(name:features:scaling:figures:note:)``.
    package static func load(
        name: String, features: [String], testFeatures: [String], scaling: RequestedScaling = RequestedScaling(),
        figures: FeatureFigures? = nil, note: (String) -> Void = { _ in }
    ) throws(DatasetError) -> Dataset {
        let features = try Features.open(features)
        let train = (features, SampleSet(features.values))
        guard !testFeatures.isEmpty else {
            return try load(name: name, train, test: nil, scaling: scaling, figures: figures, note: note)
        }
        let test = try Features.open(testFeatures)
        try test.checkWidth(of: features)
        return try load(
            name: name, train, test: (test, SampleSet(test.values)), scaling: scaling, figures: figures, note: note)
    }

    /// Scales rows, subtracts their medians, and brings them into memory. Without test rows they are the training rows.
    private static func load(
        name: String, _ train: (features: Features, samples: SampleSet),
        test: (features: Features, samples: SampleSet)?, scaling: RequestedScaling, figures: FeatureFigures?,
        note: (String) -> Void
    ) throws(DatasetError) -> Dataset {
        for sentence in train.features.notes + (test?.features.notes ?? []) { note(sentence) }
        let scaled: Features
        if let figures {
            let rows = train.features.values
            if let width = figures.width, width != rows.columnCount {
                throw .malformed(
                    file: rows.origin(of: 0).file,
                    reason: "its rows have \(rows.columnCount) values, and those that the network was trained on "
                        + "\(width); one width is needed")
            }
            let changed = try train.features.scaled(by: figures.scaling)
            scaled = try figures.medians == nil ? changed.lessMedians() : changed.less(figures.medians)
        } else {
            let fitted = try FeatureScaling.fit(
                train.features.values, standardize: scaling.standardize, normalize: scaling.normalize)
            scaled = try train.features.scaled(by: fitted).lessMedians()
        }
        if let sentence = scaled.mediansNote { note(sentence + (test == nil ? "" : ", from the test rows too")) }
        var values = try scaled.values.inMemory()
        try check(values, of: train.features.values)
        var testValues: SampleValues?
        if let test {
            let loaded = try test.features.scaled(by: scaled.scaling).less(scaled.medians).values.inMemory()
            try check(loaded, of: test.features.values)
            testValues = loaded
            // Networks divide bytes by 255 and take floats as they are, so both sets must have the same type.
            if values.isBytes != loaded.isBytes { (values, testValues) = (values.asFloats, loaded.asFloats) }
        }
        let samples = train.samples.replacing(values, less: scaled.medians)
        do throws(DatasetError) {
            var dataset = try Dataset(
                name: name, train: samples,
                test: testValues.flatMap { test?.samples.replacing($0, less: scaled.medians) } ?? samples,
                isOfImages: false, isLearnt: figures == nil)
            dataset.scaling = scaled.scaling
            return dataset
        } catch .malformed(_, let reason) {
            throw .malformed(file: train.features.name, reason: reason)
        }
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

extension Features {
    /// Throws unless these rows are as wide as those of other features.
    /// - Throws: ``DatasetError/malformed(file:reason:)`` with the first file.
    package func checkWidth(of other: Features) throws(DatasetError) {
        let (width, wanted) = (values.columnCount, other.values.columnCount)
        guard width == wanted else {
            throw .malformed(
                file: values.origin(of: 0).file,
                reason: "its rows have \(width) values, and those of \(other.name) \(wanted); one width is needed")
        }
    }
}

extension SampleValues {
    fileprivate var isBytes: Bool { if case .bytes = self { true } else { false } }

    /// The same numbers as floats.
    fileprivate var asFloats: SampleValues {
        if case .bytes(let bytes) = self { .floats(bytes.map { Float($0) }) } else { self }
    }
}
