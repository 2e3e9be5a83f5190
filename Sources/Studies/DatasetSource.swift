import Datasets
import Networks

/// Where the files of a data set are, as a study says it.
package enum DatasetSource: Hashable, Sendable {
    /// A folder of images, or one that holds data sets by name.
    case folder(String)
    /// Features and their labels.
    case features(FeatureFiles)
}

/// A data set as a study describes it.
package struct DatasetDescription: Hashable, Sendable {
    /// Its name.
    package let name: String
    /// Whether its samples are features.
    package let isOfFeatures: Bool
    /// Where its files are; nil where the command line says so, or its name.
    package let source: DatasetSource?
    /// What is done to features first.
    package let scaling: RequestedScaling

    /// The folder of its images, where the study says it.
    package var folder: String? { if case .folder(let folder) = source { folder } else { nil } }

    /// The files of its features.
    package var files: [String] {
        guard case .features(let files) = source else { return [] }
        return (files.features + files.testFeatures).flatMap { Formats.files(ofMatrix: $0) }
            + [files.labels, files.testLabels, files.identifiers].compactMap(\.self)
    }
}

extension StudySettings {
    /// The data set that is trained on.
    var dataset: DatasetDescription {
        DatasetDescription(
            name: recipe.dataset, isOfFeatures: recipe.isOfFeatures, source: source,
            scaling: recipe.isOfFeatures ? scaling : RequestedScaling())
    }

    /// Takes another data set.
    mutating func take(_ name: String, from source: DatasetSource?) {
        recipe.dataset = name
        self.source = source
        recipe.isOfFeatures = if case .features = source { true } else { name == Study.givenFeatures && source == nil }
    }
}

extension Study {
    /// The name of the data set that `coppice run --features` makes.
    package static let givenFeatures = "features"

    /// Whether both are the same when resolved, wherever the files of their data sets are.
    package func isSame(as other: Study) -> Bool { difference(from: other) == nil }

    /// The data sets that the study needs, in the order of their first use.
    package var datasetDescriptions: [DatasetDescription] {
        var found: [DatasetDescription] = []
        for group in groups where !found.contains(where: { $0.name == group.settings.recipe.dataset }) {
            found.append(group.settings.dataset)
        }
        return found
    }

    /// Where the study says that the files of a data set are; nil where it does not.
    package func source(of name: String) -> DatasetSource? { datasetDescriptions.first { $0.name == name }?.source }

    /// Refuses to scale images: in an entry of them, and in a study that has nothing else.
    /// - Throws: ``StudyError/invalid(_:reason:)`` with the place of the key.
    func checkScaling() throws(StudyError) {
        let hasFeatures = groups.contains(where: \.settings.recipe.isOfFeatures)
        for group in groups where !group.settings.recipe.isOfFeatures {
            let scaling = group.settings.scaling
            for (key, isSet) in [("standardize", scaling.standardize), ("normalize", scaling.normalize)] where isSet {
                guard let place = group.places.keys[key] ?? (hasFeatures ? nil : group.places.above[key]) else {
                    continue
                }
                throw .invalid(
                    place,
                    reason: "\(key) is for features, and the data set \(group.settings.recipe.dataset) has images; for"
                        + " features write dataset: with their files, or dataset: \(Study.givenFeatures) and give them by"
                        + " --features")
            }
        }
    }

    /// The study without the folders that it names: the command line's takes their place.
    package func withoutFolders() -> Study {
        var study = self
        for index in study.groups.indices {
            if case .folder = study.groups[index].settings.source { study.groups[index].settings.source = nil }
        }
        return study
    }

    /// The study with its data set replaced by the features of the command line.
    /// - Parameters:
    ///   - name: what they are called.
    ///   - files: nil where the study's data set stays and is scaled otherwise.
    ///   - scaling: what the command line asks for, beside what the study does.
    /// - Throws: ``StudyError/invalid(_:reason:)`` where a model takes images, or names no longer tell data sets apart.
    package func overriding(
        features files: FeatureFiles?, name: String, scaling: RequestedScaling
    ) throws(StudyError) -> Study {
        var study = self
        for index in study.groups.indices {
            if let files { study.groups[index].settings.take(name, from: .features(files)) }
            if scaling.standardize { study.groups[index].settings.scaling.standardize = true }
            if scaling.normalize { study.groups[index].settings.scaling.normalize = true }
        }
        try study.checkDatasets()
        return study
    }

    /// Refuses models of images for features, and one name for two data sets.
    /// - Throws: ``StudyError/invalid(_:reason:)`` with the place.
    func checkDatasets() throws(StudyError) {
        var known: [String: DatasetDescription] = [:]
        for group in groups {
            let dataset = group.settings.dataset
            if dataset.isOfFeatures, let (key, place, model) = group.modelsInUse.first(where: { $0.model.side != nil })
            {
                throw .invalid(
                    place,
                    reason:
                        "\(key) is \(model.name), which takes images, and the data set \(dataset.name) is of features;"
                        + " \(ModelLibrary.featureChoices) is needed")
            }
            if let other = known[dataset.name], other != dataset {
                let (key, difference) =
                    other.source != dataset.source || other.isOfFeatures != dataset.isOfFeatures
                    ? ("dataset", "has other files")
                    : (
                        other.scaling.standardize != dataset.scaling.standardize ? "standardize" : "normalize",
                        "is scaled in another way"
                    )
                throw .invalid(
                    group.places[key],
                    reason: "the data set \(dataset.name) \(difference) in an earlier entry; give each its own name")
            }
            known[dataset.name] = dataset
        }
    }
}
