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

    /// The model, where it tells classes apart.
    /// - Throws: as ``load()``, and ``Failure`` for an autoencoder.
    func loadClassifier() throws -> ModelSpec {
        let model = try load()
        if let reason = model.noClassifier { throw Failure("--model: \(reason)", exitCode: 64) }
        return model
    }

    /// The file; nil for a model of the library.
    var path: String? { if case .file(let path) = self { path } else { nil } }

    /// The model of a name or a file, for options.
    @Sendable static func parse(_ text: String) throws -> ModelChoice {
        if let model = ModelLibrary.model(text) { return .known(model) }
        if ModelReader.isFile(text) { return .file(text) }
        let known = ModelLibrary.names
        throw ValidationError(
            "unknown model '\(text)'; the nearest is \(nearestWord(to: text, in: known)) "
                + "(\(known.joined(separator: ", ")) are known; a file of layers ends in .yaml).")
    }
}

extension CompletionKind {
    /// The models' names.
    static var models: CompletionKind { .list(ModelLibrary.names) }
}
