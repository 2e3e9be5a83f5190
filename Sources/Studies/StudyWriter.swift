import Foundation
import Networks
import Pruning
import Support
import Yams

extension Study {
    /// The study with what depends on other values filled in: `clustering_seeds` and `score_seeds` where they are not given.
    package var resolved: Study {
        var study = self
        for index in study.groups.indices {
            let group = study.groups[index]
            // Settings at the top of a study may be meant for other entries alone.
            var settings = group.settingsInUse
            settings.clusteringSeeds = settings.clusteringSeeds ?? settings.runs
            if !group.idleScoreKeys.contains("score_seeds") {
                settings.scoreSeeds = settings.scoreSeeds ?? settings.runs
            }
            study.groups[index].settings = settings
        }
        return study
    }

    /// The resolved study as YAML that reads back as an equal study. Settings that all entries share stand at the top.
    package var yaml: String {
        let groups = resolved.groups
        let settings = groups.map { group in
            let idle = group.idleScoreKeys
            return pairs(group.settings, hasSource: true).filter { !idle.contains($0.key) }
        }
        let shared = settings.first.map { first in
            first.filter { pair in settings.allSatisfy { $0.contains { $0 == pair } } }
        }
        // Directories of studies that have no other model stay as they were.
        let isPlain = groups.allSatisfy { $0.settings.everyModel == [ModelLibrary.leNet5] }
        let entries = zip(groups, settings).map { group, settings in
            mapping(pairs(group) + settings.filter { pair in shared?.contains { $0 == pair } != true }, .block)
        }
        var root = (shared ?? []).filter { !isPlain || $0.key != "model" }.map { (Node($0.key), $0.value) }
        root.append((Node("experiments"), Node(entries, .implicit, .block)))
        // Serialising plain scalars, lists and mappings that were made above has no way to fail.
        return (try? Yams.serialize(node: Node(root, .implicit, .block))) ?? ""
    }

    /// Where `other` differs, as part of a sentence that calls the receiver "there" and `other` "here"; nil where both
    /// are the same when resolved.
    func difference(from other: Study) -> String? {
        let ours = resolved.groups
        let theirs = other.resolved.groups
        for (index, (our, their)) in zip(ours, theirs).enumerated() {
            let left = pairs(our) + pairs(our.settings)
            let right = pairs(their) + pairs(their.settings)
            let keys = left.map(\.key) + right.map(\.key)
            for key in keys {
                let values = (left.first { $0.key == key }?.value, right.first { $0.key == key }?.value)
                if values.0 != values.1 {
                    return "in entry \(index + 1) of experiments, \(key) is \(text(values.0)) there and"
                        + " \(text(values.1)) here"
                }
            }
        }
        if ours.count != theirs.count {
            return "experiments has \(ours.count) entries there and \(theirs.count) here"
        }
        return nil
    }
}

private struct Pair: Equatable {
    let key: String
    let value: Node
}

