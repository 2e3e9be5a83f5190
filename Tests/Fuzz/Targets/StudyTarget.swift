import Studies

/// Studies, with the data sets of the catalogue and with any.
func acceptsStudy(_ bytes: [UInt8], folder: String) throws(Violation) -> Bool {
    let path = folder + "/input.yaml"
    try put(bytes, at: path)
    var accepted = false
    for acceptsAnyDataset in [false, true] {
        let study: Study
        do { study = try StudyLibrary.load(path, acceptsAnyDataset: acceptsAnyDataset) } catch {
            // The file of a model, which is beside the study or nowhere.
            if case .unreadable = error, error.category == .noInput { continue }
            try requireSentence(error.description, mentions: folder, error.category)
            continue
        }
        accepted = true
        try require(!study.groups.isEmpty, "a study of nothing")
        for notice in study.notices { try requireSentence(notice, mentions: path, .badData) }
        let again: Study
        do {
            again = try StudyReader(file: "copy.yaml", acceptsAnyDataset: acceptsAnyDataset).read(study.yaml)
        } catch {
            throw Violation(description: "what was written is refused: \(error)\n\(study.yaml)")
        }
        try require(again == study.resolved, "what was written reads back differently:\n\(study.yaml)")
        try requirePlan(study)
    }
    return accepted
}

/// Writes the study out for sets of some size; what does not fit them is refused.
private func requirePlan(_ study: Study) throws(Violation) {
    // A million runs are accepted and take their time, so most of them are left to the unit tests.
    let runs = study.groups.reduce(0) { sum, group in
        let most = 1000
        let factors = [
            group.sizes.count, group.ks.count, group.selections.count, group.embeddings.count, group.settings.runs,
            group.settings.everyModel.count, group.settings.scoreModels.count,
        ]
        return factors.reduce(1) { min(most, $0 * max(1, min($1, most))) } + sum
    }
    guard runs < 1000 else { return }
    let shapes = study.datasets.map { ($0, DatasetShape(count: 60_000, featureCount: 784)) }
    do {
        let plan = try StudyPlan(study, shapes: Dictionary(uniqueKeysWithValues: shapes))
        try require(plan.runs.count >= study.groups.count, "\(plan.runs.count) runs of \(study.groups.count) entries")
        try require(plan.trainedImages > 0, "\(plan.trainedImages) images")
    } catch let violation as Violation {
        throw violation
    } catch {
        try requireSentence("\(error)", (error as? StudyError)?.category)
    }
}
