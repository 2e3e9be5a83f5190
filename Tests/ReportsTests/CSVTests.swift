import Studies
import Testing

@testable import Reports

@Suite struct TableReadingTests {
    private static let yaml = """
        runs: 3
        seed: 18446744073709551615
        experiments:
          - {pruning_method: none, learning_rate: 1e-05}
          - {pruning_method: random, sizes: [20, 100], steps: 1000}
          - {pruning_method: cluster, sizes: 20, ks: [3], use_pca: [true, false], pca_components: 4,
             selection_strategies: [closest, hybrid], equal_within: 1.5}
          - {pruning_method: random, sizes: 50, learning_rate: 1e-05}
        """

    /// The columns of these names, all others are of characters.
    private func expect(
        _ table: Table, logical: Set<String>, integer: Set<String>, double: Set<String>, words: Set<String>
    ) {
        for name in table.names {
            let kind = table.kind(name)
            let due: Set<Table.Kind> =
                logical.contains(name)
                ? [.logical]
                : integer.contains(name) ? [.integer] : double.contains(name) ? [.double, .integer] : [.character]
            #expect(due.contains(kind) || table.column(name).allSatisfy(\.isEmpty), "\(name) is \(kind.rawValue)")
            if kind == .character { #expect(words.contains(name), "\(name): \(table.column(name))") }
        }
        #expect(table.rows.joined().allSatisfy { $0 != "nan" && $0 != "inf" && $0 != "null" && $0 != "nil" })
    }

    @Test(arguments: ["toy", "NVIDIA \"H200\", 1 GPU; 3,5 GHz", "two\r\nlines", "größer, 1.000,5"])
    func tablesReadAsRWouldReadThem(device: String) throws {
        let base = try results(Self.yaml, diverged: { $0 == 4 && $1 == 1 ? 3 : nil }) { experiment, run in
            9000 + 100 * experiment + run * run
        }
        let records = base.records.map { record in
            var record = record
            record.device = device
            return record
        }
        let results = StudyResults(plan: base.plan, records: records)
        let runs = try Table(StudyTables.resultsCSV(results))
        #expect(runs.rows.count == results.records.count && runs.column("device").allSatisfy { $0 == device })
        let settings: Set<String> = [
            "dataset_size", "k", "n_closest", "n_furthest", "num_epochs", "batch_size", "steps",
            "pca_components", "experiment_id", "requested",
        ]
        let words: Set<String> = ["pruning_method", "selection_strategy", "dataset", "quota", "balance", "kmeans"]
        expect(
            runs, logical: ["apply_pca"],
            integer: settings.union([
                "run_id", "kept", "correct", "count", "replicas", "clustering", "class_0", "class_1", "diverged",
                "distinct",
            ]),
            double: [
                "accuracy", "time", "learning_rate", "selection_seconds", "training_seconds", "evaluation_seconds",
                "seed", "equal_within", "worst_recall", "recall_0", "recall_1", "recall_2",
            ],
            words: words.union(["device"]))
        for (record, accuracy) in zip(results.records, runs.column("accuracy")) {
            #expect(Double(accuracy) == record.accuracy)
        }
        #expect(
            runs.column("learning_rate").compactMap(Double.init)
                == results.records.map {
                    results.plan.experiment($0.experimentID).recipe.learningRate
                })
        let cases = try Table(StudyTables.summaryCSV(results))
        #expect(cases.rows.count == results.summaries.count)
        let statistics = Set(
            cases.names.filter {
                $0.hasPrefix("diff_") || $0.hasPrefix("p_") || $0.hasPrefix("median_")
                    || ["mean", "sd", "best", "worst_recall"].contains($0)
            })
        expect(
            cases, logical: ["apply_pca"],
            integer: settings.union([
                "count_runs", "count_diverged", "pairs_full", "pairs_random", "runs_to_decide_full",
                "runs_to_decide_random",
            ]),
            double: statistics.union(["learning_rate", "kept", "seed", "equal_within"]),
            words: words.union(["verdict_full", "verdict_random"]))
        #expect(cases.kind("median_accuracy") == .double && cases.kind("p_full") == .double)
    }

    @Test(arguments: ["a,b\n1\n", "a,b\n1,2", "a,a\n1,2\n", "a\n1\r\n", "a\n\"x\"y\n", "a\nx\"y\n", "a b\n1\n", ""])
    func whatIsNoTableIsRefused(text: String) { #expect(throws: Table.Fault.self) { try Table(text) } }

    @Test func typesAreRs() throws {
        let table = try Table("l,i,d,c,g,e\nTrue,1,1e-05,a,\"1,5\",\nFALSE,NA,2.5,1,2,\n,-2147483647,7,2,3,\n")
        #expect(table.names.map(table.kind) == [.logical, .integer, .double, .character, .character, .logical])
        // Thousands and commas make no numbers, and what is wider than an integer is a double.
        #expect(try Table("a\n\"1.000,5\"\n").kind("a") == .character && Table("a\n2147483648\n").kind("a") == .double)
    }
}