/// - Parameter hasSource: whether the data set's files are named: those of equal data may be elsewhere.
private func pairs(_ settings: StudySettings, hasSource: Bool = false) -> [Pair] {
    let duration =
        switch settings.recipe.duration {
        case .epochs(let epochs): Pair(key: "epochs", value: Node("\(epochs)"))
        case .steps(let steps): Pair(key: "steps", value: Node("\(steps)"))
        }
    var pairs = [
        Pair(key: "dataset", value: dataset(settings.recipe.dataset, hasSource ? settings.source : nil)),
        Pair(key: "model", value: models(settings.everyModel)), Pair(key: "runs", value: Node("\(settings.runs)")),
        duration,
        Pair(key: "batch_size", value: Node("\(settings.recipe.batchSize)")),
        Pair(key: "learning_rate", value: float(settings.recipe.learningRate)),
        Pair(key: "pca_components", value: Node("\(settings.pcaComponents)")),
        Pair(key: "kmeans", value: Node(settings.kmeans.rawValue)),
        Pair(key: "quota", value: Node(settings.quota.rawValue)),
        Pair(key: "balance", value: Node(settings.balance.rawValue)),
        Pair(key: "seed", value: Node("\(settings.seed)")),
        Pair(key: "equal_within", value: float(settings.equalWithin)),
    ]
    if let count = settings.validation { pairs.append(Pair(key: "validation", value: Node("\(count)"))) }
    // Directories of studies without these stay as they were.
    let scaling = settings.dataset.scaling
    for (key, isSet) in [("standardize", scaling.standardize), ("normalize", scaling.normalize)] where isSet {
        pairs.append(Pair(key: key, value: Node("true")))
    }
    pairs += optimizerPairs(settings.recipe)
    if !settings.scoreModels.isEmpty { pairs.append(Pair(key: "score_model", value: models(settings.scoreModels))) }
    if settings.dynamic != .none {
        pairs += [
            Pair(key: "dynamic", value: Node(settings.dynamic.rawValue)),
            Pair(key: "prune_share", value: float(settings.pruning.pruneShare)),
            Pair(key: "anneal", value: float(settings.pruning.anneal)),
        ]
    }
    if settings.resample != .none {
        pairs.append(Pair(key: "resample", value: Node(settings.resample.rawValue)))
    }
    if let seeds = settings.clusteringSeeds { pairs.append(Pair(key: "clustering_seeds", value: Node("\(seeds)"))) }
    let (scores, orders) = (settings.scores, settings.orders)
    func whole(_ setting: TunableSetting, _ value: Int) -> Pair {
        let values = settings.tuningValues[setting].map { $0.map { "\(Int($0))" } }
        return Pair(key: setting.rawValue, value: values.map(list) ?? Node("\(value)"))
    }
    func real(_ setting: TunableSetting, _ value: Double) -> Pair {
        let values = settings.tuningValues[setting].map { Node($0.map(float), .implicit, .flow) }
        return Pair(key: setting.rawValue, value: values ?? float(value))
    }
    pairs += [
        whole(.scoreEpochs, scores.epochs), whole(.networks, scores.networks), whole(.window, scores.window),
        real(.beta, orders.cut), whole(.strata, orders.strata), real(.cD, orders.cD),
        whole(.neighbors, scores.neighbors),
    ]
    if let gamma = scores.gamma { pairs.append(real(.gamma, gamma)) }
    if let seeds = settings.scoreSeeds { pairs.append(Pair(key: "score_seeds", value: Node("\(seeds)"))) }
    return pairs
}

/// What is not as in the article's trainings. A decay is written where it is not 0, whatever an optimizer's own may be.
private func optimizerPairs(_ recipe: TrainingRecipe) -> [Pair] {
    let (optimizer, standard) = (recipe.optimizer, TrainingRecipe())
    var pairs: [Pair] = []
    if optimizer.kind != standard.optimizer.kind {
        pairs.append(Pair(key: "optimizer", value: Node(optimizer.kind.rawValue)))
    }
    if optimizer.momentum != 0 { pairs.append(Pair(key: "momentum", value: float(optimizer.momentum))) }
    if optimizer.weightDecay != optimizer.kind.weightDecay || optimizer.weightDecay != 0 {
        pairs.append(Pair(key: "weight_decay", value: float(optimizer.weightDecay)))
    }
    if recipe.schedule != standard.schedule {
        pairs.append(Pair(key: "schedule", value: Node(recipe.schedule.rawValue)))
    }
    if let augment = recipe.augment {
        pairs.append(
            Pair(
                key: "augment",
                value: mapping(
                    [
                        Pair(key: "shift", value: Node("\(augment.shift)")),
                        Pair(key: "flip", value: Node("\(augment.flip)")),
                    ], .flow)))
    }
    return pairs
}

private func pairs(_ group: ExperimentGroup) -> [Pair] {
    func words(_ column: Selection.Column) -> [String] { group.selections.compactMap { $0.word(column) } }
    var pairs = words(.method).prefix(1).map { Pair(key: Selection.Column.method.rawValue, value: Node($0)) }
    if group.sizes != [.whole] { pairs.append(Pair(key: "sizes", value: list(group.sizes.map(\.description)))) }
    if let asked = group.selections.first?.asked {
        pairs.append(Pair(key: "scores", value: Node(group.selections.map { word($0.score ?? "") }, .implicit, .flow)))
        pairs.append(Pair(key: "keep", value: Node(asked.keep.rawValue)))
        if let within = asked.within { pairs.append(Pair(key: "within", value: Node(within.rawValue))) }
    }
    if !group.ks.isEmpty { pairs.append(Pair(key: "ks", value: list(group.ks.map(String.init)))) }
    if group.selections.first?.asked == nil, !group.ks.isEmpty {
        pairs.append(Pair(key: "selection_strategies", value: list(words(.strategy))))
    }
    pairs += embeddingPairs(group)
    for column in [Selection.Column.nClosest, .nFurthest] {
        pairs += words(column).prefix(1).map { Pair(key: column.rawValue, value: Node($0)) }
    }
    return pairs
}

