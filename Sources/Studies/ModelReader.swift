import Foundation
import Networks
import Support
import Yams

/// A model of a file, and the place of each of its layers there.
package struct ModelFile: Sendable {
    /// The model.
    package let model: ModelSpec
    /// [layer]
    package let places: [SourcePlace]
}

/// Reads users' models from YAML: a mapping with a name and a list of layers.
package struct ModelReader {
    private static let keys = ["name", "layers", "side"]
    private static let convolutionKeys = ["out", "kernel", "padding"]

    private let file: String

    /// A reader whose errors name `file`.
    package init(file: String) { self.file = file }

    /// Whether an option or a key means a file of layers by this word, not a model of the library.
    package static func isFile(_ word: String) -> Bool {
        ModelLibrary.model(word) == nil && (word.contains("/") || word.hasSuffix(".yaml") || word.hasSuffix(".yml"))
    }

    /// The model of a file.
    /// - Throws: ``StudyError`` `.unreadable`, and `.invalid` with the place and what would be accepted there.
    package static func load(_ path: String) throws(StudyError) -> ModelSpec { try open(path).model }

    /// The model of a file, with its places.
    /// - Throws: as ``load(_:)``.
    package static func open(_ path: String) throws(StudyError) -> ModelFile {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw .unreadable(file: path, reason: systemMessage(errno))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadable(file: path, reason: "it is not a regular file, and a model's YAML is needed")
        }
        guard status.st_size <= StudyReader.longestFile else {
            throw .invalid(
                SourcePlace(file: path), reason: "longer than \(StudyReader.longestFile) bytes, so it is no model")
        }
        let reader = ModelReader(file: path)
        return try reader.modelFile(reader.root(of: StudyLibrary.contents(of: path)))
    }

    /// The model that `text` describes.
    /// - Throws: ``StudyError/invalid(_:reason:)`` with the place and what would be accepted there.
    package func read(_ text: String) throws(StudyError) -> ModelSpec { try model(root(of: text)) }

    private func root(of text: String) throws(StudyError) -> Node {
        guard let root = try StudyReader(file: file).compose(text, as: "model"), !isNull(root) else {
            throw .invalid(SourcePlace(file: file), reason: "the model is empty; it needs a name and layers")
        }
        return root
    }

    /// The model of a mapping.
    /// - Throws: as ``read(_:)``.
    func model(_ node: Node) throws(StudyError) -> ModelSpec { try modelFile(node).model }

    private func modelFile(_ node: Node) throws(StudyError) -> ModelFile {
        let fields = try StudyFields(node, file: file, what: "a model", keys: Self.keys)
        guard let name = try fields.string("name") else {
            throw .invalid(fields.place, reason: "this model has no name; weights and results name it")
        }
        guard Study.isName(name) else {
            throw .invalid(
                fields.place(of: "name"), reason: "name is \(excerpt(name)); a name of \(Study.acceptedName) is needed")
        }
        if let other = ModelLibrary.names.first(where: { $0.lowercased() == name.lowercased() }) {
            throw .invalid(
                fields.place(of: "name"),
                reason: "name is \(name), and the library has a model \(other); give this one another name")
        }
        guard let list = fields["layers"] else {
            throw .invalid(fields.place, reason: "the model \(name) has no layers; it needs a list of them")
        }
        guard case .sequence(let entries) = list else {
            throw .invalid(
                fields.place(of: "layers"), reason: "layers must be a list, one entry per layer: - relu, for one")
        }
        guard (1...ModelSpec.mostLayers).contains(entries.count) else {
            throw .invalid(
                fields.place(of: "layers"),
                reason: "layers has \(entries.count) entries; 1 to \(ModelSpec.mostLayers) are accepted")
        }
        var model = ModelSpec(name: name, layers: [])
        model.side = try fields.integer("side", in: ModelSpec.imageSides)
        for entry in entries { model.layers.append(try layer(entry, fields)) }
        return ModelFile(model: model, places: entries.map { fields.place($0) })
    }

    private func layer(_ node: Node, _ fields: StudyFields) throws(StudyError) -> ModelSpec.Layer {
        let place = fields.place(node)
        guard case .mapping(let mapping) = node else {
            let word = try fields.word(node, "layer", of: ModelSpec.Layer.words)
            guard let layer = ModelSpec.Layer(word: word) else {
                throw .invalid(place, reason: "\(word) has no value; write \(Self.example(of: word))")
            }
            return layer
        }
        if let (key, _) = mapping.first, case .scalar(let scalar) = key,
            ModelSpec.Layer.plainWords.contains(scalar.string)
        {
            throw .invalid(place, reason: "\(scalar.string) takes no value; write - \(scalar.string)")
        }
        let layer = try StudyFields(node, file: file, what: "a layer", keys: ModelSpec.Layer.words)
        let words = ModelSpec.Layer.valuedWords.filter { layer[$0] != nil }
        guard let word = words.first, let value = layer[word], mapping.count == 1 else {
            throw .invalid(
                place,
                reason: "this entry has \(mapping.count) keys where one layer is needed; begin each layer with a dash")
        }
        switch word {
        case "conv": return try convolution(value)
        case "max_pool": return .maxPool(try layer.whole(value, word, in: ModelSpec.Layer.sides))
        case "avg_pool": return .avgPool(try layer.whole(value, word, in: ModelSpec.Layer.sides))
        default:
            if case .scalar(let scalar) = value, let width = ModelSpec.Width(word: scalar.string) {
                return .linear(width)
            }
            if case .scalar(let scalar) = value, scalar.string.contains(where: \.isLetter) {
                throw .invalid(
                    layer.place(value),
                    reason: "linear is \(excerpt(scalar.string)); a number of values, classes or inputs is needed")
            }
            return .linear(.count(try layer.whole(value, word, in: ModelSpec.Layer.widths)))
        }
    }

    private func convolution(_ node: Node) throws(StudyError) -> ModelSpec.Layer {
        let fields = try StudyFields(node, file: file, what: "conv", keys: Self.convolutionKeys)
        guard let out = try fields.integer("out", in: ModelSpec.Layer.planes),
            let kernel = try fields.integer("kernel", in: ModelSpec.Layer.sides)
        else {
            let missing = ["out", "kernel"].filter { fields[$0] == nil }.joined(separator: " and no ")
            throw .invalid(fields.place, reason: "conv has no \(missing); write \(Self.example(of: "conv"))")
        }
        return .conv(
            out: out, kernel: kernel, padding: try fields.integer("padding", in: ModelSpec.Layer.paddings) ?? 0)
    }

    private static func example(of word: String) -> String {
        switch word {
        case "conv": ModelSpec.Layer.conv(out: 6, kernel: 5, padding: 2).yaml
        case "max_pool": ModelSpec.Layer.maxPool(2).yaml
        case "avg_pool": ModelSpec.Layer.avgPool(2).yaml
        default: "linear: 100, linear: classes, or linear: inputs"
        }
    }
}
