import Datasets
import Networks
import Studies

/// Users' models: what was written from one reads back the same, and a layout of it is made or refused.
func acceptsModel(_ bytes: [UInt8], folder: String) throws(Violation) -> Bool {
    let path = folder + "/model.yaml"
    try put(bytes, at: path)
    let model: ModelSpec
    do { model = try ModelReader.load(path) } catch {
        try requireSentence(error.description, mentions: path, error.category)
        return false
    }
    try require(!model.layers.isEmpty, "a model without layers")
    try require(ModelLibrary.model(model.name) == nil, "the name of another model: \(model.name)")
    let side = model.side ?? 28
    let description: ModelDescription
    do {
        description = try ModelDescription(
            model, samples: SampleShape(height: side, width: side), classes: model.fixedClasses ?? 10)
    } catch {
        try requireSentence(error.description, mentions: model.name, error.category)
        return true
    }
    let yaml = description.yaml
    do {
        let again = try ModelReader(file: path).read(yaml)
        try require(again == model, "what was written reads back differently:\n\(yaml)")
    } catch let violation as Violation {
        throw violation
    } catch {
        throw Violation(description: "what was written is refused: \(error)\n\(yaml)")
    }
    return true
}
