import ArgumentParser
import Networks
import Studies

/// A model as an option gives it.
enum ModelChoice: Sendable {
    /// One of the library.
    case known(ModelSpec)
    /// A file of layers.
    case file(String)

    /// The model.
    /// - Throws: ``StudyError`` where a file cannot be read or says something wrong.
    func load() throws(StudyError) -> ModelSpec {
        switch self {
        case .known(let model): model
        case .file(let path): try ModelReader.load(path)
        }
    }

    /// The model, which must be a classifier.
    /// - Throws: as ``load()``, and ``Failure`` for an autoencoder: of usage for one of the library, of bad data for a file.
    func loadClassifier() throws -> ModelSpec {
        let model = try load()
        if let reason = model.noClassifier {
            throw Failure("--model: \(reason)", exitCode: path == nil ? 64 : 65)
        }
        return model
    }

    /// The file; nil for a model of the library.
    var path: String? { if case .file(let path) = self { path } else { nil } }

    /// The model of a name or a file, for options. A name that is unknown is answered with those of classifiers.
    @Sendable static func parse(_ text: String) throws -> ModelChoice {
        try find(text, known: ModelLibrary.classifiers.map(\.name))
    }

    /// The same for options that take autoencoders too.
    @Sendable static func parseAny(_ text: String) throws -> ModelChoice {
        try find(text, known: ModelLibrary.names)
    }

    private static func find(_ text: String, known: [String]) throws -> ModelChoice {
        if let model = ModelLibrary.model(text) { return .known(model) }
        if ModelReader.isFile(text) { return .file(text) }
        throw ValidationError(
            "unknown model '\(text)'; the nearest is \(nearestWord(to: text, in: known)) "
                + "(\(known.joined(separator: ", ")) are known; a file of layers ends in .yaml).")
    }
}

extension CompletionKind {
    /// The classifiers' names.
    static var models: CompletionKind { .list(ModelLibrary.classifiers.map(\.name)) }
    /// All models' names.
    static var allModels: CompletionKind { .list(ModelLibrary.names) }
}
