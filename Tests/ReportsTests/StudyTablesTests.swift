import Foundation
import Pruning
import Reports
import Studies
import Testing

/// A plan of every kind of experiment on a set of 200, and records with known figures; those of one experiment are left out.
private func results(_ yaml: String = everything, device: String = "device") throws -> StudyResults {
    let plan = try StudyPlan(
        StudyReader(file: "test.yaml").read(yaml), shapes: ["mnist": DatasetShape(count: 200, featureCount: 16)])
    let records = plan.runs.filter { $0.experimentID != 3 }.map { run in
        RunRecord(
            experimentID: run.experimentID, runID: run.runID,
            outcome: TrainingOutcome(
                correct: 9000 + 10 * run.experimentID + run.run * run.run, count: 10_000,
                recall: [90, nil, 80.5 + Double(run.run)], trainingSeconds: 1.25,
                evaluationSeconds: 0.5, replicas: 3),
            selectionSeconds: 0.0625 * Double(run.runID), requested: plan.experiment(run.experimentID).size, kept: 20,
            perClass: [12, 8], device: device)
    }
    return StudyResults(plan: plan, records: records.reversed())
}

private let everything = """
    runs: 4
    experiments:
      - {pruning_method: none, epochs: 2}
      - {pruning_method: random, sizes: [20, 100], steps: 9}
      - {pruning_method: cluster, sizes: 20, ks: 3, selection_strategies: [closest, hybrid], use_pca: true,
         pca_components: 8, n_furthest: 2, learning_rate: 1e-05}
    """

/// The fields of every line; enough for tables whose fields hold no quotes.
private func rowsOf(_ csv: String) -> [[String: String]] {
    let lines = csv.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    return lines.dropFirst().map { fields in
        Dictionary(uniqueKeysWithValues: zip(lines[0], fields).map { (String($0), String($1)) })
    }
}

