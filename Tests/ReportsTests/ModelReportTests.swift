import Foundation
import Studies
import Testing

@testable import Reports

/// Comparisons of a study's models.
@Suite struct ModelReportTests {
    private static let three = """
        runs: 12
        model: [lenet5, mlp, linear]
        experiments:
          - pruning_method: none
          - {pruning_method: random, sizes: [20, 100]}
        """

    /// LeNet-5 loses 3.1 and 0.6 points, the perceptron 3.1 and 3.1, the probe 0.5 and 0.3.
    private static func correct(_ experiment: Int, _ run: Int) -> Int {
        let whole = { (model: Int) in [9800, 9600, 9000][model] + run % 3 }
        if experiment <= 3 { return whole(experiment - 1) }
        let loss = [300, 50, 300, 300, 40, 20][experiment - 4]
        return whole((experiment - 4) / 2) - loss - 10 * (run % 3)
    }

    private static let table = [
        ["Case", "Size", "lenet5", "mlp", "linear"],
        ["random", "20", "-3.10 [-3.15, -3.05]", "-3.10 [-3.15, -3.05]", "-0.50 [-0.55, -0.45]"],
        ["random", "100", "-0.60 [-0.65, -0.55]", "-3.10 [-3.15, -3.05]", "-0.30 [-0.35, -0.25]"],
    ]

