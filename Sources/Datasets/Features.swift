/// Rows of features in files, as a user names them.
package struct Features: Sendable {
    /// The rows of all files, in the order in which they were named.
    package internal(set) var values: any StoredValues
    /// The same as the files have them.
    let unscaled: any StoredValues
    /// The files, as part of a sentence.
    package let name: String
    /// What to tell whoever named them: sentences without their full stop.
    package let notes: [String]
    /// What the rows are scaled by; nil where they are as the files have them.
    package private(set) var scaling: FeatureScaling?
    /// What was subtracted from every column, [column]; nil where nothing was.
    package internal(set) var medians: [Double]?
    /// What to tell whoever named them of that: a sentence without its full stop.
    package internal(set) var mediansNote: String?

    /// Opens matrices of one width: their rows follow each other in the order given.
    /// - Parameter paths: each a .npy file, a folder or pattern of .npy files, FILE.npz:NAME or FILE.safetensors:NAME.
    /// - Throws: ``DatasetError``: `.file`, `.malformed` for what no format recognises or another width, and the faults of the
    ///   formats.
    package static func open(_ paths: [String]) throws(DatasetError) -> Features {
        var opened: [OpenedMatrix] = []
        for path in paths { opened.append(try Formats.open(path)) }
        let values = try JoinedRows.join(opened.map(\.values))
        return Features(
            values: values, unscaled: values, name: paths.joined(separator: ", "), notes: opened.flatMap(\.notes))
    }

    /// The same rows, scaled.
    /// - Throws: as ``FeatureScaling/applied(to:)``.
    package func scaled(by scaling: FeatureScaling?) throws(DatasetError) -> Features {
        guard let scaling else { return self }
        var features = self
        features.values = try scaling.applied(to: values)
        features.scaling = scaling
        return features
    }
}
