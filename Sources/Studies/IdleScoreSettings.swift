import Pruning
import Scoring

extension ExperimentGroup {
    /// The keys of settings of scores that none of its selections takes.
    var idleScoreKeys: [String] {
        let scores = selections.compactMap { selection in selection.score.flatMap { try? Score.named($0) } }
        let orders = isByScore ? selections.map(\.order) : []
        let isOfDynamics = isByScore && scores.contains { $0.needs.contains(.dynamics) }
        let needsNetworks =
            isOfDynamics || selections.contains { $0.sharing(.exact, settings.balance).balance == .recall }
        var idle: [String] = []
        func list(_ keys: String..., unless isTaken: Bool) { if !isTaken { idle += keys } }
        list("beta", "strata", unless: orders.contains { if case .stratified = $0 { true } else { false } })
        list("c_d", unless: orders.contains { if case .beta = $0 { true } else { false } })
        list("score_epochs", "networks", "score_model", unless: needsNetworks)
        list("score_seeds", unless: needsNetworks || isByScore && scores.contains(where: \.isSeeded))
        list("window", unless: isByScore && scores.contains(where: \.usesWindow))
        list("neighbors", "gamma", unless: isByScore && scores.contains(where: \.usesNeighbors))
        return idle
    }

    /// The settings with idle ones as they are by default: they make no other study, and are not written.
    var settingsInUse: StudySettings {
        var settings = settings.withoutIdlePruning
        let defaults = StudySettings()
        settings.scaling = settings.dataset.scaling
        for key in idleScoreKeys {
            if let setting = TunableSetting(rawValue: key) { settings.tuningValues[setting] = nil }
            switch key {
            case "beta": settings.orders.cut = defaults.orders.cut
            case "strata": settings.orders.strata = defaults.orders.strata
            case "c_d": settings.orders.cD = defaults.orders.cD
            case "score_epochs": settings.scores.epochs = defaults.scores.epochs
            case "networks": settings.scores.networks = defaults.scores.networks
            case "score_model": settings.scoreModels = []
            case "score_seeds": settings.scoreSeeds = nil
            case "window": settings.scores.window = defaults.scores.window
            case "neighbors": settings.scores.neighbors = defaults.scores.neighbors
            default: settings.scores.gamma = defaults.scores.gamma
            }
        }
        return settings
    }
}