@Suite struct StudyTablesTests {
    @Test func resultsBeginWithTheArticlesColumns() throws {
        let csv = StudyTables.resultsCSV(try results())
        let header = csv.prefix { $0 != "\n" }
        #expect(
            header.hasPrefix(
                "run_id,accuracy,time,pruning_method,dataset_size,selection_strategy,apply_pca,k,n_closest,n_furthest,"
                    + "num_epochs,batch_size,learning_rate,experiment_id,"))
        let names = Set(header.split(separator: ",").map(String.init))
        #expect(
            names.isSuperset(of: [
                "selection_seconds", "training_seconds", "evaluation_seconds", "replicas", "requested", "kept",
                "device",
                "class_0", "class_1",
            ]))
        #expect(!names.contains("class_2"))
        #expect(names.count == header.split(separator: ",").count)
    }

    @Test func resultsHaveOneRowARunInOrder() throws {
        let rows = rowsOf(StudyTables.resultsCSV(try results()))
        #expect(rows.count == 16)
        #expect(rows.map { $0["experiment_id"] } == ["1", "2", "4", "5"].flatMap { [$0, $0, $0, $0] })
        #expect(rows.map { $0["run_id"] } == (0..<4).flatMap { _ in ["1", "2", "3", "4"] })
        let none = rows[1]
        #expect(none["pruning_method"] == "none" && none["dataset_size"] == "200" && none["num_epochs"] == "2")
        #expect(none["accuracy"] == "90.11" && none["time"] == "1.875" && none["selection_seconds"] == "0.125")
        for key in ["selection_strategy", "apply_pca", "k", "n_closest", "n_furthest", "steps", "quota", "clustering"] {
            #expect(none[key] == "")
        }
        let random = rows[4]
        #expect(random["num_epochs"] == "" && random["steps"] == "9" && random["balance"] == "none")
        let closest = rows[8]
        #expect(closest["selection_strategy"] == "closest" && closest["apply_pca"] == "True" && closest["k"] == "3")
        #expect(closest["n_closest"] == "" && closest["learning_rate"] == "1e-05" && closest["pca_components"] == "8")
        let hybrid = rows[14]
        #expect(hybrid["n_closest"] == "1" && hybrid["n_furthest"] == "2" && hybrid["clustering"] == "2")
        #expect(hybrid["class_0"] == "12" && hybrid["class_1"] == "8" && hybrid["quota"] == "exact")
    }

    @Test func recallsAndWhatWasSeenComeLast() throws {
        let csv = StudyTables.resultsCSV(try results())
        #expect(csv.prefix { $0 != "\n" }.hasSuffix(",diverged,distinct,worst_recall,recall_0,recall_1,recall_2"))
        let rows = rowsOf(csv)
        #expect(rows[1]["worst_recall"] == "81.5" && rows[1]["recall_0"] == "90" && rows[1]["recall_2"] == "81.5")
        #expect(rows.allSatisfy { $0["recall_1"] == "" && $0["distinct"] == "20" })
        let summary = StudyTables.summaryCSV(try results())
        #expect(summary.prefix { $0 != "\n" }.hasSuffix(",count_diverged,worst_recall"))
        #expect(rowsOf(summary)[0]["worst_recall"] == "82")
        // Three batches of 64 of 200 samples; all of them in the fourth, and in an epoch.
        var recipe = TrainingRecipe()
        #expect(recipe.distinct(kept: 200) == 200)
        recipe.duration = .steps(3)
        #expect(recipe.distinct(kept: 200) == 192)
        recipe.duration = .steps(4)
        #expect(recipe.distinct(kept: 200) == 200)
    }

    @Test func summariesKeepEveryMethod() throws {
        let rows = rowsOf(StudyTables.summaryCSV(try results()))
        #expect(rows.map { $0["pruning_method"] } == ["none", "random", "cluster", "cluster"])
        #expect(rows.map { $0["dataset_size"] } == ["200", "20", "20", "20"])
        // Accuracies 90.10, 90.11, 90.14, 90.19.
        #expect(rows[0]["median_accuracy"] == "90.125" && rows[0]["mean"] == "90.135" && rows[0]["best"] == "90.19")
        #expect(rows[0]["sd"] == "0.040415" && rows[0]["count_runs"] == "4" && rows[0]["median_time"] == "1.90625")
        #expect(rows[3]["n_furthest"] == "2" && rows[3]["requested"] == "20" && rows[3]["kept"] == "20")
        let header = StudyTables.summaryCSV(try results()).prefix { $0 != "\n" }
        #expect(
            header.hasPrefix(
                "pruning_method,dataset_size,selection_strategy,apply_pca,k,n_closest,n_furthest,num_epochs,batch_size,"
                    + "learning_rate,median_accuracy,median_time,count_runs,mean,sd,best,"))
    }

    @Test func summariesHoldIntervalsAndComparisons() throws {
        let compared = try results(
            "{runs: 4, experiments: [{pruning_method: none}, {pruning_method: random, sizes: 20},"
                + " {pruning_method: cluster, sizes: [20], ks: 3, selection_strategies: [closest, random]}]}")
        let csv = StudyTables.summaryCSV(compared)
        #expect(
            csv.prefix { $0 != "\n" }.contains(
                ",best,median_low,median_high,diff_full,diff_full_low,diff_full_high,p_full,p_full_holm,verdict_full,"))
        let rows = rowsOf(csv)
        #expect(rows[0]["diff_full"] == "" && rows[0]["verdict_full"] == "" && rows[1]["diff_random"] == "")
        // Every run differs by the same: no spread, and the least p-value that four pairs can give.
        #expect(rows[1]["diff_full"] == "0.1" && rows[1]["p_full"] == "0.125" && rows[1]["p_full_holm"] == "0.25")
        #expect(rows[1]["verdict_full"] == "equal" && rows[1]["median_low"] == "90.2")
    }

    @Test func aSingleRunHasNoDeviation() throws {
        let single = try results("{runs: 1, experiments: [{pruning_method: none}]}")
        let row = try #require(rowsOf(StudyTables.summaryCSV(single)).first)
        #expect(row["sd"] == "" && row["mean"] == "90.1" && row["count_runs"] == "1")
    }

    @Test func tablesAreWrittenWhole() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let results = try results(device: "NVIDIA \"H200\", 1 GPU")
        try StudyTables.write(results, to: directory)
        try StudyTables.write(results, to: directory)
        let text = try String(contentsOfFile: directory + "/results.csv", encoding: .utf8)
        #expect(text == StudyTables.resultsCSV(results))
        #expect(text.contains(",\"NVIDIA \"\"H200\"\", 1 GPU\","))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory).sorted() == ["results.csv", "summary.csv"])
    }

    @Test func aDirectoryThatIsNotThereIsAnError() throws {
        do {
            try StudyTables.write(try results(), to: "/none/at/all")
            Issue.record("written into nowhere")
        } catch let error as StudyError {
            #expect(error.category == .cannotCreate)
        }
    }

    @Test(arguments: [
        ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"a\"", "\"say \"\"a\"\"\""), ("two\nlines", "\"two\nlines\""),
        ("two\r\nlines", "\"two\r\nlines\""), ("", ""), ("bl ank", "bl ank"),
    ])
    func fieldsAreQuotedWhereTheyMustBe(text: String, field: String) {
        #expect(CSV.field(text) == field)
        #expect(CSV.line([text, "x"]) == field + ",x\n")
    }
}

