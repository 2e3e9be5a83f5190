import Studies

/// The tables of a study: `results.csv`, one row per run, `summary.csv`, one row per case, `score-models.csv`, one row per case
/// with score networks, if some are of another model than the case's, and `embedding-differences.csv`, one row per comparison
/// of two embeddings, if there are any.
package enum StudyTables {
    /// Writes the tables into `directory`, each whole or not at all.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`.
    package static func write(_ results: StudyResults, to directory: String) throws(StudyError) {
        try OutputFile.write(resultsCSV(results), to: directory + "/results.csv")
        try OutputFile.write(summaryCSV(results), to: directory + "/summary.csv")
        if let table = ScoreModelTable.csv(results) {
            try OutputFile.write(table, to: directory + "/score-models.csv")
        }
        if let table = EmbeddingTable.csv(results) {
            try OutputFile.write(table, to: directory + "/embedding-differences.csv")
        }
    }

    /// One row per finished run: the article's columns under their names and in their order, then ours. A run that diverged
    /// has no accuracy, and the step at which it did in `diverged`, which is empty for all others.
    package static func resultsCSV(_ results: StudyResults) -> String {
        let classCount = results.records.map(\.perClass.count).max() ?? 0
        var columns: [Column<Run>] = [
            Column("run_id") { "\($0.record.runID)" },
            Column("accuracy") { $0.record.accuracy.map(Number.exact) },
            Column("time") { Number.seconds($0.record.time) },
        ]
        columns += caseColumns.map { $0.of { $0.experiment } }
        columns += Self.columns("experiment_id", "dataset").map { $0.of { $0.experiment } }
        columns += [
            Column("requested") { "\($0.record.requested)" },
            Column("kept") { "\($0.record.kept)" },
            Column("correct") { $0.record.diverged == nil ? "\($0.record.correct)" : nil },
            Column("count") { "\($0.record.count)" },
            Column("selection_seconds") { Number.seconds($0.record.selectionSeconds) },
            Column("training_seconds") { Number.seconds($0.record.trainingSeconds) },
            Column("evaluation_seconds") { Number.seconds($0.record.evaluationSeconds) },
            Column("replicas") { "\($0.record.replicas)" },
            Column("device") { $0.record.device },
        ]
        columns += (settingColumns + embeddingColumns(results) + modelColumns(results) + optimizerColumns(results))
            .map { $0.of { $0.experiment } }
        columns.append(
            Column("clustering") { $0.experiment.clustering(run: $0.record.runID - 1).map { "\($0.index)" } })
        columns += (0..<classCount).map { label in
            Column("class_\(label)") { label < $0.record.perClass.count ? "\($0.record.perClass[label])" : nil }
        }
        columns.append(Column("diverged") { $0.record.diverged.map { "\($0.step)" } })
        columns.append(
            Column("distinct") { "\($0.record.distinct ?? $0.experiment.recipe.distinct(kept: $0.record.kept))" })
        columns.append(Column("worst_recall") { $0.record.worstRecall.map(Number.percent) })
        columns += (0..<(results.records.compactMap { $0.recall?.count }.max() ?? 0)).map { label in
            Column("recall_\(label)") { row in
                row.record.recall.flatMap { label < $0.count ? $0[label] : nil }.map(Number.percent)
            }
        }
        if results.plan.hasDynamicRuns {
            columns += dynamicColumns.map { $0.of { $0.experiment } }
            columns.append(
                Column("steps_taken") { "\($0.record.steps ?? $0.experiment.recipe.steps(kept: $0.record.kept))" })
            columns.append(
                Column("images_trained") { "\($0.record.images ?? $0.experiment.recipe.images(kept: $0.record.kept))" })
        }
        let rows = results.records.map { Run(record: $0, experiment: results.plan.experiment($0.experimentID)) }
        return CSV.table(columns, rows)
    }

    /// One row per case with a finished run: the case, the article's aggregates, then ours. Statistics are of accuracy in
    /// percent, over the runs that did not diverge; `sd` is the sample's and empty for a single run. Comparisons are empty where there is no baseline.
    package static func summaryCSV(_ results: StudyResults) -> String {
        var columns: [Column<CaseSummary>] = caseColumns.map { $0.of { $0.experiment } }
        columns += [
            Column("median_accuracy") { Statistics.median($0.accuracies).map(Number.percent) },
            Column("median_time") { Statistics.median($0.times).map(Number.seconds) },
            Column("count_runs") { "\($0.records.count)" },
            Column("mean") { Statistics.mean($0.accuracies).map(Number.percent) },
            Column("sd") { Statistics.standardDeviation($0.accuracies).map(Number.percent) },
            Column("best") { $0.accuracies.max().map(Number.exact) },
            Column("median_low") { ($0.medianInterval?.low).map(Number.percent) },
            Column("median_high") { ($0.medianInterval?.high).map(Number.percent) },
        ]
        for baseline in Baseline.allCases {
            columns += comparisonColumns(baseline).map { column in
                Column(column.name) { summary in summary.comparisons[baseline].flatMap(column.value) }
            }
        }
        columns += Self.columns("experiment_id", "dataset", "requested").map { $0.of { $0.experiment } }
        columns.append(Column("kept") { Statistics.median($0.keptSizes).map(Number.exact) })
        columns += (settingColumns + embeddingColumns(results) + modelColumns(results) + optimizerColumns(results))
            .map { $0.of { $0.experiment } }
        columns.append(Column("count_diverged") { "\($0.divergedCount)" })
        columns.append(
            Column("worst_recall") { Statistics.median($0.records.compactMap(\.worstRecall)).map(Number.percent) })
        if results.plan.hasDynamicRuns { columns += dynamicColumns.map { $0.of { $0.experiment } } }
        return CSV.table(columns, results.summaries)
    }

    static func comparisonColumns(_ baseline: Baseline) -> [Column<Comparison>] {
        let name = baseline.rawValue
        return [
            Column("diff_\(name)") { $0.difference.map(Number.percent) },
            Column("diff_\(name)_low") { ($0.interval95?.low).map(Number.percent) },
            Column("diff_\(name)_high") { ($0.interval95?.high).map(Number.percent) },
            Column("p_\(name)") { $0.p.map(Number.exact) },
            Column("p_\(name)_holm") { $0.pHolm.map(Number.exact) },
            Column("verdict_\(name)") { $0.verdict.rawValue },
            Column("pairs_\(name)") { "\($0.pairs)" },
            Column("runs_to_decide_\(name)") { $0.runsToDecide.map { "\($0)" } },
        ]
    }

    private struct Run: Sendable {
        let record: RunRecord
        let experiment: Experiment
    }

    /// Columns that an experiment has the text of.
    private static func columns(_ names: String...) -> [Column<Experiment>] {
        names.map { name in Column(name) { $0.word(column: name) } }
    }

    /// What makes a case, under the article's names.
    private static let caseColumns = columns(
        "pruning_method", "dataset_size", "selection_strategy", "apply_pca", "k", "n_closest", "n_furthest",
        "num_epochs",
        "batch_size", "learning_rate")

    /// The columns of the embedding, if some case embeds by a network; other tables do not have them.
    private static func embeddingColumns(_ results: StudyResults) -> [Column<Experiment>] {
        guard results.plan.experiments.contains(where: { $0.embedding?.epochs != nil }) else { return [] }
        return StudyEmbedding.columns.map { name in Column(name) { $0.word(column: name) } }
    }

    /// The columns of the model, if a study has another than the article's, and of the score networks' model, if it
    /// differs from the case's; other tables do not have them.
    private static func modelColumns(_ results: StudyResults) -> [Column<Experiment>] {
        let experiments = results.plan.experiments
        let isNamed = experiments.contains { $0.recipe.model != TrainingRecipe().model }
        let hasOther = experiments.contains { $0.otherScoreModel != nil }
        return (isNamed ? columns("model") : []) + (hasOther ? columns("score_model") : [])
    }

    /// What networks are trained by, where it is not as in the article's trainings: tables of the others stay as they were.
    private static func optimizerColumns(_ results: StudyResults) -> [Column<Experiment>] {
        guard results.plan.experiments.contains(where: { !$0.recipe.isPlain }) else { return [] }
        return TrainingRecipe.optimizerColumns.map { name in Column(name) { $0.word(column: name) } }
    }

    /// The columns of dynamic pruning.
    private static let dynamicColumns = TrainingRecipe.dynamicColumns.map { name in
        Column<Experiment>(name) { $0.word(column: name) }
    }

    /// The settings that the article had no names for.
    private static let settingColumns = columns(
        "steps", "quota", "balance", "kmeans", "pca_components", "seed", "equal_within")
}
