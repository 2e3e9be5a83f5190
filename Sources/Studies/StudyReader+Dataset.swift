import Datasets
import Foundation
import Support
import Yams

extension StudyReader {
    /// Keys of a data set that is written out as a mapping.
    private static let datasetKeys = ["name", "data", "features"] + featureKeys + ["ids"]
    /// What features cannot do without.
    private static let featureKeys = ["labels", "test_features", "test_labels"]

    /// Reads `dataset`: a name, or a mapping that says where the files are.
    func readDataset(_ fields: StudyFields, into settings: inout StudySettings) throws(StudyError) {
        guard let node = fields["dataset"] else { return }
        if case .mapping = node {
            let entry = try StudyFields(node, file: file, what: "dataset", keys: Self.datasetKeys)
            guard let name = try entry.string("name") else {
                throw .invalid(entry.place, reason: "this data set has no name; results are named after it")
            }
            try checkName(name, at: entry.place(of: "name"), "name")
            return settings.take(name, from: try readSource(entry, name))
        }
        guard let name = try fields.string("dataset") else { return }
        // A data set that was described for all entries.
        if name == settings.recipe.dataset, settings.source != nil { return }
        let known = KnownDataset.all.map(\.name)
        if !acceptsAnyDataset && !known.contains(name) && name != Study.givenFeatures {
            throw fields.unknownWord(name, of: "dataset", known: known)
        }
        try checkName(name, at: fields.place(of: "dataset"), "dataset")
        settings.take(name, from: nil)
    }

    private func checkName(_ name: String, at place: SourcePlace, _ key: String) throws(StudyError) {
        guard Study.isName(name) else {
            throw .invalid(
                place, reason: "\(key) is \(excerpt(name)); a name of \(Study.acceptedName) is needed")
        }
    }

    private func readSource(_ entry: StudyFields, _ name: String) throws(StudyError) -> DatasetSource {
        func path(_ key: String) throws(StudyError) -> String? {
            guard let node = entry[key] else { return nil }
            return absolute(try entry.path(node, key))
        }
        func paths(_ key: String) throws(StudyError) -> [String]? {
            try entry.list(key) { node throws(StudyError) in absolute(try entry.path(node, key)) }
        }
        let folder = try path("data")
        guard let features = try paths("features") else {
            for key in Self.featureKeys + ["ids"] where entry[key] != nil {
                throw .invalid(
                    entry.place(of: key),
                    reason: folder == nil
                        ? "\(key) is for features, and this data set has none; add features: with their files"
                        : "\(key) is for features; those of data are in its folder")
            }
            guard let folder else {
                throw .invalid(
                    entry.place,
                    reason: "the data set \(name) has neither data (a folder of images) nor features; give one")
            }
            return .folder(folder)
        }
        if folder != nil {
            throw .invalid(
                entry.place(of: "data"), reason: "data and features conflict: both are the samples; give one")
        }
        guard let labels = try path("labels"), let testFeatures = try paths("test_features"),
            let testLabels = try path("test_labels")
        else {
            let missing = Self.featureKeys.filter { entry[$0] == nil }
            throw .invalid(
                entry.place,
                reason: "the data set \(name) has no \(missing.joined(separator: ", no ")); features need labels,"
                    + " test_features and test_labels")
        }
        return .features(
            FeatureFiles(
                features: features, labels: labels, testFeatures: testFeatures, testLabels: testLabels,
                identifiers: try path("ids")))
    }

    /// A path that is relative to the study's file.
    func absolute(_ path: String) -> String {
        Paths.absolute(path, from: URL(fileURLWithPath: file).deletingLastPathComponent().path)
    }
}