@Suite struct StudyTextTests {
    @Test func aPlanSaysHowMuchThereIsToDo() throws {
        let text = StudyText.plan(try results().plan)
        #expect(
            text == """
                #  case                                                   size  runs
                1  whole set, 2 epochs, learning rate 0.001                200     4
                2  random, 9 steps, learning rate 0.001                     20     4
                3  random, 9 steps, learning rate 0.001                    100     4
                4  closest, k 3, PCA 8, 5 epochs, learning rate 1e-05       20     4
                5  hybrid 1:2, k 3, PCA 8, 5 epochs, learning rate 1e-05    20     4
                5 experiments, 20 runs, 4 distinct clusterings, 4,976 images to train on

                """)
    }

    @Test func aSummaryHasALineACase() throws {
        let text = StudyText.summary(try results())
        #expect(
            text == """
                case                                                   requested  kept  median %  95% interval  best %  runs  seconds
                whole set, 2 epochs, learning rate 0.001                     200    20     90.13   90.10-90.19   90.19     4     1.91
                random, 9 steps, learning rate 0.001                          20    20     90.23   90.20-90.29   90.29     4     1.91
                closest, k 3, PCA 8, 5 epochs, learning rate 1e-05            20    20     90.43   90.40-90.49   90.49     4     1.91
                hybrid 1:2, k 3, PCA 8, 5 epochs, learning rate 1e-05         20    20     90.53   90.50-90.59   90.59     4     1.91
                note: 3 cases have no finished run of the whole set with the same settings to compare with
                note: 2 cases have no finished run of random samples of the same size with the same settings to compare with

                """)
    }

    @Test func aSingleRunShowsADashForItsInterval() throws {
        let text = StudyText.summary(try results("{runs: 1, experiments: [{pruning_method: none}]}"))
        #expect(text.contains("90.10             -   90.10     1"))
    }

    @Test func comparisonsStandBesideTheirCases() throws {
        let text = StudyText.summary(
            try results(
                "{runs: 4, experiments: [{pruning_method: none}, {pruning_method: random, sizes: 20},"
                    + " {pruning_method: cluster, sizes: [20], ks: 3, selection_strategies: [closest, random]}]}"))
        let lines = text.split(separator: "\n").map(String.init)
        #expect(
            lines[0].hasSuffix("runs  seconds  against the whole set                                  against random"))
        #expect(lines[1].hasSuffix("4     1.91"))
        #expect(lines[2].hasSuffix("1.91  +0.10 [+0.10, +0.10] equal"))
        #expect(
            lines[3].hasSuffix(
                "+0.30 [+0.30, +0.30] not decided (about 7 runs would)  +0.20 [+0.20, +0.20] not decided (about 6 runs would)"
            ))
        #expect(lines[4].hasPrefix("note: against the whole set: 4 runs cannot give a p-value below 0.125"))
        #expect(lines.count == 6)
    }

    @Test func markdownHasTheSameFigures() throws {
        let lines = StudyText.markdown(
            try results(
                "{runs: 4, experiments: [{pruning_method: none}, {pruning_method: cluster, sizes: 20, ks: 3,"
                    + " selection_strategies: closest}]}")
        ).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(
            lines[0]
                == "| case | size | kept | median % | 95% interval | runs | against the whole set | against random |")
        #expect(lines[1] == "| --- | --- | --- | --- | --- | --- | --- | --- |")
        #expect(lines[2] == "| whole set | 200 | 20 | 90.13 | 90.10-90.19 | 4 |  |  |")
        #expect(
            lines[3] == "| closest, k 3, pixels | 20 | 20 | 90.23 | 90.20-90.29 | 4 | +0.10 [+0.10, +0.10] equal |  |")
        #expect(lines[4] == "" && lines[5].hasPrefix("- against the whole set: 4 runs cannot"))
    }
}
