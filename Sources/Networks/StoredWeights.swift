import Datasets
import Foundation
import Support

/// Weights as a file has them.
package struct StoredWeights: Equatable, Sendable {
    /// The weights.
    package var weights: ModelWeights
    /// What they were trained with; nil where the file says nothing of it.
    package var normalisation: Normalisation?
    /// What was done to read them, a sentence each.
    package var notes: [String]
    /// All metadata of the file.
    package var metadata: [String: String] = [:]
}

// MARK: - What they were trained on

extension StoredWeights {
    static let samplesKey = "samples"
    static let (images, features) = ("images", "features")
    /// Planes, rows and columns of images, which the layout of a model that flattens them does not record.
    private static let shapeKey = "shape"
    static let scalingKey = "scaling"
    private static let classesKey = "classes"
    private static let valuesKey = "values"
    static let mediansKey = "medians"

    /// The metadata of the samples other than their normalisation: the shape of images, the scaling of features and the
    /// values subtracted from their columns, and the names of the classes.
    package static func metadata(of dataset: Dataset) -> [String: String] {
        metadata(
            of: dataset.train, isOfImages: dataset.isOfImages, classNames: dataset.classNames, scaling: dataset.scaling)
    }

    /// The same of training samples in memory.
    package static func metadata(
        of samples: SampleSet, isOfImages: Bool, classNames: [String], scaling: FeatureScaling?
    ) -> [String: String] {
        var metadata = [samplesKey: isOfImages ? images : features]
        if isOfImages {
            metadata[shapeKey] = "\(samples.shape)"
        } else {
            metadata.merge(figures(of: scaling)) { $1 }
            metadata[valuesKey] = values(samples)
            metadata[mediansKey] = samples.medians.flatMap { try? JSON.text($0) }
        }
        if !classNames.isEmpty { metadata[classesKey] = try? JSON.text(classNames) }
        return metadata
    }

    /// Holds samples against those that the weights were trained on, as far as the file says: other figures, or classes
    /// that are numbered in another way, would give answers that mean nothing.
    /// - Throws: ``NetworkError/unusableWeights(reason:)`` for features if it was trained on images and vice versa, for
    ///   images of another shape if the network does not resize them, for features with another scaling, and for other
    ///   class names.
    package func check(_ dataset: Dataset, scaling: RequestedScaling, path: String) throws(NetworkError) {
        let samples = dataset.isOfImages ? Self.images : Self.features
        if let trained = metadata[Self.samplesKey], [Self.images, Self.features].contains(trained), trained != samples {
            throw .unusableWeights(
                reason: "\(path): its network was trained on \(trained), and these samples are \(samples)")
        }
        if let trained = metadata[Self.scalingKey], !dataset.isOfImages, trained != Self.words(scaling) {
            throw .unusableWeights(
                reason:
                    "\(path): its network was trained on features with \(Self.options(trained)); \(dataset.name) has "
                    + Self.options(Self.words(scaling)))
        }
        // Networks take 255 of bytes for 1, and so the mean and the standard deviation are in other units.
        let values = Self.values(dataset.train)
        if let trained = metadata[Self.valuesKey], !dataset.isOfImages, trained != values {
            throw .unusableWeights(
                reason: "\(path): its network was trained on \(excerpt(trained)) features, and \(dataset.name) has "
                    + "\(values) ones; training and test rows have to be of the type that they were then")
        }
        if !dataset.isOfImages { try checkMedians(dataset, path) }
        try checkShape(dataset, path)
        guard let text = metadata[Self.classesKey], !dataset.classNames.isEmpty,
            let names = try? JSONDecoder().decode([String].self, from: Data(text.utf8)), names != dataset.classNames
        else { return }
        func shown(_ names: [String]) -> String {
            names.prefix(10).map { excerpt($0, longest: 40) }.joined(separator: ", ")
                + (names.count > 10 ? " and \(names.count - 10) more" : "")
        }
        throw .unusableWeights(
            reason: "\(path): its classes are \(shown(names)), and those of \(dataset.name) are "
                + "\(shown(dataset.classNames)); the same names in the same order are needed")
    }

