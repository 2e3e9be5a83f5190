import Foundation
import Studies
import Testing

@testable import Reports

@Suite struct DivergedReportTests {
    private static let yaml = """
        runs: 12
        experiments:
          - pruning_method: none
          - {pruning_method: random, sizes: [20, 100]}
        """

    private func headline(_ results: StudyResults) throws -> (title: String, text: String) {
        let headline = Headline(try #require(ReportSection.sections(of: results).first))
        return (headline.title, headline.sentences.joined(separator: "\n"))
    }

    @Test func theHeadlineCallsNothingEqualThatDiverged() throws {
        // Every run is exactly as good as the whole set.
        func title(_ diverged: @escaping (Int, Int) -> Int?) throws -> (title: String, text: String) {
            try headline(results(Self.yaml, diverged: diverged) { _, run in 9800 + run % 3 })
        }
        #expect(try title { _, _ in nil }.title == "20 of 200 images (random) are equal to the whole set")
        let some = try title { experiment, run in experiment == 2 && run == 3 ? 9 : nil }
        #expect(some.title == "100 of 200 images (random) are equal to the whole set")
        #expect(
            some.text.hasPrefix("1 run of 1 case diverged (\u{201C}random, 20\u{201D}): what follows is of the other"))
        #expect(some.text.contains("of 2 smaller cases: 1 equal and 1 diverged."))
        let all = try title { experiment, _ in experiment > 1 ? 1 : nil }
        #expect(all.title == "Every smaller set that was tried had a run that diverged")
        let whole = try title { experiment, run in experiment == 1 && run == 0 ? 1 : nil }
        #expect(whole.title == "Runs on the whole set diverged, so nothing can be compared with it")
        #expect(whole.text.contains("2 not decided") && !whole.text.contains("10,000"))
        let mixed = try headline(
            results(Self.yaml, diverged: { experiment, _ in experiment == 2 ? 4 : nil }) { experiment, run in
                experiment == 1 ? 9800 + run % 3 : 9000 + run
            })
        #expect(
            mixed.title == "No smaller set is shown to be as good as the whole; 1 of 2 cases had a run that diverged")
    }

    @Test func tablesHaveTheStepAndTheCountLast() throws {
        let results = try results(Self.yaml, diverged: { $0 == 2 && $1 < 2 ? $1 + 5 : $0 == 3 ? 1 : nil }) { _, run in
            9800 + run
        }
        let runs = try Table(StudyTables.resultsCSV(results))
        #expect(runs.names.suffix(6) == ["diverged", "distinct", "worst_recall", "recall_0", "recall_1", "recall_2"])
        #expect(runs.column("worst_recall")[11...14] == ["98.11", "", "", "98.02"])
        #expect(runs.column("recall_2")[11...14] == ["99.5", "", "", "99.5"])
        #expect(Array(runs.column("diverged").prefix(16)) == [String](repeating: "", count: 12) + ["5", "6", "", ""])
        #expect(runs.column("accuracy")[11...14] == ["98.11", "", "", "98.02"])
        #expect(runs.column("correct")[12...14] == ["", "", "9802"])
        let cases = try Table(StudyTables.summaryCSV(results))
        #expect(
            cases.names.suffix(2) == ["count_diverged", "worst_recall"]
                && cases.column("count_diverged") == ["0", "2", "12"])
        #expect(cases.column("worst_recall") == ["98.055", "98.065", ""])
        #expect(cases.column("count_runs") == ["12", "12", "12"])
        #expect(cases.column("median_accuracy") == ["98.055", "98.065", ""])
        #expect(cases.column("verdict_full") == ["", "diverged", "diverged"])
        #expect(cases.column("pairs_full") == ["", "10", "0"] && cases.column("p_full") == ["", "1", ""])
        for text in [StudyText.summary(results), StudyText.markdown(results)] {
            #expect(text.contains("12 (2 diverged)") && text.contains("12 (12 diverged)"))
            #expect(text.contains("0.00 [0.00, 0.00] diverged") && text.contains("14 runs of 2 cases diverged"))
        }
    }

    /// Cases that have no accuracy at all are in the tables and in no picture.
    @Test(arguments: [[3], [1], [1, 2, 3], [2, 4], [1, 2, 3, 4]])
    func aPageIsMadeWhateverDiverged(experiments: [Int]) async throws {
        let study = try ToyStudy(
            """
            runs: 3
            experiments:
              - pruning_method: none
              - {pruning_method: random, sizes: 20}
              - {pruning_method: cluster, sizes: 20, ks: [3, 4], selection_strategies: closest, use_pca: false}
            """, diverges: { experiments.contains($0.experimentID) ? 2 : nil }, correct: ToyStudy.plausible)
        let (page, notices) = try await study.report(gnuplot: hasGnuplot)
        #expect(notices.count == (hasGnuplot || experiments.count == 4 ? 0 : 1), "\(notices)")
        #expect(page.components(separatedBy: "<small>(3 diverged)</small>").count == 1 + experiments.count)
        #expect(page.contains("Not pictured, since every run diverged: ") && page.contains(" diverged ("))
        #expect(!page.lowercased().contains(">nan") && !page.contains("nan%"))
        if hasGnuplot {
            #expect(try study.names("plots").contains("runs.svg") == (experiments.count < 4))
        }
    }
}

