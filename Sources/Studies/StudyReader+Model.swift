import Networks
import Support
import Yams

extension StudyReader {
    /// Reads `model`: the name of a model of the library, a file of layers, or the layers themselves.
    func readModel(_ fields: StudyFields, into settings: inout StudySettings) throws(StudyError) {
        guard let node = fields["model"] else { return }
        if case .mapping = node {
            settings.recipe.model = try ModelReader(file: file).model(node)
            return
        }
        let name = try fields.string(node, "model", of: ModelLibrary.names, or: ModelReader.isFile)
        if let model = ModelLibrary.model(name) {
            settings.recipe.model = model
            return
        }
        let path = absolute(try fields.path(node, "model"))
        do throws(StudyError) {
            settings.recipe.model = try ModelReader.load(path)
        } catch .unreadable(_, let reason) {
            throw .unreadable(file: "\(fields.place(of: "model")): the model \(excerpt(name))", reason: reason)
        }
    }
}

extension Study {
    /// Refuses models that tell no classes apart, and one name for two models.
    /// - Throws: ``StudyError/invalid(_:reason:)`` with the place.
    func checkModels() throws(StudyError) {
        var known: [String: ModelSpec] = [:]
        for group in groups {
            let model = group.settings.recipe.model
            if let reason = model.noClassifier {
                throw .invalid(group.places["model"], reason: "model: \(reason)")
            }
            if let other = known[model.name], other != model {
                throw .invalid(
                    group.places["model"],
                    reason: "the model \(model.name) has other layers in an entry before; give each its own name")
            }
            known[model.name] = model
        }
    }
}
