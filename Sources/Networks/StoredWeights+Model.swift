import Datasets
import Foundation
import Support

extension ModelSpec {
    static let nameKey = "model"
    private static let layersKey = "layers"
    private static let sideKey = "side"

    /// What weights say of their model: its name and, where the library does not have it, its layers.
    var metadata: [String: String] {
        var metadata = [Self.nameKey: name]
        guard ModelLibrary.model(name) != self else { return metadata }
        metadata[Self.layersKey] = try? JSON.text(layers, keys: .asWritten)
        metadata[Self.sideKey] = side.map { "\($0)" }
        return metadata
    }

    /// The model that a weights file says; nil where it says none, or a name that others have given.
    fileprivate static func read(_ metadata: [String: String], path: String) throws(NetworkError) -> ModelSpec? {
        guard let name = metadata[nameKey] else { return nil }
        let known = ModelLibrary.model(name)
        guard let text = metadata[layersKey] else { return known }
        func refusal(_ key: String, _ text: String, _ reason: String) -> NetworkError {
            .badWeights(reason: "metadata of \(path): \(key) is \(excerpt(text)); \(reason)")
        }
        var model = ModelSpec(name: name, layers: [])
        do {
            model.layers = try JSON.value(of: Data(text.utf8), keys: .asWritten)
        } catch DecodingError.dataCorrupted(let context) {
            throw refusal(layersKey, text, excerpt(context.debugDescription, longest: 200))
        } catch {
            throw refusal(layersKey, text, "a list of layers is needed")
        }
        guard (1...mostLayers).contains(model.layers.count) else {
            throw refusal(layersKey, text, "1 to \(mostLayers) layers are accepted")
        }
        if let text = metadata[sideKey] {
            guard let side = Int(text), imageSides.contains(side) else {
                throw refusal(sideKey, text, "a whole number of 1 to \(imageSides.upperBound) is needed")
            }
            model.side = side
        }
        if let known, known.layers != model.layers || known.side != model.side {
            throw .unusableWeights(
                reason:
                    "\(path) holds weights of another model under the name of \(known.name): \(known.difference(model))"
            )
        }
        return known ?? model
    }

    /// The first difference between this model and another one of its name, as part of a sentence.
    private func difference(_ there: ModelSpec) -> String {
        if side != there.side {
            func text(_ side: Int?) -> String { side.map { "images of \($0)x\($0)" } ?? "samples as they are" }
            return "it takes \(text(there.side)) there and \(text(side)) here"
        }
        let pairs = zip(there.layers, layers)
        if let (index, pair) = pairs.enumerated().first(where: { $1.0 != $1.1 }) {
            return "layer \(index + 1) is \(pair.0.yaml) there and \(pair.1.yaml) here"
        }
        return "it has \(there.layers.count) layers there and \(layers.count) here"
    }

    /// The model of weights. One that a file does not name, or that others have named in their own way, is the
    /// expected model or `unnamed`: its tensors decide.
    /// - Returns: the model, and whether the name that the file gives is unknown.
    static func read(
        _ metadata: [String: String], path: String, expected: ModelSpec?, unnamed: ModelSpec
    ) throws(NetworkError) -> (model: ModelSpec, unknownName: String?) {
        guard let model = try read(metadata, path: path) else {
            return (expected ?? unnamed, metadata[nameKey])
        }
        guard let expected, expected != model else { return (model, nil) }
        if expected.name == model.name {
            throw .unusableWeights(
                reason:
                    "\(path) holds weights of another model under the name \(model.name): \(expected.difference(model))"
            )
        }
        throw .unusableWeights(
            reason: "\(path) holds weights of \(excerpt(model.name)), not of \(expected.name); "
                + (ModelLibrary.model(model.name) == nil
                    ? "give its file as the model" : "name the model \(model.name)"))
    }
}
