import Foundation
import Testing

@testable import Reports
@testable import Studies

@Suite struct SensitivityTests {
    private static let yaml = """
        runs: 12
        pca_components: 4
        experiments:
          - pruning_method: none
          - {pruning_method: random, sizes: 20}
          - {pruning_method: cluster, sizes: [20, 40], ks: [7, 3], use_pca: [true, false],
             selection_strategies: [closest, furthest]}
        """

    private func section(_ results: StudyResults) throws -> ReportSection {
        try #require(ReportSection.sections(of: results).first)
    }

    /// The experiment of closest in 7 clusters of pixels of 20 images.
    private static func isSpecial(_ experiment: Int) -> Bool { experiment == 4 }

    @Test func sayThatTheAnswerDependsWhereOneCaseDiffers() throws {
        let results = try results(Self.yaml) { experiment, run in
            9000 + run * 3 % 7 + (Self.isSpecial(experiment) ? 50 : 0)
        }
        let special = results.plan.experiment(4)
        #expect(special.clustering?.k == 7 && special.clustering?.pcaComponents == nil && special.size == 20)
        let all = Sensitivity.all(try section(results))
        #expect(all.map(\.setting) == [.k, .d])
        for sensitivity in all {
            // Two sizes, two selections, two values of the other setting.
            #expect(sensitivity.series.count == 8 && sensitivity.series.allSatisfy { $0.points.count == 2 })
            #expect(
                sensitivity.series.allSatisfy { $0.points[0].contrast == nil && $0.points[1].contrast?.pairs == 12 })
        }
        #expect(
            all[0].sentences == [
                "The accuracy depends on the number of clusters k: of 8 comparisons with everything else equal, 1 differs"
                    + " and 7 are equal within \u{B1}0.1 points.",
                "Closest, no PCA, 20: +0.50 points with k 7 instead of k 3.",
            ])
        // Without PCA comes first.
        #expect(
            all[1].sentences == [
                "The accuracy depends on the dimensions d that PCA leaves: of 8 comparisons with everything else equal,"
                    + " 1 differs and 7 are equal within \u{B1}0.1 points.",
                "Closest, k 7, 20: \u{2212}0.50 points with d 4 instead of no PCA.",
            ])
        let table = all[0].table(in: "mnist")
        #expect(
            table.groups.map(\.name) == [
                "against the whole set", "against random samples of the same size", "against k 3",
            ])
        #expect(table.groups.map(\.span).reduce(table.ownColumns, +) == table.columns.count && table.leftOut == nil)
        let rows = table.rows.split(separator: "\n")
        #expect(rows.count == 16 && rows.allSatisfy { $0.components(separatedBy: "<td").count == 10 })
        #expect(
            rows.contains(
                "<tr><th scope=\"row\">closest, no PCA, 20</th><td>7</td><td>+0.50</td><td>+0.50 to +0.50</td><td>+0.50</td>"
                    + "<td>+0.50 to +0.50</td><td>+0.50</td><td>+0.50 to +0.50</td><td>0.00391</td><td>better</td></tr>"
            ))
        // A picture for each size and each value of the other setting.
        let charts = all[0].charts(most: 4)
        #expect(
            charts.map(\.name) == [
                "sensitivity-k-20-kept-no-pca", "sensitivity-k-20-kept-d-4", "sensitivity-k-40-kept-no-pca",
                "sensitivity-k-40-kept-d-4",
            ])
        #expect(charts[0].description.hasPrefix("Closest, no PCA: 0.00 with k 3, +0.50 with k 7."))
        #expect(all[0].charts(most: 2).count == 2 && all[0].charts(most: 0).isEmpty)
    }

    @Test func sayThatItDoesNotDependOnlyWhereAllAreEqual() throws {
        let equal = Sensitivity.all(try section(try results(Self.yaml) { _, run in 9000 + run }))
        #expect(
            equal[0].sentences == [
                "No difference by the number of clusters k was found: all 8 comparisons came out equal within \u{B1}0.1"
                    + " points, each judged on its own."
            ])
        let noisy = Sensitivity.all(
            try section(try results(Self.yaml) { experiment, run in 9000 + (experiment * 31 + run * 57) % 83 }))
        #expect(noisy[0].sentences.count == 1)
        #expect(
            noisy[0].sentences[0].hasPrefix("These runs do not decide whether the accuracy depends on the number of"))
        #expect(noisy[0].sentences[0].hasSuffix("8 are not decided."))
        let few = try results(Self.yaml.replacing("runs: 12", with: "runs: 6")) { experiment, run in
            9000 + (experiment * 31 + run * 57) % 83
        }
        #expect(
            Sensitivity.all(try section(few))[0].sentences.last
                == "6 runs cannot call any case better or worse than another here, nor equal to it; 9 runs could.")
        let equalOfFew = try results(Self.yaml.replacing("runs: 12", with: "runs: 6")) { _, run in 9000 + run }
        let sensitivity = Sensitivity.all(try section(equalOfFew))[0]
        #expect(sensitivity.sentences.count == 2 && sensitivity.sentences[0].hasPrefix("These runs do not decide"))
        #expect(sensitivity.sentences[0].hasSuffix("8 are not decided."))
        #expect(!sensitivity.table(in: "mnist").rows.contains("equal"))
    }

    @Test func theDimensionsOfSeveralEntriesAreCompared() throws {
        let results = try results(
            """
            runs: 3
            experiments:
              - {pruning_method: cluster, sizes: 20, ks: 3, use_pca: true, pca_components: 8, selection_strategies: closest}
              - {pruning_method: cluster, sizes: 20, ks: 3, use_pca: true, pca_components: 2, selection_strategies: closest}
              - {pruning_method: cluster, sizes: 20, ks: 3, kmeans: lloyd, selection_strategies: closest}
              - {pruning_method: score, sizes: 20, ks: [3, 5], scores: prototypes}
            """
        ) { experiment, run in 9000 + experiment + run }
        let all = Sensitivity.all(try section(results))
        #expect(all.map(\.setting) == [.k, .d])
        #expect(all[0].series.map(\.label) == ["prototypes, 20"])
        #expect(all[1].series.count == 1 && all[1].series[0].points.map(\.value.phrase) == ["d 2", "d 8"])
        // Without a baseline there is nothing to draw, and the table has the change alone.
        #expect(all[1].charts(most: 4).isEmpty && all[1].table(in: "mnist").columns.count == 6)
    }

    /// Scores of the samples as they are, and of what PCA leaves, have one name.
    @Test(arguments: ["mnist", "features"]) func aSeriesIsNotNamedAfterItsFirstPoints(dataset: String) throws {
        let results = try results(
            """
            runs: 3
            dataset: \(dataset)
            model: linear
            experiments:
              - {pruning_method: score, sizes: 20, scores: [k-center, herding], use_pca: [false, true], pca_components: 8}
            """
        ) { experiment, run in 9000 + experiment + run }
        let all = Sensitivity.all(try section(results))
        #expect(all.flatMap(\.series).map(\.name) == ["k-center", "herding"])
        #expect(all[0].series[0].points.map(\.value.phrase) == ["no PCA", "d 8"])
    }

    @Test func casesThatLeaveSamplesOutOfEpochsAreASeriesOfTheirOwn() throws {
        let entry = "pruning_method: cluster, sizes: 20, ks: [3, 5], selection_strategies: closest"
        let results = try results("runs: 3\nexperiments: [{\(entry)}, {\(entry), dynamic: infobatch}]") {
            experiment, run in 9000 + 10 * experiment + run
        }
        let all = Sensitivity.all(try section(results))
        #expect(all.flatMap(\.series).map(\.name) == ["closest", "closest, infobatch"])
        #expect(all[0].series.flatMap(\.points).map(\.entry.summary.experiment.id) == [1, 2, 3, 4])
    }

    @Test func aCaseInWhichRunsDivergedIsNoVerdict() throws {
        let results = try results(Self.yaml, diverged: { experiment, run in experiment == 4 && run == 2 ? 1 : nil }) {
            _, run in 9000 + run
        }
        let sentences = Sensitivity.all(try section(results)).flatMap(\.sentences)
        #expect(sentences.count == 2)
        for sentence in sentences {
            #expect(sentence.hasPrefix("These runs do not decide") && sentence.hasSuffix("1 is with a diverged run."))
        }
    }

    /// Against the whole set, contrasts are the comparisons that all tables have.
    @Test func contrastsAreTheReportsComparisons() throws {
        let results = try results(Self.yaml) { experiment, run in
            9000 + (experiment * 131 + run * 57) % 41 + 5 * experiment
        }
        let whole = try #require(results.summaries.first)
        let others = Array(results.summaries.dropFirst())
        let contrasts = Contrast.all(others.map { (one: $0, other: whole) })
        var verdicts: Set<Verdict> = []
        for (summary, contrast) in zip(others, contrasts) {
            let comparison = try #require(summary.comparisons[.full])
            let found = try #require(contrast)
            #expect(found.difference == comparison.difference && found.interval95 == comparison.interval95)
            #expect(found.pHolm == comparison.pHolm && found.verdict == comparison.verdict)
            verdicts.insert(found.verdict)
        }
        #expect(contrasts.count == 17 && verdicts.count > 1)
    }

    @Test func thePageHasASectionWhereThereIsSomethingToCompare() async throws {
        let study = try ToyStudy(ToyStudy.everything, correct: ToyStudy.plausible)
        let (page, _) = try await study.report()
        #expect(page.contains("<h3>Sensitivity to k and d</h3>") && page.contains("the number of clusters k"))
        #expect(page.contains("aria-label=\"Sensitivity to k, mnist, 5 epochs\""))
        #expect(page.components(separatedBy: "<caption>").count == 4, "no table has another's caption")
        // One d alone.
        #expect(!page.contains("the dimensions d that PCA leaves"))
        let plain = try ToyStudy(
            """
            runs: 2
            experiments:
              - pruning_method: none
              - {pruning_method: cluster, sizes: [20, 40], ks: 3, selection_strategies: closest}
            """, correct: ToyStudy.plausible)
        #expect(try await !plain.report().page.contains("Sensitivity"))
    }
}