    /// Refuses images of another shape than the weights were trained on, if no layer would detect it.
    private func checkShape(_ dataset: Dataset, _ path: String) throws(NetworkError) {
        let (layout, shape) = (weights.layout, dataset.train.shape)
        guard dataset.isOfImages, layout.model.side == nil else { return }
        var trained: String?
        if layout.hasFreeExtents {
            trained = metadata[ModelWeights.inputKey].map { _ in "\(layout.input)" }
        } else if layout.input.featureCount == shape.featureCount {
            trained = metadata[Self.shapeKey]
        }
        guard let trained, trained != "\(shape)" else { return }
        throw .unusableWeights(
            reason:
                "\(path): its network was trained on images of \(excerpt(trained)), and those of \(dataset.name) have "
                + "\(shape)")
    }

    /// Refuses features from whose columns other numbers were subtracted than from those that the weights were trained on.
    private func checkMedians(_ dataset: Dataset, _ path: String) throws(NetworkError) {
        let trained = try numbers(Self.mediansKey, path)
        guard trained != dataset.train.medians else { return }
        let reason =
            switch (trained, dataset.train.medians) {
            case (nil, _):
                "its network was trained on features as they are, and the medians of \(dataset.name)'s columns are subtracted,"
                    + " which float32 could not tell apart otherwise"
            case (_, nil):
                "its network was trained on features less the medians of their columns, and nothing is subtracted from"
                    + " \(dataset.name)"
            default:
                "its network was trained on features less the medians of their columns, and the columns of \(dataset.name) have other medians"
            }
        throw .unusableWeights(
            reason:
                "\(path): \(reason); give the rows that it was trained on by --features, and other rows by --test-features"
        )
    }

    private static func values(_ samples: SampleSet) -> String { samples.pixels == nil ? "float" : "uint8" }

    static func words(_ scaling: RequestedScaling) -> String {
        let words = [("standardize", scaling.standardize), ("normalize", scaling.normalize)].filter(\.1).map(\.0)
        return words.isEmpty ? "none" : words.joined(separator: ", ")
    }

    static func options(_ words: String) -> String {
        words == "none"
            ? "neither --standardize nor --normalize"
            : words.components(separatedBy: ", ").map { "--\(excerpt($0))" }.joined(separator: " and ")
    }
}

extension ModelWeights {
    /// Reads weights, and the normalisation they were trained with where the file has it. Prefixes that PyTorch's
    /// wrappers put before every name, `module.` (DataParallel) and `_orig_mod.` (torch.compile), are left off.
    /// - Parameters:
    ///   - expected: the required model; nil for the model that the file names.
    ///   - unnamed: the model of a file that names none, if none is expected. For the library's autoencoder, the tensors
    ///     decide the size of the code.
    /// - Throws: ``NetworkError/unreadable(path:reason:)``, ``NetworkError/badWeights(reason:)``, or
    ///   ``NetworkError/unusableWeights(reason:)`` where a value is not finite or a variance negative.
    package static func read(
        _ path: String, of expected: ModelSpec? = nil, unnamed: ModelSpec = ModelLibrary.leNet5
    ) throws(NetworkError) -> StoredWeights {
        var contents = try Safetensors.read(path)
        let prefixes = try contents.removePrefixes(path: path)
        let normalisation = try normalisation(contents.metadata, path: path)
        let (named, unknownName) = try ModelSpec.read(
            contents.metadata, path: path, expected: expected, unnamed: unnamed)
        // A file that names no autoencoder may have a code of any size.
        let isNamed = expected != nil || contents.metadata[ModelSpec.nameKey] != nil && unknownName == nil
        let model = isNamed ? named : named.sized(as: contents.tensors)
        var notes = prefixes.isEmpty ? [] : ["\(path): ignoring \(prefixes.joined(separator: " and ")) in tensor names"]
        if let name = unknownName {
            notes.append("\(path): its metadata names the unknown model \(excerpt(name)); reading it as \(model.name)")
        }
        do throws(NetworkError) {
            let weights = try ModelWeights(
                model, input: contents.metadata[inputKey].flatMap(shape), tensors: contents.tensors,
                found: contents.found)
            try weights.check(path: path)
            if let normalisation { try weights.layout.check(normalisation, path: path) }
            return StoredWeights(
                weights: weights, normalisation: normalisation, notes: notes, metadata: contents.metadata)
        } catch .badWeights(let reason, let model) {
            throw .badWeights(reason: "\(path): \(reason)", model: model)
        }
    }

    /// Planes, rows and columns of the samples, where tensors alone do not tell them.
    fileprivate static let inputKey = "input"

    /// The shape of samples that a file names, as three numbers with x between them; nil where it is none.
    private static func shape(_ text: String) -> SampleShape? {
        let extents = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard extents.count == 3, extents.allSatisfy({ (1...longestSide * longestSide).contains($0) }) else {
            return nil
        }
        return SampleShape(channels: extents[0], height: extents[1], width: extents[2])
    }