    @Test func theCostOfPruningIsToldByModel() throws {
        let results = try results(Self.three, correct: Self.correct)
        let sections = ReportSection.sections(of: results)
        #expect(sections.map(\.title) == ["lenet5", "mlp", "linear"].map { "mnist, 5 epochs, \($0)" })
        let comparisons = ModelComparison.all(sections)
        let comparison = try #require(comparisons.first)
        #expect(comparisons.count == 1 && comparison.title == nil && comparison.models == ["lenet5", "mlp", "linear"])
        #expect([comparison.columns] + comparison.rows(StudyText.difference) == Self.table)
        #expect(
            comparison.sentences == [
                "The smallest part that is shown to lose at most 1 point against the whole set of the same model: 100 of 200"
                    + " images (random) with lenet5; 20 of 200 images (random) with linear; none that was tried with mlp.",
                "Runs of different models are not paired: no difference between two models is tested here.",
            ])
        let markdown = Self.table.map { "| \($0.joined(separator: " | ")) |\n" }
        #expect(
            StudyText.markdown(results).contains(
                "\n\n\(ModelComparison.heading):\n\n\(markdown[0])| --- | --- | --- | --- | --- |\n\(markdown[1])\(markdown[2])"
            ))
        let text = StudyText.summary(results)
        #expect(text.contains("\n\n\(ModelComparison.heading):\nCase    Size  lenet5"))
        #expect(text.contains("\nrandom    20  -3.10 [-3.15, -3.05]  -3.10 [-3.15, -3.05]  -0.50 [-0.55, -0.45]\n"))
        // The answer of each model.
        for model in comparison.models { #expect(text.contains("how little is enough? mnist, 5 epochs, \(model): ")) }
        #expect(ScoreModelTable.all(sections).isEmpty && ScoreModelTable.csv(results) == nil)
    }

    @Test func aStudyOfOneModelHasNoSuchTable() throws {
        let text = Self.three.replacing("[lenet5, mlp, linear]", with: "mlp")
        let results = try results(text) { experiment, run in 9000 + 10 * experiment + run % 3 }
        #expect(ModelComparison.all(ReportSection.sections(of: results)).isEmpty)
        #expect(!StudyText.summary(results).contains("by model") && !StudyText.markdown(results).contains("by model"))
    }

    @Test func tooFewRunsAndMissingCasesAreSaid() throws {
        let few = try results(Self.three.replacing("12", with: "3"), correct: Self.correct)
        let comparison = try #require(ModelComparison.all(ReportSection.sections(of: few)).first)
        #expect(comparison.sentences.isEmpty && comparison.lines.map(\.sizes) == [[20, 100]])
        // The perceptron has no run on 20 samples, the probe none on the whole set.
        let part = try results(Self.three) { experiment, run in
            [3, 6].contains(experiment) ? nil : Self.correct(experiment, run)
        }
        let left = try #require(ModelComparison.all(ReportSection.sections(of: part)).first)
        #expect(left.rows { _ in "x" } == [["random", "20", "x", "", ""], ["random", "100", "x", "x", ""]])
        #expect(left.sentences.first?.hasSuffix("(random) with lenet5; none that was tried with mlp.") == true)
    }

    @Test func onlyWhatDiffersInTheModelAloneIsCompared() throws {
        let text = """
            runs: 2
            experiments:
              - {pruning_method: none, model: [lenet5, mlp], epochs: 2}
              - {pruning_method: random, sizes: 20, model: [lenet5, mlp], epochs: 2}
              - {pruning_method: score, scores: el2n, sizes: 20, model: [lenet5, mlp], epochs: 2, score_seeds: 1}
              - {pruning_method: none, model: linear, epochs: 3}
              - {pruning_method: random, sizes: 20, model: linear, epochs: 3}
            """
        let results = try results(text) { experiment, run in 9000 + 10 * experiment + run }
        let comparisons = ModelComparison.all(ReportSection.sections(of: results))
        #expect(comparisons.map(\.title) == ["mnist, 2 epochs"])
        // Scoring by networks of its own model is the same selection for each model.
        #expect(comparisons[0].rows { "\($0.baselineID)" } == [["random", "20", "1", "2"], ["el2n", "20", "1", "2"]])
    }

    @Test func embeddingsOfScoresAreLinesOfTheirOwn() throws {
        let text = """
            runs: 2
            pca_components: 4
            model: [lenet5, mlp]
            experiments:
              - pruning_method: none
              - {pruning_method: score, scores: k-center, sizes: 20, embedding: [pixels, autoencoder, lenet5]}
            """
        let results = try results(text) { experiment, run in 9000 + 10 * experiment + run }
        let comparison = try #require(ModelComparison.all(ReportSection.sections(of: results)).first)
        let rows = [
            ["k-center, pixels", "20", "1", "2"], ["k-center, autoencoder 4", "20", "1", "2"],
            ["k-center, lenet5 84", "20", "1", "2"],
        ]
        #expect(comparison.rows { "\($0.baselineID)" } == rows)
        let pictured = ModelCharts.charts(comparison).charts.map(\.description).joined()
        #expect(rows.allSatisfy { pictured.contains(Wording.sentence($0[0])) }, "\(pictured)")
        for table in [StudyText.summary(results), StudyText.markdown(results)] {
            let found = table.components(separatedBy: ModelComparison.heading).last ?? ""
            #expect(rows.allSatisfy { found.contains($0[0]) }, "\(found)")
        }
    }

    /// Settings that are the same within each section and differ between two of them.
    @Test func noTwoLinesHaveOneName() throws {
        let cluster = "pruning_method: cluster, sizes: SIZE, ks: 4, selection_strategies: furthest"
        let text = """
            runs: 2
            score_seeds: 1
            experiments:
              - {pruning_method: none, model: [lenet5, mlp]}
              - {pruning_method: score, scores: el2n, sizes: 20, model: lenet5, score_epochs: 2}
              - {pruning_method: score, scores: el2n, sizes: 20, model: mlp, score_epochs: 3}
              - {\(cluster.replacing("SIZE", with: "20")), model: lenet5, clustering_seeds: 1}
              - {\(cluster.replacing("SIZE", with: "40")), model: mlp, clustering_seeds: 2}
            """
        let results = try results(text) { experiment, run in 9000 + 10 * experiment + run }
        let comparison = try #require(ModelComparison.all(ReportSection.sections(of: results)).first)
        #expect(
            comparison.rows { "\($0.baselineID)" } == [
                ["el2n, 2 score epochs", "20", "1", ""], ["furthest, k 4, 1 clustering", "20", "1", ""],
                ["el2n, 3 score epochs", "20", "", "2"], ["furthest, k 4, 2 clusterings", "40", "", "2"],
            ])
    }

    /// A run of LeNet-5 on 20 samples diverged, every run of the perceptron on 100, and a run of the probe on the whole set.
    @Test func runsThatDivergedAreMarkedAndNotPictured() throws {
        let diverging = try results(
            Self.three,
            diverged: { experiment, run in
                experiment == 4 && run == 3 || experiment == 7 || experiment == 3 && run == 0 ? 9 : nil
            }, correct: Self.correct)
        let comparison = try #require(ModelComparison.all(ReportSection.sections(of: diverging)).first)
        let rows = comparison.rows { $0.difference == nil ? "" : "x" }
        #expect(
            rows == [
                ["random", "20", "x, diverged", "x", "x, the whole set diverged"],
                ["random", "100", "x", "diverged", "x, the whole set diverged"],
            ])
        let chart = try #require(ModelCharts.charts(comparison).charts.first)
        #expect(chart.caption.contains(" Comparisons in which a run diverged have no point."))
        #expect(
            chart.description
                == "Random: lenet5 \u{2212}0.60 with 100 images; mlp \u{2212}3.10 with 20 images.",
            "\(chart.description)")
        let undisturbed = try results(Self.three, correct: Self.correct)
        let plain = try #require(ModelComparison.all(ReportSection.sections(of: undisturbed)).first)
        #expect(!plain.hasDiverged && ModelCharts.charts(plain).charts.allSatisfy { !$0.caption.contains("diverged") })
    }

    @Test func modelsWithoutAWholeSetAreComparedOnTheirOwn() async throws {
        let study = try ToyStudy(
            "{runs: 1, model: [mlp, linear], experiments: [{pruning_method: random, sizes: 20}]}",
            correct: ToyStudy.plausible)
        let page = try await study.report(gnuplot: false).page
        #expect(page.contains("<h1>2 models, each compared on its own</h1>"))
    }

    // MARK: - Scores of other models

    private static let crossed = """
        runs: 12
        model: [lenet5, mlp]
        score_model: [lenet5, mlp]
        score_seeds: 1
        experiments:
          - {pruning_method: random, sizes: 20}
          - {pruning_method: score, scores: el2n, sizes: 20}
        """

    @Test func modelsThatSelectAreHeldAgainstModelsThatAreTrained() throws {
        let results = try results(Self.crossed) { experiment, run in
            9000 + 100 * (run % 2) + [0, 0, 100, 50, -50, 200][experiment - 1]
        }
        let tables = ScoreModelTable.all(ReportSection.sections(of: results))
        let table = try #require(tables.first)
        #expect(tables.count == 1)
        let rows = [
            ["Case", "Size", "Selected by", "trained: lenet5", "trained: mlp"],
            ["el2n", "20", "lenet5", "+1.00 [+1.00, +1.00]", "-0.50 [-0.50, -0.50]"],
            ["el2n", "20", "mlp", "+0.50 [+0.50, +0.50]", "+2.00 [+2.00, +2.00]"],
        ]
        #expect([table.columns] + table.fields(StudyText.difference) == rows)
        #expect(
            StudyText.markdown(results).contains(
                "| \(rows[1].joined(separator: " | ")) |\n| \(rows[2].joined(separator: " | ")) |\n"))
        #expect(StudyText.summary(results).contains("\n\(ScoreModelTable.heading):\n"))
        let csv = try #require(ScoreModelTable.csv(results))
        let lines = csv.split(separator: "\n")
        #expect(
            lines[0].hasPrefix(
                "experiment_id,dataset,pruning_method,selection_strategy,k,requested,score_model,model,diff_random,"))
        #expect(
            lines.dropFirst().map {
                $0.split(separator: ",", omittingEmptySubsequences: false)[6...8].joined(separator: " ")
            }
                == ["lenet5 lenet5 1", "mlp lenet5 0.5", "lenet5 mlp -0.5", "mlp mlp 2"])
        #expect(try Table(StudyTables.summaryCSV(results)).names.suffix(4).starts(with: ["model", "score_model"]))
        #expect(try Table(StudyTables.resultsCSV(results)).names.contains("score_model"))
        // Names include the model of the score networks.
        let names = CaseNames(results.plan)
        #expect(names.name(results.plan.experiment(4)) == "el2n, networks of mlp, lenet5")
    }

    @Test func embeddingsOfScoresAreRowsOfTheirOwn() throws {
        let text = """
            runs: 2
            pca_components: 4
            score_model: [lenet5, mlp]
            score_seeds: 1
            experiments:
              - {pruning_method: random, sizes: 20}
              - {pruning_method: score, scores: d2, sizes: 20, embedding: [pixels, autoencoder]}
            """
        let results = try results(
            text, diverged: { experiment, run in experiment == 5 && run == 0 ? 3 : nil },
            correct: { experiment, run in 9000 + 10 * experiment + run })
        let table = try #require(ScoreModelTable.all(ReportSection.sections(of: results)).first)
        #expect(
            table.fields { _ in "x" } == [
                ["d2, pixels", "20", "lenet5", "x"], ["d2, pixels", "20", "mlp", "x"],
                ["d2, autoencoder 4", "20", "lenet5", "x"], ["d2, autoencoder 4", "20", "mlp", "x, diverged"],
            ])
    }

    @Test func oneOtherModelThatSelectsIsATableWhereSeveralAreTrained() throws {
        let one = Self.crossed.replacing("score_model: [lenet5, mlp]", with: "score_model: linear")
        func tables(_ text: String) throws -> [ScoreModelTable] {
            ScoreModelTable.all(
                ReportSection.sections(of: try results(text) { experiment, run in 9000 + 10 * experiment + run }))
        }
        #expect(try tables(one).map { $0.rows.map(\.selects) } == [["linear"]])
        #expect(try tables(one.replacing("[lenet5, mlp]", with: "mlp")).isEmpty)
        #expect(try tables(Self.crossed.replacing("score_model: [lenet5, mlp]\n", with: "")).isEmpty)
    }

    // MARK: - Pictures

    @Test func smallDifferencesStayVisibleBesideLargeOnes() {
        let plain = DifferenceAxis([-2, -1, -1.5, 0.2])
        #expect(!plain.isCompressed && plain.place(-1.5) == -1.5 && plain.note.isEmpty)
        let wide = DifferenceAxis([-45, -20, -3, -1, -0.4, -0.3, -0.2, 0.1])
        #expect(wide.isCompressed && wide.place(0) == 0 && !wide.note.isEmpty)
        let places = [-45, -20, -3, -1, 0.1].map(wide.place)
        #expect(places == places.sorted())
        #expect(places[4] - places[3] > 0.1 * (places[4] - places[0]))
    }

    @Test(arguments: ["furthest", "[furthest, closest, hybrid, random]"])
    func thePageHasAPlotPerSelectionAndAPanelPerModel(strategies: String) async throws {
        let study = try ToyStudy(
            """
            runs: 3
            model: [lenet5, lenet5-1998, lenet5-wide4, mlp, linear]
            experiments:
              - pruning_method: none
              - {pruning_method: random, sizes: [20, 100]}
              - {pruning_method: cluster, sizes: [20, 100], ks: 5, selection_strategies: \(strategies)}
            """
        ) { job in
            let model = ["lenet5", "lenet5-1998", "lenet5-wide4", "mlp", "linear"].firstIndex(of: job.recipe.model.name)
            return ToyStudy.plausible(job) - 100 * (model ?? 0) * (200 - job.indices.count) / 100
        }
        let (page, notices) = try await study.report()
        #expect(notices.isEmpty, "\(notices)")
        #expect(page.contains("<h1>5 models, each compared with its own whole set</h1>"))
        #expect(page.contains("<h2 id=\"models-1\">Cost of pruning by model</h2>"))
        #expect(page.contains("<th scope=\"col\">lenet5-wide4</th>"))
        let html = "<tr><th scope=\"row\">furthest, k 5</th><td>20</td><td>\u{2212}"
        #expect(page.contains(html))
        guard hasGnuplot else { return }
        let plots = try study.names("plots").filter { $0.hasSuffix(".svg") }
        let costs = plots.filter { $0.hasPrefix("models") }
        #expect(costs.count == (strategies.hasPrefix("[") ? 5 : 2))
        #expect(costs.contains("models-random.svg") && costs.contains("models-furthest-k-5.svg"))
        #expect(page.contains("Figure 1. Cost of pruning by model, random."))
        for section in 1...5 { #expect(plots.contains { $0.hasPrefix("\(section)-accuracy") }) }
    }

    @Test func picturesOfAllSelectionsHaveOneAxis() throws {
        let results = try results(Self.three + "\n  - {pruning_method: random, sizes: 20, balance: class}") {
            experiment, run in 9000 + 100 * experiment * (run % 2)
        }
        let comparison = try #require(ModelComparison.all(ReportSection.sections(of: results)).first)
        let charts = ModelCharts.charts(comparison).charts
        #expect(charts.map(\.name) == ["models-random-balance-none", "models-random-balance-class"])
        for command in ["set yrange", "set xtics", "set xrange"] {
            let found = charts.map { chart in chart.commands.filter { $0.hasPrefix(command) } }
            #expect(found[0].count == 1 && found[0] == found[1], "\(command)")
        }
    }

    // MARK: - Tables that models share

    /// The perceptron has a case more: its tables with that case are its own.
    @Test func tablesThatModelsHaveAlikeArePrintedOnce() async throws {
        let study = try ToyStudy(
            """
            runs: 2
            model: [lenet5, mlp, linear]
            experiments:
              - pruning_method: none
              - {pruning_method: random, sizes: [20, 100], balance: none}
              - {pruning_method: random, sizes: [20, 100], balance: class}
              - {pruning_method: cluster, sizes: 20, ks: 5, selection_strategies: furthest, model: mlp}
            """, correct: ToyStudy.plausible)
        let page = try await study.report(gnuplot: false).page
        let parts = page.components(separatedBy: "<section aria-labelledby=\"section-")
        func count(_ words: String, _ section: Int) -> Int { parts[section].components(separatedBy: words).count - 1 }
        try #require(parts.count == 4)
        let tables = ["aria-label=\"Overlap of selections,", "aria-label=\"Classes kept,", "<p class=\"aside\">"]
        #expect((1...3).map { section in tables.map { count($0, section) } } == [[2, 1, 0], [1, 1, 2], [0, 0, 2]])
        let same = "the same as in the section \u{201C}lenet5\u{201D}.</p>"
        #expect(parts[2].contains("<p class=\"aside\">Overlap of selections of 100 images: \(same)"))
        #expect(
            parts[2].contains(
                /<p class="aside">Classes kept by “whole set, 200”, [^<]* and “random, balance class, 100”: the same as in/
            ))
        #expect(parts[3].contains("<p class=\"aside\">Overlap of selections: \(same)"))
        #expect(parts[3].contains("<p class=\"aside\">Classes kept: \(same)"))
        // The one case of the perceptron's own.
        let classes = try #require(
            parts[2].components(separatedBy: tables[1]).last?.components(separatedBy: "</table>"))
        #expect(classes[0].components(separatedBy: "<th scope=\"row\">").count == 2)
        #expect(classes[0].contains("furthest, k 5, balance none, 20"))
    }

    @Test func tablesOfOtherSeedsAreNotShared() async throws {
        let study = try ToyStudy(
            """
            runs: 2
            experiments:
              - {pruning_method: cluster, sizes: 20, ks: 5, selection_strategies: [furthest, random], seed: 1}
              - {pruning_method: cluster, sizes: 20, ks: 5, selection_strategies: [furthest, random], seed: 2}
            """, correct: ToyStudy.plausible)
        let page = try await study.report(gnuplot: false).page
        #expect(page.components(separatedBy: "aria-label=\"Overlap of selections,").count == 3)
    }
}
