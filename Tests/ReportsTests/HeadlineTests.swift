import Studies
import Testing

@testable import Reports

@Suite struct HeadlineTests {
    /// The whole set, and random sets of 20 and 100 of its 200 samples.
    private func headline(
        runs: Int = 12, equalWithin: Double = 0.1, correct: @escaping (_ experiment: Int, _ run: Int) -> Int?
    ) throws -> Headline {
        let results = try results(
            """
            runs: \(runs)
            equal_within: \(equalWithin)
            experiments:
              - pruning_method: none
              - {pruning_method: random, sizes: [20, 100]}
            """, correct: correct)
        let sections = ReportSection.sections(of: results)
        #expect(sections.count == 1)
        return Headline(try #require(sections.first))
    }

    private let whole = { (run: Int) in 9800 + run % 3 }

    @Test func whatNeedsTheWholeSetIsNoSmallerSet() throws {
        for resample in ["none", "epoch"] {
            let results = try results(
                """
                runs: 12
                experiments:
                  - pruning_method: none
                  - {pruning_method: random, sizes: 20, resample: \(resample)}
                  - {pruning_method: random, sizes: 100}
                """
            ) { experiment, run in whole(run) + (experiment == 1 ? 0 : experiment == 2 ? 50 + run : -200 - run) }
            let headline = Headline(try #require(ReportSection.sections(of: results).first))
            #expect(
                headline.title
                    == (resample == "none"
                        ? "20 of 200 images (random) are better than the whole set"
                        : "Every smaller set that was tried is worse than the whole"))
        }
    }

    @Test func aSmallerSetThatIsBetterIsCalledBetter() throws {
        let headline = try headline { experiment, run in
            experiment == 1 ? whole(run) : whole(run) + (experiment == 3 ? 50 + run : -100 - run)
        }
        #expect(headline.title == "100 of 200 images (random) are better than the whole set")
        let text = headline.sentences.joined(separator: "\n")
        #expect(text.contains("Random with 100 images differs from the whole set by +0.56 points on average"))
        #expect(text.contains("after Holm's correction, over 12 paired runs."))
        #expect(text.contains("Against the whole set, of 2 smaller cases: 1 better and 1 worse."))
        #expect(!text.contains("equal"))
    }

    @Test func aSingleRunIsNoGroundForAnEstimate() throws {
        let text = try headline(runs: 1) { experiment, run in whole(run) - 10 * experiment }.sentences
            .joined(separator: "\n")
        #expect(text.contains("How many runs would decide cannot be estimated from a single run."), "\(text)")
        #expect(!text.contains("Not even"))
    }

    @Test func aSmallerSetWithinTheMarginIsCalledEqualAndNoMore() throws {
        let headline = try headline { experiment, run in
            experiment == 1 ? whole(run) : whole(run) + (experiment == 3 ? (run % 2 == 0 ? 2 : -2) : -100 - run)
        }
        #expect(headline.title == "100 of 200 images (random) are equal to the whole set")
        let text = headline.sentences.joined(separator: "\n")
        #expect(
            text.contains(
                "by 0.00 points on average, 95% interval \u{2212}0.02 to +0.02 for all 2 comparisons together, inside"
                    + " \u{B1}0.1, over 12 paired runs.")
        )
        #expect(text.contains("no proof that a smaller one would not do"))
        #expect(text.contains("1 equal and 1 worse"))
        #expect(!text.contains("better than the whole"))
    }

