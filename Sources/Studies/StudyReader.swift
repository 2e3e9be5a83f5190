import Datasets
import Foundation
import Networks
import Pruning
import Scoring
import Support
import Yams

/// Reads studies from YAML.
///
/// A study is a mapping with a list `experiments`. Wherever a list is expected one value will do. A key or word that is
/// not known is an error that names the nearest one that is.
package struct StudyReader {
    /// Accepted numbers of runs.
    static let runsRange = 1...100_000
    /// A study is a page; what is longer than this is some other file.
    static let longestFile = 1 << 20
    /// Each can stand for lists of others, so that a few lines with many would be a list without end.
    static let mostAliases = 16

    static let settingKeys =
        [
            "dataset", "standardize", "normalize", "model", "score_model", "runs", "epochs", "steps", "batch_size",
            "learning_rate",
            "pca_components", "kmeans",
            "quota", "clustering_seeds", "balance", "resample", "validation", "seed", "equal_within", "score_epochs",
            "networks", "score_seeds", "window", "beta", "strata", "c_d", "neighbors", "gamma",
        ] + optimizerKeys + embeddingKeys + dynamicKeys
    static let experimentKeys = [
        "pruning_method", "sizes", "ks", "selection_strategies", "use_pca", "n_closest", "n_furthest", "scores", "keep",
        "within",
    ]
    /// The words for `pruning_method`.
    static let methods = Selection.methods + [Selection.scoreMethod]

    let file: String
    let acceptsAnyDataset: Bool

    /// A reader whose errors name `file`.
    /// - Parameter acceptsAnyDataset: whether `dataset` may be a name that is not in the catalogue, which makes sense
    ///   where the data's directory is given.
    package init(file: String, acceptsAnyDataset: Bool = false) {
        self.file = file
        self.acceptsAnyDataset = acceptsAnyDataset
    }

    /// The study that `text` describes.
    /// - Throws: ``StudyError/invalid(_:reason:)`` with the place and what would be accepted there.
    package func read(_ text: String) throws(StudyError) -> Study {
        guard let root = try compose(text, as: "study"), !isNull(root) else {
            throw .invalid(SourcePlace(file: file), reason: "the study is empty; it needs a list experiments")
        }
        let top = try StudyFields(
            root, file: file, what: "a study", keys: ["experiments"] + Self.settingKeys, elsewhere: Self.experimentKeys)
        var settings = StudySettings()
        try readSettings(top, into: &settings)
        guard let list = top["experiments"] else {
            throw .invalid(top.place, reason: "a study needs a list experiments, and this one has none")
        }
        guard case .sequence(let entries) = list else {
            throw .invalid(
                top.place(of: "experiments"), reason: "experiments must be a list, one entry to each pruning_method")
        }
        if entries.isEmpty {
            throw .invalid(top.place(of: "experiments"), reason: "experiments is empty; it needs at least one entry")
        }
        var study = Study(groups: [])
        for entry in entries {
            var group = try readGroup(entry, settings: settings, notices: &study.notices)
            group.places.above = top.places.keys
            group.places.elementsAbove = top.places.elements
            study.notices += try group.settleEmbedding()
            study.groups.append(group)
        }
        try checkMomentum(top, settings.recipe, of: study)
        try study.checkScaling()
        try study.checkDatasets()
        try study.checkModels()
        try study.checkEmbeddingNames()
        if let note = study.idleScoreModelNote(at: top.places.keys["score_model"]) { study.notices.append(note) }
        return study
    }

    /// How many aliases a text has at most: asterisks before a name, wherever they stand.
    private static func aliasCount(_ text: String) -> Int {
        let bytes = text.utf8
        return zip(bytes, bytes.dropFirst()).count { first, second in
            let scalar = UnicodeScalar(second)
            let isName =
                scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789_-".unicodeScalars.contains(scalar))
            return first == UInt8(ascii: "*") && isName
        }
    }

    /// The document that `text` holds, nil where it holds none.
    /// - Parameter what: what the file should be, for errors.
    func compose(_ text: String, as what: String) throws(StudyError) -> Node? {
        guard text.utf8.count <= Self.longestFile else {
            throw .invalid(
                SourcePlace(file: file), reason: "longer than \(Self.longestFile) bytes, so it is no \(what)")
        }
        guard Self.aliasCount(text) <= Self.mostAliases else {
            throw .invalid(
                SourcePlace(file: file), reason: "more than \(Self.mostAliases) aliases (*name); write the values out")
        }
        do {
            return try Yams.compose(yaml: text)
        } catch YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _)
        {
            throw .invalid(place(mark), reason: "this is not YAML: \(excerpt(problem, longest: 200))")
        } catch YamlError.duplicatedKeysInMapping(let duplicates, let context) {
            throw .invalid(
                place(context.mark),
                reason: "the key \(excerpt(duplicates.joined(separator: ", "))) stands more than once here")
        } catch YamlError.reader(let problem, _, _, _) {
            throw .invalid(SourcePlace(file: file), reason: "this is not YAML: \(excerpt(problem, longest: 200))")
        } catch {
            throw .invalid(SourcePlace(file: file), reason: "this is not YAML: \(excerpt("\(error)", longest: 200))")
        }
    }

    private func place(_ mark: Mark) -> SourcePlace { SourcePlace(file: file, position: (mark.line, mark.column)) }

    private func readSettings(_ fields: StudyFields, into settings: inout StudySettings) throws(StudyError) {
        try readDataset(fields, into: &settings)
        if let isSet = try fields.boolean("standardize") { settings.scaling.standardize = isSet }
        if let isSet = try fields.boolean("normalize") { settings.scaling.normalize = isSet }
        try readModel(fields, into: &settings)
        if let runs = try fields.integer("runs", in: Self.runsRange) { settings.runs = runs }
        let epochs = try fields.integer("epochs", in: 1...1_000_000)
        let steps = try fields.integer("steps", in: 1...1_000_000_000)
        if epochs != nil && steps != nil {
            throw .invalid(
                fields.place(of: "steps"), reason: "epochs and steps conflict: both say how long to train; give one")
        }
        if let epochs { settings.recipe.duration = .epochs(epochs) }
        if let steps { settings.recipe.duration = .steps(steps) }
        if let size = try fields.integer("batch_size", in: 1...1_000_000) { settings.recipe.batchSize = size }
        if let rate = try fields.number("learning_rate") {
            guard rate > 0, rate.isFinite else {
                throw .invalid(
                    fields.place(of: "learning_rate"),
                    reason: "learning_rate is \(shortest(rate)); a number above 0 is needed, 0.001 for one")
            }
            settings.recipe.learningRate = rate
        }
        try readOptimizer(fields, into: &settings.recipe)
        try readDynamic(fields, into: &settings)
        if let components = try fields.integer("pca_components", in: 1...1_000_000) {
            settings.pcaComponents = components
        }
        try readEmbedding(fields, into: &settings)
        if let kmeans = try fields.word("kmeans", KMeansKind.self) { settings.kmeans = kmeans }
        if let quota = try fields.word("quota", Quota.self) { settings.quota = quota }
        if let seeds = try fields.integer("clustering_seeds", in: Self.runsRange) { settings.clusteringSeeds = seeds }
        if let balance = try fields.word("balance", Balance.self) { settings.balance = balance }
        if let resample = try fields.word("resample", Resample.self) { settings.resample = resample }
        if let count = try fields.integer("validation", in: 1...SampleSet.mostImages) { settings.validation = count }
        if let seed = try fields.seed("seed") { settings.seed = seed }
        try readScoreSettings(fields, into: &settings)
        if let points = try fields.number("equal_within") {
            guard points > 0, points <= 100 else {
                throw .invalid(
                    fields.place(of: "equal_within"),
                    reason: "equal_within is \(shortest(points)); percentage points from above 0 to 100 are accepted")
            }
            settings.equalWithin = points
        }
    }

    private func readScoreSettings(_ fields: StudyFields, into settings: inout StudySettings) throws(StudyError) {
        if let seeds = try fields.integer("score_seeds", in: Self.runsRange) { settings.scoreSeeds = seeds }
        func whole(_ setting: TunableSetting, in range: ClosedRange<Int>) throws(StudyError) {
            try tune(setting, fields, &settings) { node throws(StudyError) in
                Double(try fields.whole(node, setting.rawValue, in: range))
            }
        }
        func real(
            _ setting: TunableSetting, _ accepted: String, _ isAccepted: (Double) -> Bool
        ) throws(StudyError) {
            try tune(setting, fields, &settings) { node throws(StudyError) in
                let value = try fields.real(node, setting.rawValue)
                guard isAccepted(value) else {
                    throw .invalid(
                        fields.place(node), reason: "\(setting.rawValue) is \(shortest(value)); \(accepted)")
                }
                return value
            }
        }
        try whole(.scoreEpochs, in: ScoreParameters.epochsRange)
        try whole(.networks, in: ScoreParameters.networksRange)
        try whole(.window, in: ScoreParameters.windowRange)
        try whole(.neighbors, in: ScoreParameters.neighborsRange)
        try whole(.strata, in: Order.strataRange)
        try real(.beta, "a share from 0 to below 1 is needed") { 0 <= $0 && $0 < 1 }
        try real(.cD, "a number above 0 is needed") { $0 > 0 && $0.isFinite }
        try real(.gamma, "a number from 0 up is needed") { $0 >= 0 && $0.isFinite }
    }

    /// Reads a setting's value, or several between which a validation split decides.
    private func tune(
        _ setting: TunableSetting, _ fields: StudyFields, _ settings: inout StudySettings,
        _ element: (Node) throws(StudyError) -> Double
    ) throws(StudyError) {
        guard let values = try fields.list(setting.rawValue, element: element) else { return }
        setting.put(values[0], into: &settings)
        settings.tuningValues[setting] = values.count > 1 ? values : nil
    }

    private func readGroup(
        _ entry: Node, settings: StudySettings, notices: inout [String]
    ) throws(StudyError) -> ExperimentGroup {
        let fields = try StudyFields(
            entry, file: file, what: "an entry of experiments", keys: Self.experimentKeys + Self.settingKeys)
        guard let method = try fields.word("pruning_method", of: Self.methods) else {
            let known = Self.methods
            throw .invalid(
                fields.place,
                reason: "this entry has no pruning_method; \(known.dropLast().joined(separator: ", ")) and"
                    + " \(known[known.count - 1]) are known")
        }
        var group = ExperimentGroup([], settings: settings)
        group.places = fields.places
        group.places.folder = URL(fileURLWithPath: file).deletingLastPathComponent().path
        try readSettings(fields, into: &group.settings)
        try settleMomentum(fields, of: &group.settings.recipe)
        try checkResample(fields, method, group.settings)
        try checkDynamic(fields, group.settings)
        // Read and checked even where the method has no use for them, as the article's own program lets them stand.
        let sizes = try fields.list("sizes", element: fields.size)
        let ks = try fields.list("ks") { node throws(StudyError) in
            try fields.whole(node, "ks", in: 1...Int(Int32.max))
        }
        let strategies = try fields.list("selection_strategies") { node throws(StudyError) in
            try fields.word(node, "selection_strategies", of: Selection.strategies)
        }
        let usePCA = try fields.list("use_pca") { node throws(StudyError) in try fields.boolean(node, "use_pca") }
        let nClosest = try fields.integer("n_closest", in: Order.shareRange) ?? 1
        let nFurthest = try fields.integer("n_furthest", in: Order.shareRange) ?? 1
        if nClosest + nFurthest == 0 {
            throw .invalid(
                fields.place(of: "n_closest"), reason: "n_closest and n_furthest are both 0; one must be above")
        }
        func selection(_ strategy: String?) -> Selection? {
            Selection(method: method, strategy: strategy, nClosest: nClosest, nFurthest: nFurthest)
        }
        let isWhole = selection(nil)?.isWhole == true
        if !isWhole { group.sizes = try fields.required(sizes, "sizes", method) }
        if !isWhole, group.settings.balance == .recall, group.settings.validation == nil {
            throw .invalid(
                fields.place(of: "balance"),
                reason: "\(PruningError.recallsMissing); add validation: N to set N samples aside")
        }
        if method == Selection.clusterMethod {
            group.ks = try fields.required(ks, "ks", method)
            group.selections = try fields.required(strategies, "selection_strategies", method).compactMap(selection)
            group.embeddings = embeddings(group.settings, usePCA: usePCA)
            if group.settings.quota == .article && group.settings.balance != .none {
                throw .invalid(
                    fields.place(of: fields["balance"] == nil ? "quota" : "balance"),
                    reason: "quota article and balance \(group.settings.balance.rawValue) conflict: the article's quota"
                        + " balances nothing")
            }
        }
        if method == Selection.scoreMethod {
            try readScores(fields, nClosest: nClosest, nFurthest: nFurthest, ks: ks, usePCA: usePCA, into: &group)
        }
        if group.selections.isEmpty { group.selections = [selection(nil)].compactMap { $0 } }
        let hasRatio = group.selections.contains { $0.word(.nClosest) != nil }
        let isByScore = method == Selection.scoreMethod
        var unused = hasRatio ? [] : ["n_closest", "n_furthest"]
        if group.embeddings.isEmpty { unused = ["use_pca"] + Self.embeddingKeys + unused }
        if method != Selection.clusterMethod { unused = ["selection_strategies"] + unused }
        if group.ks.isEmpty { unused = ["ks"] + unused }
        if isWhole { unused = ["sizes"] + unused }
        if !isByScore { unused += ["scores", "keep", "within"] }
        unused += group.idleScoreKeys
        if case .epochs(let epochs) = group.settings.recipe.duration,
            let note = group.settings.trainingRecipe.dynamic?.idleNote(epochs: epochs)
        {
            notices.append("\(fields.place(of: "dynamic")): \(note)")
        }
        for key in ["prune_share", "anneal"] where group.settings.dynamic == .none && fields[key] != nil {
            notices.append("\(fields.place(of: key)): \(key) has no effect without dynamic: infobatch; it is ignored")
        }
        let cause =
            switch method {
            case Selection.clusterMethod: "selection_strategies that do not name hybrid"
            case Selection.scoreMethod: "these scores"
            default: "pruning_method \(method)"
            }
        for key in unused where fields[key] != nil {
            notices.append("\(fields.place(of: key)): \(key) has no effect with \(cause); it is ignored")
        }
        return group
    }

    /// Every epoch draws samples anew, so that there is no order of samples, and no share of classes, that could hold.
    private func checkResample(
        _ fields: StudyFields, _ method: String, _ settings: StudySettings
    ) throws(StudyError) {
        guard settings.resample == .epoch else { return }
        if method != Selection.random.word(.method) {
            throw .invalid(
                fields.place(of: "resample"),
                reason:
                    "resample epoch and pruning_method \(method) conflict: only random samples are drawn anew for every"
                    + " epoch; resample: none, or pruning_method: random, is accepted")
        }
        if settings.balance != .none {
            throw .invalid(
                fields.place(of: fields["resample"] == nil ? "balance" : "resample"),
                reason:
                    "resample epoch and balance \(settings.balance.rawValue) conflict: the samples of an epoch are a block"
                    + " of a shuffled set, whatever their classes")
        }
    }

    /// The selections by scores of an entry.
    private func readScores(
        _ fields: StudyFields, nClosest: Int, nFurthest: Int, ks: [Int]?, usePCA: [Bool]?,
        into group: inout ExperimentGroup
    ) throws(StudyError) {
        let method = Selection.scoreMethod
        let names = try fields.required(
            try fields.list("scores") { node throws(StudyError) in
                try fields.string(node, "scores", of: Score.all.map(\.name), or: Selection.isScoreFile)
            }, "scores", method)
        let words = ScoreWords(
            keep: try fields.word("keep", Keep.self) ?? .paper, within: try fields.word("within", Groups.self))
        var numbers = group.settings.orders
        numbers.easy = nClosest
        numbers.hard = nFurthest
        for name in names {
            do throws(ScoringError) {
                group.selections.append(try Selection(score: name, asked: words, numbers: numbers))
            } catch {
                throw .invalid(fields.place(of: "keep"), reason: "\(error)")
            }
            let settings = group.settings
            let window = settings.tuningValues[.window]?.max().map { Int($0) } ?? settings.scores.window
            let epochs = settings.tuningValues[.scoreEpochs]?.min().map { Int($0) } ?? settings.scores.epochs
            if let score = try? Score.named(name), score.usesWindow, window > epochs {
                throw .invalid(
                    fields.place(of: fields["window"] == nil ? "score_epochs" : "window"),
                    reason: "window is \(window) and score_epochs \(epochs): \(name) needs"
                        + " \(ScoreParameters.acceptedWindow(epochs: epochs, "score_epochs"))")
            }
        }
        if group.selections.contains(where: \.takesClusterCount) {
            group.ks = try fields.required(ks, "ks", "score with \(names.joined(separator: ", "))")
        }
        if group.settings.quota == .article, group.settings.balance != .none,
            group.selections.contains(where: { $0.groups != .none })
        {
            throw .invalid(
                fields.place(of: fields["balance"] == nil ? "quota" : "balance"),
                reason:
                    "quota article and balance \(group.settings.balance.rawValue) conflict: the article's quota balances"
                    + " nothing")
        }
        if group.selections.contains(where: \.takesPoints) {
            group.embeddings = embeddings(group.settings, usePCA: usePCA)
        }
    }
}