@Suite struct KCurveTests {
    private let curve = KCurve(
        [
            .init(k: 2, inertia: 30, silhouette: 0.25, stability: 1),
            .init(k: 4, inertia: 12.5, silhouette: nil, stability: -0.01),
            .init(k: 8, inertia: 0, silhouette: -0.125, stability: 0.5),
        ], chosen: 2)

    @Test func theTable() throws {
        #expect(
            curve.csv == """
                k,inertia,silhouette,stability,chosen
                2,30,0.25,1,True
                4,12.5,,-0.01,False
                8,0,-0.125,0.5,False

                """)
    }

    @Test(.enabled(if: hasGnuplot, "gnuplot is not installed (Debian: gnuplot-nox)"))
    func thePicture() async throws {
        guard case .drawn(let svg, let png) = await curve.draw() else {
            Issue.record("not drawn")
            return
        }
        let text = String(decoding: svg, as: UTF8.self)
        #expect(text.contains("<svg") && text.contains("silhouette") && text.contains("k 2"))
        #expect(png.count > 1000)
        // A single number, and equal points.
        for points in [
            [KCurve.Point(k: 5, inertia: 0, silhouette: 0.5, stability: 1)],
            [
                .init(k: 2, inertia: 0, silhouette: nil, stability: 1),
                .init(k: 900, inertia: 0, silhouette: nil, stability: 1),
            ],
        ] {
            guard case .drawn = await KCurve(points, chosen: points[0].k).draw() else {
                Issue.record("not drawn")
                continue
            }
        }
        guard case .noGnuplot = await curve.draw(by: nil) else {
            Issue.record("drawn without gnuplot")
            return
        }
    }
}
