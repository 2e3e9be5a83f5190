import Pruning
import Scoring
import Studies
import Support

extension SelectCommand {
    /// Every word and number that needs no data to be checked.
    func selection(_ plan: ClusteringPlan) throws -> Selection {
        // Scores of points take some of what clusterings take.
        let isOfPoints = score.flatMap { try? Score.named($0) }?.needs.contains(.points) == true
        let ofClustering = [
            ("--pca", plan.pca != nil && !isOfPoints), ("--iterations", options.iterations != nil),
            ("--kmeans", options.kmeans != .minibatch), ("--start", options.start != nil),
            ("--memory", plan.memory != nil && !isOfPoints),
        ]
        if clustering != nil {
            for (name, isGiven) in [("--k", plan.clusters != nil)] + ofClustering
            where isGiven {
                throw Failure("--clustering and \(name) are mutually exclusive", exitCode: 64)
            }
        } else if plan.clusters == nil, score == nil {
            // The options of a score are checked with the score.
            for (name, isGiven) in ofClustering where isGiven {
                throw Failure("\(name) requires --k", exitCode: 64)
            }
        }
        let isClustered = plan.clusters != nil || clustering != nil
        try labels.check(options)
        try checkEps()
        try budget.check(ids: ids.ids)
        if let score {
            if strategy != nil {
                throw Failure("--score and --strategy are mutually exclusive", exitCode: 64)
            }
            return try selection(by: score, isClustered: isClustered)
        }
        for (name, isGiven) in [("--keep", keep != nil), ("--within", within != nil)] where isGiven {
            throw Failure("\(name) is for a score, and there is none: give --score", exitCode: 64)
        }
        guard let strategy else {
            throw Failure("--strategy or --score is missing: how to choose what is kept", exitCode: 64)
        }
        let selection = Selection(
            strategy, isClustered: isClustered, nClosest: nClosest ?? 1, nFurthest: nFurthest ?? 1)
        try scoring.checkIdle(nil, trains: false)
        if selection.needsClustering, !isClustered {
            throw Failure("--strategy \(strategy.rawValue) needs clusters: give --k or --clustering", exitCode: 64)
        }
        return try shared(selection)
    }

    /// The same for a score.
    private func selection(by score: String, isClustered: Bool) throws -> Selection {
        var numbers = OrderNumbers()
        (numbers.easy, numbers.hard) = (nClosest ?? 1, nFurthest ?? 1)
        numbers.cut = beta ?? numbers.cut
        numbers.strata = strata ?? numbers.strata
        numbers.cD = cD ?? numbers.cD
        guard Selection.isScoreFile(score) || Score.all.contains(where: { $0.name == score }) else {
            throw unaccepted(score, of: Score.all.map(\.name), option: "--score")
        }
        let selection = try Selection(
            score: score, asked: ScoreWords(keep: keep ?? .paper, within: within), numbers: numbers)
        try selection.order.check()
        if let known = try? Score.named(score) {
            try scoring.check(known, options, labels, hasClustering: clustering != nil)
            if known.needs.contains(.clusterCount) {
                try refuseAutomatic(
                    options.clusters, for: "--score \(score)", because: "it makes clusters of its own, by direction")
            }
            if known.needs.contains(.points) || known.needs.contains(.dynamics), clustering != nil,
                options.features == nil, options.data.data == nil, options.data.dataset == nil
            {
                throw Failure(
                    "--score \(score) is of the samples themselves: name them too, by --data or --features",
                    exitCode: 64)
            }
        } else {
            try scoring.checkIdle(nil, trains: false)
        }
        if selection.needsClustering, !isClustered {
            throw Failure(
                "--within \(selection.groups.rawValue) needs clusters: give --k or --clustering", exitCode: 64)
        }
        if clustering == nil {
            let known = try? Score.named(score)
            try options.checkIdle(
                isClustered: selection.needsClustering, takesCount: known?.needs.contains(.clusterCount) == true,
                isOfPoints: known?.needs.contains(.points) == true)
        }
        if options.features != nil, labels.labels == nil {
            let words =
                selection.groups.needClasses
                ? ("--within \(selection.groups.rawValue)", "--within none")
                : balance != .none ? ("--balance \(balance.rawValue)", "--balance none") : nil
            if let (asker, otherwise) = words {
                throw Failure(
                    "\(asker) needs the class of every sample, and --features has none: give --labels, or \(otherwise)",
                    exitCode: 64)
            }
        }
        return try shared(selection)
    }