/// The keys of the embeddings. Studies without embedding networks are written with `use_pca`, as before; the size is
/// among the settings.
private func embeddingPairs(_ group: ExperimentGroup) -> [Pair] {
    let methods = group.embeddings
    if methods.isEmpty { return [] }
    guard methods.contains(where: \.isTrained) else {
        return [Pair(key: "use_pca", value: list(methods.map { $0 == .pca ? "true" : "false" }))]
    }
    return [
        Pair(key: "embedding", value: embeddings(methods)),
        Pair(key: "embedding_epochs", value: Node("\(group.settings.embeddingEpochs)")),
    ]
}

/// A list of embeddings; users' own models have all their layers.
private func embeddings(_ methods: [StudyEmbedding.Method]) -> Node {
    let areNamed = methods.allSatisfy { StudyEmbedding.Method.named.contains($0) }
    let nodes = methods.map { method in
        if case .own(let autoencoder) = method { model(autoencoder.model) } else { Node(method.word) }
    }
    return Node(nodes, .implicit, areNamed ? .flow : .block)
}

/// A data set by its name, and where its files are.
private func dataset(_ name: String, _ source: DatasetSource?) -> Node {
    // Those of the command line are relative to the folder that it is given in.
    func path(_ text: String) -> Node {
        Node(
            Paths.absolute(text, from: FileManager.default.currentDirectoryPath), Tag(.str), .doubleQuoted)
    }
    func paths(_ texts: [String]) -> Node {
        texts.count == 1 ? path(texts[0]) : Node(texts.map(path), .implicit, .block)
    }
    switch source {
    case nil: return word(name)
    case .folder(let folder):
        return mapping([Pair(key: "name", value: word(name)), Pair(key: "data", value: path(folder))], .block)
    case .features(let files):
        var pairs = [
            Pair(key: "name", value: word(name)), Pair(key: "features", value: paths(files.features)),
            Pair(key: "labels", value: path(files.labels)),
            Pair(key: "test_features", value: paths(files.testFeatures)),
            Pair(key: "test_labels", value: path(files.testLabels)),
        ]
        if let ids = files.identifiers { pairs.append(Pair(key: "ids", value: path(ids))) }
        return mapping(pairs, .block)
    }
}

/// One model, or a list of them.
private func models(_ models: [ModelSpec]) -> Node {
    if models.count == 1 { return model(models[0]) }
    let areNamed = models.allSatisfy { ModelLibrary.model($0.name) == $0 }
    return Node(models.map(model), .implicit, areNamed ? .flow : .block)
}

/// A model of the library by its name; another one with all its layers, so that a study's directory is complete.
private func model(_ model: ModelSpec) -> Node {
    if ModelLibrary.model(model.name) == model { return word(model.name) }
    var pairs = [Pair(key: "name", value: word(model.name))]
    if let side = model.side { pairs.append(Pair(key: "side", value: Node("\(side)"))) }
    pairs.append(Pair(key: "layers", value: Node(model.layers.map(layer), .implicit, .block)))
    return mapping(pairs, .block)
}

/// A layer as in a model's file, which is always YAML.
private func layer(_ layer: ModelSpec.Layer) -> Node {
    (try? Yams.compose(yaml: layer.yaml)) ?? Node(layer.yaml)
}

/// A name as a scalar, quoted unless every reader takes it as text.
private func word(_ text: String) -> Node {
    YAMLText.isPlain(text) ? Node(text, .implicit, .plain) : Node(text, Tag(.str), .doubleQuoted)
}

/// A number as YAML 1.1 reads a float, with a point and a sign in its exponent: its readers, PyYAML for one, take 1e-05
/// for text.
private func float(_ value: Double) -> Node {
    let text = "\(value)"
    guard let exponent = text.firstIndex(of: "e"), !text[..<exponent].contains(".") else { return Node(text) }
    return Node(text[..<exponent] + ".0" + text[exponent...])
}

private func list(_ words: [String]) -> Node { Node(words.map { Node($0) }, .implicit, .flow) }

private func mapping(_ pairs: [Pair], _ style: Node.Mapping.Style) -> Node {
    Node(pairs.map { (Node($0.key), $0.value) }, .implicit, style)
}

private func text(_ node: Node?) -> String {
    switch node {
    case .scalar(let scalar): scalar.string
    case .sequence(let nodes): "[\(nodes.map { text($0) }.joined(separator: ", "))]"
    case .mapping(let pairs): "{\(pairs.map { "\(text($0.key)): \(text($0.value))" }.joined(separator: ", "))}"
    case .alias, nil: "not given"
    }
}