    /// The mean and std of a file: a number each where the samples have one channel, otherwise a number per channel with
    /// commas between them.
    private static func normalisation(
        _ metadata: [String: String], path: String
    ) throws(NetworkError) -> Normalisation? {
        var values: [[Double]] = []
        for (key, other) in [("mean", "std"), ("std", "mean")] {
            guard let text = metadata[key] else {
                if metadata[other] == nil { continue }
                throw .badWeights(
                    reason: "metadata of \(path): there is \(other) and no \(key); both are needed, or none")
            }
            var numbers: [Double] = []
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                do {
                    numbers.append(try DecimalNumber.real(part.trimmingCharacters(in: .whitespaces)))
                } catch {
                    throw .badWeights(reason: "metadata of \(path): \(key) is \"\(excerpt(text))\"; \(error)")
                }
            }
            values.append(numbers)
        }
        guard values.count == 2 else { return nil }
        let (means, stds) = (values[0], values[1])
        guard means.count == stds.count else {
            throw .badWeights(
                reason: "metadata of \(path): mean is that of \(Normalisation.count(means.count)), std that of "
                    + Normalisation.count(stds.count))
        }
        if let std = stds.first(where: { $0 <= 0 }) {
            throw .badWeights(reason: "metadata of \(path): std is \(std); a number above 0 is needed")
        }
        return Normalisation(zip(means, stds).map { ChannelStatistics(mean: $0, std: $1) })
    }

    /// Writes weights as PyTorch's load_state_dict takes them, with the model and the normalisation in the metadata.
    /// - Parameter metadata: what else the file is to say.
    /// - Throws: ``NetworkError/unwritable(path:reason:)``, ``NetworkError/writeFailed(path:reason:)``.
    package func write(
        to path: String, normalisation: Normalisation, steps: Int, metadata others: [String: String] = [:]
    ) throws(NetworkError) {
        func text(_ numbers: [Double]) -> String { numbers.map { "\($0)" }.joined(separator: ", ") }
        let counters = Dictionary(
            uniqueKeysWithValues: layout.running.map { ("\($0.name).num_batches_tracked", Int64(steps)) })
        var metadata = others.merging([
            "format": "pt", "mean": text(normalisation.means), "std": text(normalisation.stds),
        ]) { $1 }.merging(layout.model.metadata) { $1 }
        if layout.hasFreeExtents {
            let input = layout.input
            metadata[Self.inputKey] = "\(input.channels)x\(input.height)x\(input.width)"
        }
        try Safetensors.write(tensors, counters: counters, metadata: metadata, to: path)
    }
}

extension ParameterLayout {
    /// Throws unless samples of so many channels can be those that a file's weights take. Layered networks know no more
    /// than the number of their values.
    fileprivate func check(_ normalisation: Normalisation, path: String) throws(NetworkError) {
        let count = normalisation.channels.count
        guard takesPlanes ? count == input.channels : input.featureCount % count == 0 else {
            throw .unusableWeights(
                reason:
                    "\(path): mean and std in its metadata are those of \(Normalisation.count(count)), the network takes "
                    + (takesPlanes ? Normalisation.count(input.channels) : "samples of \(input.featureCount) values"))
        }
    }
}

extension Safetensors.Contents {
    /// Takes wrappers' prefixes off all names; returns the prefixes that were there.
    /// - Throws: ``NetworkError/badWeights(reason:)`` where two tensors have the same name then.
    mutating func removePrefixes(path: String) throws(NetworkError) -> [String] {
        var prefixes: Set<String> = []
        var names: [String: String] = [:]
        for name in found.keys.sorted() {
            var rest = name[...]
            while let prefix = ["module.", "_orig_mod."].first(where: rest.hasPrefix) {
                rest = rest.dropFirst(prefix.count)
            }
            if rest.count < name.count { prefixes.insert(String(name.dropLast(rest.count))) }
            if let other = names.updateValue(name, forKey: String(rest)) {
                throw .badWeights(
                    reason:
                        "\(path): tensors \(excerpt(other, longest: 40)) and \(excerpt(name, longest: 40)) are one and the same without prefixes"
                )
            }
        }
        if prefixes.isEmpty { return [] }
        tensors = names.compactMapValues { tensors[$0] }
        found = names.compactMapValues { found[$0] }
        return prefixes.sorted().prefix(4).map { excerpt($0) }
    }
}
