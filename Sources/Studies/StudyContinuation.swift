/// Whether a study may go on in the directory of another.
enum StudyContinuation {
    /// They are the same.
    case same
    /// It has more runs, each old one as it was, or reads its results otherwise.
    case extended
    /// Its results must not be mixed with the other's; the difference is part of a sentence.
    case different(String)
}

extension Study {
    /// How `other` stands to the receiver, in whose directory it is to go on.
    ///
    /// Run i does not depend on the number of runs, so the runs may be raised where each old run keeps its clustering and
    /// its scores: `clustering_seeds` the same before and after, or at least the old number of runs both times, and
    /// `score_seeds` likewise. `equal_within` only says how results are read.
    func continuation(as other: Study) -> StudyContinuation {
        let theirs = other.resolved.groups
        var extended = resolved
        for (index, their) in zip(extended.groups.indices, theirs) {
            let our = extended.groups[index].settings
            extended.groups[index].settings.equalWithin = their.settings.equalWithin
            if their.settings.runs > our.runs {
                extended.groups[index].settings.runs = their.settings.runs
                if let seeds = our.clusteringSeeds, let others = their.settings.clusteringSeeds,
                    min(seeds, others) >= our.runs
                {
                    extended.groups[index].settings.clusteringSeeds = others
                }
                if let seeds = our.scoreSeeds, let others = their.settings.scoreSeeds, min(seeds, others) >= our.runs {
                    extended.groups[index].settings.scoreSeeds = others
                }
            }
        }
        if let difference = extended.difference(from: other) { return .different(difference) }
        return difference(from: other) == nil ? .same : .extended
    }
}