    /// Refuses numbers of orders that are not asked for: whoever gives them takes what is kept for another selection.
    private func checkNumbers(of order: Order) throws {
        var isStratified = false
        var isDrawn = false
        var hasEnds = false
        switch order {
        case .stratified: isStratified = true
        case .beta: isDrawn = true
        case .ends: hasEnds = true
        default: break
        }
        for (name, isGiven, isTaken, keep) in [
            ("--beta", beta != nil, isStratified, "--keep stratified"),
            ("--strata", strata != nil, isStratified, "--keep stratified"),
            ("--c-d", cD != nil, isDrawn, "--keep beta"),
            ("--n-closest", nClosest != nil, hasEnds, "--strategy hybrid and --keep ends"),
            ("--n-furthest", nFurthest != nil, hasEnds, "--strategy hybrid and --keep ends"),
        ] where isGiven && !isTaken {
            throw Failure("\(name) is for \(keep), and has no effect here", exitCode: 64)
        }
    }

    /// Refuses `eps` where there is no threshold, and what it decides by itself.
    private func checkEps() throws {
        guard let eps else { return }
        guard let known = score.flatMap({ try? Score.named($0) }), known.takesThreshold else {
            let names = Score.all.filter(\.takesThreshold).map(\.name).joined(separator: " and ")
            throw Failure("--eps is for --score \(names), and has no effect here", exitCode: 64)
        }
        for (name, isGiven) in [
            ("--size", size != nil), ("--budget", budget.budget != nil), ("--keep", keep != nil),
            ("--within", within != nil),
            ("--quota", quota != .exact), ("--balance", balance != .none),
        ] where isGiven {
            throw Failure("--eps says what is kept, in place of \(name); give one of them", exitCode: 64)
        }
        _ = try Score.semdedupCount([], eps: eps)
    }

    /// Refuses a budget where nothing goes down one rank order.
    private func checkBudget(of selection: Selection) throws {
        guard budget.budget != nil else { return }
        if size != nil { throw Failure("--budget and --size are mutually exclusive; give one of them", exitCode: 64) }
        if selection.isWhole {
            throw Failure(
                "--strategy none keeps all samples, and --budget does not; give another strategy", exitCode: 64)
        }
        if quota == .article {
            throw Failure(
                "--quota article shares out a number of samples; --budget requires --quota exact", exitCode: 64)
        }
        let known = score.flatMap { try? Score.named($0) }
        if selection.dependsOnSize || known?.dependsOnSize == true {
            let asker = keep == .beta ? "--keep \(Keep.beta.rawValue)" : "--score \(score ?? "")"
            throw Failure(
                "--budget goes down one rank order of all samples, and \(asker) ranks them anew for every size; give "
                    + "--size", exitCode: 64)
        }
    }

    private func shared(_ selection: Selection) throws -> Selection {
        try checkNumbers(of: selection.order)
        try checkBudget(of: selection)
        guard selection.isWhole || size != nil || eps != nil || budget.budget != nil else {
            throw Failure("--size is missing: how many samples to keep", exitCode: 64)
        }
        if let size, size < 1 { throw Failure("--size is \(size); it must be at least 1", exitCode: 64) }
        if balance == .recall { throw PruningError.recallsMissing }
        return selection.sharing(quota, balance)
    }
}