    @Test func ofSeveralTheSmallestIsNamedAndTheBetterOneToo() throws {
        let headline = try headline { experiment, run in
            [1: whole(run), 2: whole(run) + (run % 2 == 0 ? 2 : -2), 3: whole(run) + 50 + run][experiment]
        }
        #expect(headline.title == "20 of 200 images (random) are equal to the whole set")
        #expect(
            headline.sentences.contains {
                $0.hasPrefix("The smallest set that is better than the whole has 100 images (random): +0.56 points")
            })
    }

    @Test func whereAllAreWorseItSaysSo() throws {
        let headline = try headline { experiment, run in experiment == 1 ? whole(run) : whole(run) - 190 - run }
        #expect(headline.title == "Every smaller set that was tried is worse than the whole")
        #expect(headline.sentences.first?.hasPrefix("No part that was tried is shown to lose at most 1 point") == true)
        #expect(headline.sentences.last == "Against the whole set, of 2 smaller cases: 2 worse.")
    }

    @Test func tooFewRunsDecideNothingAndItSaysHowManyWould() throws {
        // Every run is worse by the same amount or nearly so, and five runs cannot show it.
        let headline = try headline(runs: 5) { experiment, run in
            experiment == 1 ? whole(run) : whole(run) - 90 - run
        }
        #expect(headline.title == "Too few runs for an answer: 5 runs per case, and 2 comparisons need at least 7")
        let text = headline.sentences.joined(separator: "\n")
        #expect(text.contains("2 not decided"))
        #expect(text.contains("runs would decide"), "\(text)")
        for word in ["better", "worse", "equal"] { #expect(!text.contains(word)) }
        // Enough runs for a test, and too much noise.
        let noisy = try self.headline { experiment, run in
            experiment == 1 ? whole(run) : whole(run) - 20 + (run % 2 == 0 ? 300 : -290)
        }
        #expect(noisy.title == "Not decided: these runs do not tell any smaller set from the whole")
    }

    @Test func someUndecidedIsNotNoneEqual() throws {
        let headline = try headline { experiment, run in
            experiment == 1
                ? whole(run) : whole(run) + (experiment == 3 ? (run % 2 == 0 ? 300 : -290) : -100 - run)
        }
        #expect(
            headline.title == "No smaller set is shown to be as good as the whole; 1 of 2 cases is not decided")
        #expect(headline.sentences.contains { $0.contains("run") && $0.contains("decide") })
    }

    @Test func aMarginOfTheStudysOwnIsTheOneThatIsNamed() throws {
        let headline = try headline(equalWithin: 0.5) { experiment, run in
            experiment == 1 ? whole(run) : whole(run) + (run % 2 == 0 ? 20 : -20)
        }
        #expect(headline.title.contains("equal to"))
        #expect(headline.sentences.contains { $0.contains("inside \u{B1}0.5") })
    }

    @Test func anUnfinishedStudySaysHowFarItIs() throws {
        let headline = try headline { experiment, run in
            experiment == 3 && run > 3 ? nil : experiment == 1 ? whole(run) : whole(run) - 90 - run
        }
        #expect(headline.title.hasPrefix("So far: "))
        #expect(headline.sentences.first == "28 of 36 runs are finished; what follows may change with the rest.")
    }

    @Test func withoutTheWholeSetNothingIsSaidOfIt() throws {
        let none = try headline { experiment, run in experiment == 1 ? nil : 9000 + run }
        #expect(none.title == "So far: No run on the whole set is finished, so nothing can be compared with it yet")
        let nothing = try headline { _, _ in nil }
        #expect(nothing.title == "So far: No run is finished yet")
        let results = try results("{runs: 2, experiments: [{pruning_method: random, sizes: 20}]}") { _, run in run }
        let never = Headline(try #require(ReportSection.sections(of: results).first))
        #expect(never.title == "Without a run on the whole set, the study cannot say what pruning costs")
    }

    @Test func strategiesAreHeldAgainstRandomOnesOfTheirSize() throws {
        let results = try results(
            """
            runs: 12
            experiments:
              - {pruning_method: random, sizes: 20}
              - {pruning_method: cluster, sizes: 20, ks: 3, use_pca: false, selection_strategies: [closest, furthest]}
            """
        ) { experiment, run in [1: 9000 + run % 2, 2: 9100 + 3 * run, 3: 8900 - 2 * run][experiment] }
        let headline = Headline(try #require(ReportSection.sections(of: results).first))
        #expect(
            headline.sentences.last
                == "Against random sets of the same size, of 2 cases: 1 better and 1 worse; better: \u{201C}closest, k 3, 20\u{201D}."
        )
    }
}

@Suite struct ReportSectionTests {
    @Test func dataSetsAndDurationsAreNeverMixed() throws {
        let results = try results(
            """
            runs: 2
            experiments:
              - {pruning_method: none, dataset: a}
              - {pruning_method: none, dataset: b}
              - {pruning_method: random, sizes: 20, dataset: a}
              - {pruning_method: random, sizes: 20, dataset: a, steps: 7}
            """
        ) { experiment, run in 9000 + experiment + run }
        let sections = ReportSection.sections(of: results)
        #expect(sections.map(\.title) == ["a, 5 epochs", "b, 5 epochs", "a, 7 steps"])
        #expect(sections.map { $0.cases.map(\.name) } == [["whole set", "random"], ["whole set"], ["random"]])
        #expect(sections[2].whole == nil)
    }

    @Test func namesTellWhatDiffersAndNoMore() throws {
        let results = try results(
            """
            runs: 2
            experiments:
              - {pruning_method: cluster, sizes: 20, ks: 3, use_pca: [true, false], pca_components: 4,
                 selection_strategies: [random, hybrid], n_furthest: 2}
              - {pruning_method: random, sizes: 20}
              - {pruning_method: random, sizes: 20}
            """
        ) { experiment, run in 9000 + experiment + run }
        let section = try #require(ReportSection.sections(of: results).first)
        #expect(
            section.cases.map(\.name) == [
                "random in cluster, k 3, PCA 4", "random in cluster, k 3, pixels", "hybrid 1:2, k 3, PCA 4",
                "hybrid 1:2, k 3, pixels", "random", "random, experiment 6",
            ])
    }
}

@Suite struct WordingTests {
    @Test(arguments: [(0.0, "0.00"), (-0.001, "0.00"), (0.126, "+0.13"), (-1.5, "\u{2212}1.50")])
    func differencesHaveTheirSign(value: Double, text: String) { #expect(Wording.signed(value) == text) }

    @Test(arguments: [
        (0.0625, "0.0625"), (0.83, "0.83"), (1.0, "1"), (0.0123456, "0.0123"), (0.00048828, "< 0.001"),
        (0.001, "0.001"),
    ])
    func probabilitiesHaveThreeDigits(p: Double, text: String) { #expect(Wording.probability(p) == text) }

    @Test func listsReadAsSentences() {
        #expect(Wording.list([]) == "" && Wording.list(["a"]) == "a" && Wording.list(["a", "b", "c"]) == "a, b and c")
        #expect(Wording.list(["a", "b", "c", "d"], atMost: 2) == "a, b and 2 more")
        #expect(Wording.counted(1, "run") == "1 run" && Wording.counted(1200, "run") == "1,200 runs")
    }

    @Test func manyLinesBecomeFew() {
        #expect(Wording.bounded(["a", "b"], atMost: 2) == ["a", "b"])
        #expect(Wording.bounded(["a", "b", "c", "d"], atMost: 2) == ["a", "b", "2 more lines like these"])
    }

    @Test func namesBecomeFileNames() {
        #expect(Wording.slug("k 1,000, PCA 50") == "k-1-000-pca-50")
        #expect(Wording.slug("../<b>") == "b")
    }

    @Test func textCannotBecomeMarkup() {
        #expect(Wording.escaped("<b a=\"1\" c='2'>&") == "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;")
        #expect(Wording.escaped("k 50, größer") == "k 50, größer")
    }
}
