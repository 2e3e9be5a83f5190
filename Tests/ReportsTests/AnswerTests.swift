import Studies
import Testing

@testable import Reports

/// The answer to "how little is enough?" by counts of right answers of 10,000: 100 of them are a point.
@Suite struct AnswerTests {
    private let whole = { (run: Int) in 9800 + run % 3 }

    /// The whole set, and random sets of some of its 200 samples.
    private func answer(
        sizes: String = "[20, 100]", runs: Int = 12, rest: String = "",
        correct: @escaping (_ experiment: Int, _ run: Int) -> Int?
    ) throws -> (answer: Answer, headline: Headline, results: StudyResults) {
        let results = try results(
            """
            runs: \(runs)
            experiments:
              - pruning_method: none
              - {pruning_method: random, sizes: \(sizes)}
            \(rest)
            """, correct: correct)
        let section = try #require(ReportSection.sections(of: results).first)
        return (Answer(section), Headline(section), results)
    }

    @Test func theSmallestPartThatLosesLittleIsNamedWithItsLoss() throws {
        // Losses of 50, 60 and 70 of 10,000 right answers in turn; smaller sets lose 300 to 320.
        let (answer, headline, results) = try answer(sizes: "[20, 100, 150]") { experiment, run in
            experiment == 1 ? whole(run) : whole(run) - (experiment == 2 ? 300 : 50) - 10 * (run % 3)
        }
        #expect(answer.enough == .init(size: "100", name: "random"))
        // Student's t at 1 - 0.025 / 3 with 11 degrees, by scipy: 2.8200; the standard error is 0.02462.
        #expect(
            answer.sentences == [
                "The smallest part that is shown to lose at most 1 point against the whole set, at 95% confidence over all 3"
                    + " comparisons (over repeated training, on this test set), is 100 of 200 images (50%, random): 0.60 points lower (0.53 to 0.67) on average, over 12"
                    + " paired runs.",
                "By size, with random samples unless another selection is shown to be better: 150 images (75%, random) 0.60"
                    + " points lower (0.53 to 0.67); 100 images (50%, random) 0.60 points lower (0.53 to 0.67); 20 images (10%,"
                    + " random) 3.10 points lower (3.03 to 3.17).",
            ])
        #expect(headline.title == "100 of 200 images (random) lose at most 1 point against the whole set")
        #expect(headline.sentences.starts(with: answer.sentences))
        let line = "how little is enough? \(answer.sentences.joined(separator: " "))\n"
        #expect(StudyText.summary(results).contains("\n" + line))
        #expect(StudyText.markdown(results).contains("\n- \(line.dropFirst("how little is enough? ".count))"))
    }

    /// Half of the samples lose little at random and furthest from the centroids, and the latter has the higher mean.
    @Test(arguments: [(0, "random"), (30, "furthest")])
    func anotherSelectionIsNamedOnlyIfItIsShownToBeBetter(gain: Int, name: String) throws {
        let (answer, _, results) = try answer(
            rest: "  - {pruning_method: cluster, sizes: 100, ks: 5, selection_strategies: furthest}"
        ) { experiment, run in
            switch experiment {
            case 1: whole(run)
            case 2: whole(run) - 300
            case 3: whole(run) - 50 - 10 * (run % 3)
            default: whole(run) - 50 - 10 * (run % 3) + gain + (run % 2 == 0 ? 4 : -2)
            }
        }
        let means = results.summaries.map { Statistics.mean($0.accuracies) ?? 0 }
        #expect(means[3] > means[2])
        #expect(answer.enough?.size == "100" && answer.enough?.name.hasPrefix(name) == true)
        #expect(answer.sentences.first?.contains("(50%, \(name)") == true)
    }

    /// A mean loss of 0.94 points, with a 95% interval of its own up to 0.99 and one for two comparisons up to 1.004.
    @Test(arguments: [("[100]", true), ("[20, 100]", false)])
    func theMoreSetsAreTriedTheMoreItTakes(sizes: String, isEnough: Bool) throws {
        let last = isEnough ? 2 : 3
        let (answer, headline, _) = try answer(sizes: sizes) { experiment, run in
            experiment == 1 ? whole(run) : whole(run) - (experiment == last ? 84 : 300) - 10 * (run % 3)
        }
        #expect((answer.enough != nil) == isEnough)
        #expect(headline.title.contains("lose at most 1 point") == isEnough)
        if !isEnough {
            #expect(
                answer.sentences.first
                    == "No part that was tried is shown to lose at most 1 point against the whole set, at 95% confidence over"
                    + " all 2 comparisons (over repeated training, on this test set).")
            #expect(headline.title == "Every smaller set that was tried is worse than the whole")
        }
    }

    @Test func tooFewRunsAreNoResultHoweverCloseTheyAre() throws {
        // All are equal by their intervals.
        let (answer, headline, results) = try answer(runs: 5) { _, run in whole(run) }
        #expect(results.summaries.dropFirst().allSatisfy { $0.comparisons[.full]?.verdict == .equal })
        #expect(answer.enough == nil)
        #expect(headline.title == "Too few runs for an answer: 5 runs per case, and 2 comparisons need at least 7")
        #expect(
            answer.sentences == [
                "Too few runs for an answer: 5 runs per case, and 2 comparisons need at least 7 (add them with coppice run"
                    + " STUDY --runs 7; a decision may need more)."
            ])
        // The title has the first half.
        #expect(
            headline.sentences == [
                "Add them with coppice run STUDY --runs 7; a decision may need more.",
                "Against the whole set, of 2 smaller cases: 2 not decided (the tables call 2 equal, but from too few runs).",
            ])
        #expect(StudyText.summary(results).contains("how little is enough? Too few runs for an answer: 5 runs"))
        var known = results
        known.command = "run my.yaml --runs 5 --data 'my images'"
        #expect(
            StudyText.markdown(known).contains(
                "(add them with coppice run my.yaml --data 'my images' --runs 7; a decision may need more)"))
        let enough = try self.answer(runs: 7) { _, run in whole(run) }
        #expect(enough.headline.title == "20 of 200 images (random) are equal to the whole set")
        let unfinished = try self.answer { experiment, run in run < 3 ? whole(run) : nil }
        #expect(unfinished.headline.title.hasPrefix("So far: Too few runs for an answer: 3 runs per case"))
        #expect(unfinished.answer.sentences.allSatisfy { !$0.contains("--runs") })
    }

    @Test func aSelectionSpeaksForASizeOnlyWhereItBeatsRandomSamples() throws {
        let clusters =
            "  - {pruning_method: cluster, sizes: [20, 100], ks: 3, use_pca: false, selection_strategies: closest}"
        // closest is ahead at both sizes, at 20 clearly and at 100 within the noise.
        let (answer, _, found) = try answer(rest: clusters) { experiment, run in
            switch experiment {
            case 1: whole(run)
            case 2: whole(run) - 600 - run
            case 3: whole(run) - 300 - run
            case 4: whole(run) - 500 - run
            default: whole(run) - 300 - run + (run % 2 == 0 ? 90 : -70)
            }
        }
        #expect(found.summaries.map { $0.comparisons[.random]?.verdict } == [nil, nil, nil, .better, .notDecided])
        let losses = try #require(answer.sentences.last)
        #expect(losses.contains("100 images (50%, random) 3.0") && losses.contains("20 images (10%, closest, k 3) 5.0"))
        // Without random samples, the highest mean.
        let alone = try Headline(
            #require(
                ReportSection.sections(
                    of: try results(
                        """
                        runs: 12
                        experiments:
                          - pruning_method: none
                          - {pruning_method: cluster, sizes: 20, ks: 3, selection_strategies: [closest, furthest]}
                        """
                    ) { experiment, run in whole(run) - 200 * experiment - run }
                ).first))
        #expect(
            alone.sentences.contains {
                $0.hasPrefix(
                    "By size, with the selection of the highest mean: 20 images (10%, closest, k 3; highest mean of 2) "
                )
            })
    }

    /// Random samples at one size only: they are no reason to trust the best of many at another.
    @Test func eachSizeSaysWhetherItsMeanIsTheBestOfMany() throws {
        let results = try results(
            """
            runs: 12
            experiments:
              - pruning_method: none
              - {pruning_method: random, sizes: 100}
              - {pruning_method: cluster, sizes: [20, 100], ks: 3, use_pca: false, selection_strategies: [closest, furthest]}
            """
        ) { experiment, run in whole(run) - 20 * experiment - run }
        let section = try #require(ReportSection.sections(of: results).first)
        let losses = try #require(Answer(section).sentences.last)
        #expect(
            losses.hasPrefix(
                "By size, with random samples unless another selection is shown to be better: 100 images (50%, random) "
            ),
            "\(losses)")
        #expect(losses.contains("; 20 images (10%, closest, k 3; highest mean of 2) "), "\(losses)")
    }

    /// The widest margin of any case must not loosen the claim for the others.
    @Test(arguments: [("5", "1 point"), ("2", "2 points")])
    func theNarrowestMarginIsTheLimit(other: String, limit: String) throws {
        let results = try results(
            """
            runs: 12
            experiments:
              - pruning_method: none
              - {pruning_method: random, sizes: 20, equal_within: \(other)}
              - {pruning_method: random, sizes: 100\(other == "2" ? ", equal_within: 3" : "")}
            """
        ) { experiment, run in whole(run) - (experiment == 1 ? 0 : 150 + 10 * (run % 3)) }
        let section = try #require(ReportSection.sections(of: results).first)
        let (answer, headline) = (Answer(section), Headline(section))
        #expect(answer.sentences[0].contains("lose at most \(limit) against"), "\(answer.sentences[0])")
        #expect((answer.enough == nil) == (other == "5") && !headline.title.contains("equal to"))
    }

    /// Holm's later steps find a case better with fewer runs than the first step takes.
    @Test func aVerdictOfFewRunsIsNoReasonToLeaveACaseOut() throws {
        let (answer, headline, results) = try answer { experiment, run in
            experiment == 2 && run > 5 ? nil : whole(run) + (experiment == 1 ? 0 : 100 + run)
        }
        let comparison = try #require(results.summaries[1].comparisons[.full])
        #expect(comparison.pairs == 6 && comparison.verdict == .better && Comparison.fewestPairs(tests: 2) == 7)
        #expect(answer.enough == .init(size: "20", name: "random"))
        #expect(headline.title == "So far: 20 of 200 images (random) are better than the whole set")
    }

    /// Each of many cases is equal by its own interval, and none by those for all together.
    @Test func equalitiesOfManyCasesHoldTogetherOrAreNone() throws {
        let yaml = """
            runs: 12
            equal_within: 1
            experiments:
              - pruning_method: none
              - {pruning_method: random, sizes: [\((1...18).map { "\(10 * $0)" }.joined(separator: ", "))]}
            """
        func headline(noise: Int) throws -> (headline: Headline, answer: Answer) {
            let results = try results(yaml) { experiment, run in
                whole(run) + (experiment == 1 ? 0 : run % 2 == 0 ? noise : -noise)
            }
            #expect(results.summaries.dropFirst().allSatisfy { $0.comparisons[.full]?.verdict == .equal })
            let section = try #require(ReportSection.sections(of: results).first)
            return (Headline(section), Answer(section))
        }
        let (wide, none) = try headline(noise: 90)
        #expect(none.enough == nil && none.sentences[0].hasPrefix("No part that was tried is shown to lose at most 1"))
        #expect(wide.title == "Not decided: these runs do not tell any smaller set from the whole")
        #expect(
            wide.sentences.contains(
                "Against the whole set, of 18 smaller cases: 18 equal (18 equal only where each is judged on its own).")
        )
        let (narrow, some) = try headline(noise: 60)
        #expect(some.enough?.size == "10" && narrow.title == "10 of 200 images (random) are equal to the whole set")
    }

    @Test func gainsAndIntervalsAcrossZeroHaveWords() throws {
        let (answer, headline, _) = try answer { experiment, run in
            experiment == 1 ? whole(run) : whole(run) + (experiment == 2 ? 50 : run % 2 == 0 ? 30 : -34)
        }
        #expect(headline.title == "20 of 200 images (random) are better than the whole set")
        #expect(
            answer.sentences[0].contains(
                "is 20 of 200 images (10%, random): 0.50 points higher (the same in every run) on"))
        #expect(answer.sentences[1].contains("0.02 points lower (0.23 higher to 0.27 lower)"), "\(answer.sentences[1])")
    }

    @Test func withoutTheWholeSetThereIsNoAnswer() throws {
        #expect(try answer { experiment, run in experiment == 1 ? nil : 9000 + run }.answer.sentences.isEmpty)
    }

    @Test func filesAreThoseThatThereAre() throws {
        #expect(
            ReportPlan.files(hasOverlaps: false, hasPlots: false, sheets: [])
                == "This page needs no other file. Beside it are results.csv (one row per run) and summary.csv (one row per case)."
        )
        #expect(
            ReportPlan.files(hasOverlaps: true, hasPlots: true, sheets: []).hasSuffix(
                ", overlaps.csv (one row per pair of cases of one size) and plots/ (every plot as SVG and PNG)."))
    }
}
