import ArgumentParser
import Networks
import Studies

/// The model of a name, for options.
@Sendable func modelNamed(_ name: String) throws -> ModelSpec {
    guard let model = ModelLibrary.model(name) else {
        let known = ModelLibrary.names
        throw ValidationError(
            "unknown model '\(name)'; the nearest is \(nearestWord(to: name, in: known)) "
                + "(\(known.joined(separator: ", ")) are known).")
    }
    return model
}

extension CompletionKind {
    /// The models' names.
    static var models: CompletionKind { .list(ModelLibrary.names) }
}