@Suite struct CaseNameTests {
    /// Entries that differ in one setting alone, for each setting that there is.
    @Test(arguments: [
        "pruning_method: random, sizes: 20|learning_rate: 0.1", "pruning_method: none|learning_rate: 1e-5",
        "pruning_method: random, sizes: 20|batch_size: 8", "pruning_method: random, sizes: 20|epochs: 7",
        "pruning_method: random, sizes: 20|steps: 5", "pruning_method: random, sizes: 20|seed: 9",
        "pruning_method: random, sizes: 20|dataset: other", "pruning_method: random, sizes: 20|balance: class",
        "pruning_method: random, sizes: 20|runs: 3", "pruning_method: random, sizes: 20|equal_within: 0.5",
        "pruning_method: none|equal_within: 0.5", "pruning_method: none|runs: 9", "pruning_method: random, sizes: 20|",
        "pruning_method: random, sizes: 20|kmeans: lloyd",
        "CLUSTER|quota: article", "CLUSTER|kmeans: lloyd", "CLUSTER|pca_components: 5", "CLUSTER|use_pca: false",
        "CLUSTER|clustering_seeds: 1", "CLUSTER|equal_within: 0.5", "CLUSTER|n_closest: 3", "CLUSTER|n_furthest: 0",
        "CLUSTER|ks: 4",
        "CLUSTER|selection_strategies: random", "CLUSTER|balance: class", "CLUSTER|runs: 3", "CLUSTER|seed: 4",
        "CLUSTER|", "pruning_method: score, scores: k-center, sizes: 20, embedding: lenet5|clustering_seeds: 1",
    ])
    func casesThatDifferInOneSettingHaveNamesOfTheirOwn(text: String) throws {
        let cluster =
            "pruning_method: cluster, sizes: 20, ks: 3, selection_strategies: hybrid, use_pca: true, pca_components: 4"
        let parts = text.replacing("CLUSTER", with: cluster).split(separator: "|", omittingEmptySubsequences: false)
        var second = "\(parts[0]), \(parts[1])"
        if let key = parts[1].split(separator: ":").first, parts[0].contains(", \(key):") {
            second =
                parts[0].split(separator: ", ").filter { !$0.hasPrefix("\(key):") }.joined(separator: ", ")
                + ", \(parts[1])"
        }
        let results = try results("{runs: 2, experiments: [{\(parts[0])}, {\(second)}]}") { _, run in 9000 + run }
        let names = CaseNames(results.plan)
        let labels = results.plan.experiments.map(names.label)
        #expect(Set(labels).count == 2, "\(labels)")
        // Everywhere else too; the report's sections tell what their cases do not.
        for table in [StudyText.plan(results.plan), StudyText.summary(results), StudyText.markdown(results)] {
            for experiment in results.plan.experiments { #expect(table.contains(names.name(experiment))) }
        }
        let sections = ReportSection.sections(of: results)
        #expect(Set(sections.flatMap { section in section.cases.map { "\(section.title)|\($0.label)" } }).count == 2)
        let charts = sections.flatMap { SizeCharts.accuracyAgainstSize($0, most: 4).charts.map(\.name) }
        #expect(sections.count > 1 || Set(charts).count == charts.count)
    }

    @Test func fiveLearningRatesAreFiveNames() throws {
        let entries = ["0.001", "0.01", "0.1", "1e-5", "1e30"].map {
            "{pruning_method: random, sizes: 60, learning_rate: \($0)}"
        }
        let results = try results("experiments: [\(entries.joined(separator: ", "))]") { _, run in 9000 + run }
        let names = CaseNames(results.plan)
        #expect(
            results.plan.experiments.map(names.name) == [
                "random, learning rate 0.001", "random, learning rate 0.01", "random, learning rate 0.1",
                "random, learning rate 1e-05", "random, learning rate 1e+30",
            ])
    }
}

@Suite struct RepeatTests {
    @Test(
        arguments: [
            ("mnist", [:], "coppice run study.yaml"), ("other", [:], "coppice run study.yaml --data DIR"),
            ("mnist", ["data": "/data/mine"], "coppice run study.yaml --data /data/mine"),
            (
                "mnist", ["data": "/my data/it's \"$HOME\"", "option_device": "gpu", "option_profile": "gpu64"],
                "coppice run study.yaml --data '/my data/it'\\''s \"$HOME\"' --device gpu --profile gpu64"
            ),
            (
                "mnist", ["option_device": "gpu", "option_devices": "2", "option_mix_devices": "true"],
                "coppice run study.yaml --device gpu --devices 2 --mix-devices"
            ),
        ] as [(String, [String: String], String)])
    func theCommandNamesTheData(dataset: String, session: [String: String], command: String) async throws {
        let study = try ToyStudy(
            "{runs: 1, dataset: \(dataset), experiments: [{pruning_method: none}]}", session: session,
            correct: ToyStudy.plausible)
        let page = try await study.report(gnuplot: false).page
        #expect(page.contains("then<code class=\"command\">\(Wording.escaped(command))</code>"))
    }

    @Test(arguments: [
        "plain", "", "a b", "it's", "$(id)", "`id`", "a\"b", "a\\b", "*", "~", "a\nb", "-x", "größer", "!", "a;b",
        "a'\u{301}; false",
    ])
    func aShellReadsQuotedWordsBack(word: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "printf '%s|' " + Shell.command([word, "x"])]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(text == "\(word)|x|")
    }
}
