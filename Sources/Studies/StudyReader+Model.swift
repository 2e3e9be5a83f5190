import Networks
import Pruning
import Support
import Yams

extension StudyReader {
    /// Reads `model` and `score_model`: each one model or a list of them.
    func readModel(_ fields: StudyFields, into settings: inout StudySettings) throws(StudyError) {
        if let models = try models("model", fields) {
            settings.recipe.model = models[0]
            settings.models = models.count > 1 ? models : []
        }
        if let models = try models("score_model", fields) { settings.scoreModels = models }
    }

    /// The most models in a list. A study of more would never end, and its file could name many thousands.
    static let mostModels = 100

    /// The models of a key; nil if it is not given.
    private func models(_ key: String, _ fields: StudyFields) throws(StudyError) -> [ModelSpec]? {
        guard let node = fields[key] else { return nil }
        guard case .sequence(let nodes) = node else { return [try model(node, key, fields)] }
        guard (1...Self.mostModels).contains(nodes.count) else {
            throw .invalid(
                fields.place(node),
                reason: nodes.isEmpty
                    ? "\(key) is an empty list; give at least one model"
                    : "\(key) has \(nodes.count) models; 1 to \(Self.mostModels) are accepted")
        }
        var models: [ModelSpec] = []
        for node in nodes {
            let model = try model(node, key, fields)
            if models.contains(model) {
                throw .invalid(fields.place(node), reason: "the model \(model.name) stands twice in \(key)")
            }
            if let conflict = models.lazy.compactMap(model.conflict).first {
                throw .invalid(fields.place(node), reason: "\(conflict) earlier in the list; give each its own name")
            }
            models.append(model)
        }
        return models
    }

    /// A model, given as a name from the library, a file of layers, or the layers themselves.
    private func model(_ node: Node, _ key: String, _ fields: StudyFields) throws(StudyError) -> ModelSpec {
        if case .mapping = node { return try ownModel(node, key, fields) }
        let name = try fields.string(
            node, key, of: ModelLibrary.classifiers.map(\.name),
            or: { ModelLibrary.model($0) != nil || ModelReader.isFile($0) })
        if let model = ModelLibrary.model(name) { return model }
        return try ownModel(node, key, fields)
    }

    /// A user's model, given as a file of layers or the layers themselves.
    func ownModel(_ node: Node, _ key: String, _ fields: StudyFields) throws(StudyError) -> ModelSpec {
        if case .mapping = node { return try ModelReader(file: file).model(node) }
        let name = try fields.path(node, key)
        do throws(StudyError) {
            return try ModelReader.load(absolute(name))
        } catch .unreadable(_, let reason) {
            throw .unreadable(file: "\(fields.place(node)): the model \(excerpt(name))", reason: reason)
        }
    }
}

extension ModelSpec {
    /// The beginning of an error if files and rows of this model could be confused with those of `other`; nil if they
    /// could not.
    func conflict(with other: ModelSpec) -> String? {
        guard other != self, other.name.lowercased() == name.lowercased() else { return nil }
        return other.name == name
            ? "the model \(name) has other layers"
            : "the name of the model \(name) differs by upper and lower case alone from the model \(other.name)"
    }
}

extension StudySettings {
    /// Every model that is trained, in the file's order.
    package var everyModel: [ModelSpec] { models.isEmpty ? [recipe.model] : models }
}

extension TrainingRecipe {
    /// The same training with another model.
    func training(_ model: ModelSpec) -> TrainingRecipe {
        var recipe = self
        recipe.model = model
        return recipe
    }
}

extension ExperimentGroup {
    /// Every trained model, including those of score networks, with the key that names it and the place of its name.
    var modelsInUse: [(key: String, place: SourcePlace, model: ModelSpec)] {
        named(idleScoreKeys.contains("score_model") ? [] : settings.scoreModels)
    }

    /// Every model that the entry names, likewise.
    fileprivate var namedModels: [(key: String, place: SourcePlace, model: ModelSpec)] { named(settings.scoreModels) }

    private func named(_ scoreModels: [ModelSpec]) -> [(key: String, place: SourcePlace, model: ModelSpec)] {
        [("model", settings.everyModel), ("score_model", scoreModels)].flatMap { key, models in
            models.enumerated().map { (key: key, place: places.nearest(key, element: $0), model: $1) }
        }
    }

    /// Copies of the entry, one for each combination of a model and a score model.
    var byModel: [ExperimentGroup] {
        settings.everyModel.enumerated().flatMap { place, model in
            var group = self
            group.places.point(to: place, of: "model")
            group.settings.recipe.model = model
            group.settings.models = []
            return group.byScoreModel
        }
    }

    private var byScoreModel: [ExperimentGroup] {
        guard settings.scoreModels.count > 1 else {
            var group = self
            group.places.point(to: 0, of: "score_model")
            return [group]
        }
        return settings.scoreModels.enumerated().compactMap { place, model in
            var group = self
            group.places.point(to: place, of: "score_model")
            group.settings.scoreModels = [model]
            // Selections that need no networks are the same for all score models.
            if place > 0 { group.selections = selections.filter { group.trainsNetworks(for: $0) } }
            return group.selections.isEmpty ? nil : group
        }
    }

    private func trainsNetworks(for selection: Selection) -> Bool {
        DynamicsRecipe(selection.sharing(settings.quota, settings.balance), settings: settings) != nil
    }
}

extension Study {
    /// Refuses models that are not classifiers, and names shared by two models, ignoring case: files are named after
    /// models, and some file systems ignore case.
    /// - Throws: ``StudyError/invalid(_:reason:)`` with the place.
    func checkModels() throws(StudyError) {
        var before: [String: ModelSpec] = [:]
        for group in groups {
            var own: [String: ModelSpec] = [:]
            for (key, source, model) in group.namedModels {
                if let reason = model.noClassifier { throw .invalid(source, reason: "\(key): \(reason)") }
                let name = model.name.lowercased()
                for (other, place) in [(own[name], "under the key model"), (before[name], "in an earlier entry")] {
                    guard let conflict = other.flatMap(model.conflict) else { continue }
                    throw .invalid(source, reason: "\(conflict) \(place); give each its own name")
                }
                own[name] = model
            }
            before.merge(own) { $1 }
        }
    }

    /// A note that a `score_model` above all entries has no effect.
    /// - Parameter place: its place; nil if the study has none.
    /// - Returns: nil if an entry takes it.
    func idleScoreModelNote(at place: SourcePlace?) -> String? {
        let takers = groups.filter { !$0.idleScoreKeys.contains("score_model") }
        guard let place, !takers.contains(where: { $0.places.keys["score_model"] == nil }) else { return nil }
        let cause =
            takers.isEmpty
            ? "without an entry that trains networks for scores, such as scores: el2n or balance: recall"
            : "where every entry that trains networks for scores has its own"
        return "\(place): score_model has no effect \(cause); it is ignored"
    }
}

extension Pairing {
    /// The training without its model: equal for cases that differ only in the model.
    package var besideModel: Pairing { Pairing(recipe: recipe.training(TrainingRecipe().model), seed: seed) }
}
