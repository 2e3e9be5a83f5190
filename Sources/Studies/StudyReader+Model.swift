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

    /// The models of a key; nil where it is not given.
    private func models(_ key: String, _ fields: StudyFields) throws(StudyError) -> [ModelSpec]? {
        guard let node = fields[key] else { return nil }
        guard case .sequence(let nodes) = node else { return [try model(node, key, fields)] }
        var models: [ModelSpec] = []
        for node in nodes {
            let model = try model(node, key, fields)
            if models.contains(model) {
                throw .invalid(fields.place(node), reason: "the model \(model.name) stands twice in \(key)")
            }
            if let conflict = model.conflict(among: models) {
                throw .invalid(fields.place(node), reason: "\(conflict) earlier in the list; give each its own name")
            }
            models.append(model)
        }
        if models.isEmpty {
            throw .invalid(fields.place(node), reason: "\(key) is an empty list; give at least one model")
        }
        return models
    }

    /// A model: the name of one of the library, a file of layers, or the layers themselves.
    private func model(_ node: Node, _ key: String, _ fields: StudyFields) throws(StudyError) -> ModelSpec {
        if case .mapping = node { return try ModelReader(file: file).model(node) }
        let name = try fields.string(
            node, key, of: ModelLibrary.classifiers.map(\.name),
            or: { ModelLibrary.model($0) != nil || ModelReader.isFile($0) })
        if let model = ModelLibrary.model(name) { return model }
        let path = absolute(try fields.path(node, key))
        do throws(StudyError) {
            return try ModelReader.load(path)
        } catch .unreadable(_, let reason) {
            throw .unreadable(file: "\(fields.place(node)): the model \(excerpt(name))", reason: reason)
        }
    }
}

extension ModelSpec {
    /// A model among `others` whose files and rows could be taken for this one's, as the beginning of a sentence; nil where
    /// there is none.
    func conflict(among others: some Sequence<ModelSpec>) -> String? {
        guard let other = others.first(where: { $0 != self && $0.name.lowercased() == name.lowercased() }) else {
            return nil
        }
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
    /// The same training of another model.
    func training(_ model: ModelSpec) -> TrainingRecipe {
        var recipe = self
        recipe.model = model
        return recipe
    }
}

extension ExperimentGroup {
    /// Every model that is trained, for scores too, with the key that names it.
    var modelsInUse: [(key: String, model: ModelSpec)] {
        let scoreModels = idleScoreKeys.contains("score_model") ? [] : settings.scoreModels
        return settings.everyModel.map { ("model", $0) } + scoreModels.map { ("score_model", $0) }
    }

    /// The entry once for each of its models and, for each, of its models of scores, so that each entry has one of both.
    var byModel: [ExperimentGroup] {
        settings.everyModel.flatMap { model in
            var group = self
            group.settings.recipe.model = model
            group.settings.models = []
            return group.byScoreModel
        }
    }

    private var byScoreModel: [ExperimentGroup] {
        guard settings.scoreModels.count > 1 else { return [self] }
        return settings.scoreModels.enumerated().compactMap { place, model in
            var group = self
            group.settings.scoreModels = [model]
            // What no networks are trained for is the same for all of them.
            if place > 0 { group.selections = selections.filter { group.trainsNetworks(for: $0) } }
            return group.selections.isEmpty ? nil : group
        }
    }

    private func trainsNetworks(for selection: Selection) -> Bool {
        DynamicsRecipe(selection.sharing(settings.quota, settings.balance), settings: settings) != nil
    }
}

extension Study {
    /// Refuses models that tell no classes apart, and one name for two models, also where upper and lower case tell them
    /// apart: files are named after models, and some file systems do not.
    /// - Throws: ``StudyError/invalid(_:reason:)`` with the place.
    func checkModels() throws(StudyError) {
        var before: [ModelSpec] = []
        for group in groups {
            let models = group.settings.everyModel
            for (key, model) in models.map({ ("model", $0) }) + group.settings.scoreModels.map({ ("score_model", $0) })
            {
                guard let reason = model.noClassifier else { continue }
                throw .invalid(group.places.nearest(key), reason: "\(key): \(reason)")
            }
            func check(_ key: String, _ model: ModelSpec, _ others: [ModelSpec], _ place: String) throws(StudyError) {
                guard let conflict = model.conflict(among: others) else { return }
                throw .invalid(
                    group.places.nearest(key), reason: "\(conflict) \(place); give each its own name")
            }
            for model in models { try check("model", model, before, "in an earlier entry") }
            for model in group.settings.scoreModels {
                try check("score_model", model, models, "under the key model")
                try check("score_model", model, before, "in an earlier entry")
            }
            for model in models + group.settings.scoreModels where !before.contains(model) { before.append(model) }
        }
    }
}

extension Pairing {
    /// The same training of whatever model: equal for cases that differ in the model alone.
    package var besideModel: Pairing { Pairing(recipe: recipe.training(TrainingRecipe().model), seed: seed) }
}
