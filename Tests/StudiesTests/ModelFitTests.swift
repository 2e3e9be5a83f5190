import Datasets
import Foundation
import Studies
import Testing

/// Models and augmentations are checked against the data before anything of a study is computed.
@Suite struct ModelFitTests {
    private static let images = DatasetShape(
        count: 200, featureCount: 3 * 9 * 12, classCount: 10, sample: SampleShape(channels: 3, height: 9, width: 12))

    private func refusal(_ yaml: String, _ shape: DatasetShape = images) throws -> String {
        let study = try StudyReader(file: "s.yaml", acceptsAnyDataset: true).read(yaml)
        let shapes = Dictionary(uniqueKeysWithValues: study.datasets.map { ($0, shape) })
        do {
            _ = try StudyPlan(study, shapes: shapes)
            return ""
        } catch {
            #expect(error.category == .badData)
            return error.description
        }
    }

    /// The entry that is wrong is not the first one.
    @Test func aModelThatDoesNotFitIsRefusedWithItsEntry() throws {
        let conv = "{name: mine, layers: [conv: {out: 4, kernel: 3}, max_pool: 8, flatten, linear: classes]}"
        let yaml = """
            experiments:
              - {pruning_method: none}
              - {pruning_method: random, sizes: [5, 10], model: \(conv)}
            """
        let shape = "(the samples of mnist are 3x9x12)"
        #expect(
            try refusal(yaml)
                == "s.yaml:3:53: mine: layer 2 (max_pool) has windows of 8x8, which do not fit into 4x7x10 \(shape)")
        // For a key above all entries, the error names the place of the entry.
        #expect(
            try refusal("model: \(conv)\nexperiments:\n  - {pruning_method: none}").hasPrefix(
                "s.yaml:3:5: mine: layer 2 (max_pool)"))
        #expect(
            try refusal(
                "experiments: [{pruning_method: none, model: {name: m, layers: [flatten, linear: 7]}}]"
            ) == "s.yaml:1:45: m ends in linear: 7; linear: classes is needed, or linear: 10 for 10 classes \(shape)")
        #expect(
            try refusal("experiments: [{pruning_method: none, model: {name: m, layers: [linear: classes]}}]").contains(
                "m: layer 1 (linear) takes a vector, not 3x9x12; put flatten before it"))
        // Models that fit are planned, also for data of which only the extents are known.
        #expect(try refusal("experiments: [{pruning_method: none}, {pruning_method: none, model: mlp}]").isEmpty)
        #expect(try refusal(yaml, DatasetShape(count: 200, featureCount: 324, classCount: 10)).isEmpty)
    }

    @Test func aModelOfAListIsRefusedWithItsOwnPlace() throws {
        let conv = "{name: mine, layers: [conv: {out: 4, kernel: 3}, max_pool: 8, flatten, linear: classes]}"
        let fault = "mine: layer 2 (max_pool)"
        let above = "model:\n  - linear\n  - \(conv)\nexperiments:\n  - {pruning_method: none}"
        #expect(try refusal(above).hasPrefix("s.yaml:3:5: \(fault)"))
        let entry = "experiments:\n  - pruning_method: none\n    model:\n      - linear\n      - \(conv)"
        #expect(try refusal(entry).hasPrefix("s.yaml:5:9: \(fault)"))
        let scores = "experiments: [{pruning_method: score, scores: el2n, sizes: 20}]"
        for list in ["[mlp,\n  \(conv)]", "[\n  \(conv)]"] {
            let text = "model: linear\nscore_model: \(list)\n\(scores)"
            #expect(try refusal(text).hasPrefix("s.yaml:3:3: \(fault)"), "\(list)")
        }
    }

    @Test func aShiftThatLeavesNothingIsRefused() throws {
        func yaml(_ model: String, _ shift: Int) -> String {
            "experiments: [{pruning_method: none}, {pruning_method: none, model: \(model), augment: {shift: \(shift)}}]"
        }
        let text = try refusal(yaml("linear", 9))
        #expect(
            text == "s.yaml:1:86: a shift of 9 is too large for images of 9x12; from 0 to 8 is accepted"
                + " (the samples of mnist are 3x9x12)", "\(text)")
        #expect(try refusal(yaml("linear", 8)).isEmpty)
        // LeNet's images are 32x32 by then.
        #expect(try refusal(yaml("lenet5", 31)).isEmpty)
        #expect(try refusal(yaml("lenet5", 32)).contains("a shift of 32 is too large for images of 32x32"))
    }

    @Test func batchesOfOneSampleAreRefusedWhereABatchHasNoVariance() throws {
        let model = "model: {name: m, layers: [flatten, linear: 5, batch_norm, linear: classes]}"
        let one = try refusal("{\(model), experiments: [{pruning_method: random, sizes: [9, 1]}]}")
        #expect(one.hasPrefix("s.yaml:1:125: layer 3 of m (batch_norm)"), "\(one)")
        let batch = try refusal("{\(model), experiments: [{pruning_method: random, sizes: 9, batch_size: 1}]}")
        #expect(batch.hasPrefix("s.yaml:1:140: layer 3 of m (batch_norm)"), "\(batch)")
        #expect(try refusal("{\(model), experiments: [{pruning_method: random, sizes: 9, batch_size: 8}]}").isEmpty)
    }

    @Test func noEpochsAreRefusedWithTheirPlace() {
        for (yaml, place) in [
            ("{epochs: 0, experiments: [{pruning_method: none}]}", "s.yaml:1:10: epochs is 0"),
            ("experiments: [{pruning_method: none, epochs: 0}]", "s.yaml:1:46: epochs is 0"),
        ] {
            let error = studyError { _ = try StudyReader(file: "s.yaml").read(yaml) }
            #expect(
                error?.category == .badData && error?.description.hasPrefix(place) == true,
                "\(String(describing: error))")
        }
    }
}

/// Files left behind by a killed session.
@Suite struct UnfinishedFileTests {
    @Test func theNextSessionRemovesWhatAKilledOneWasWriting() throws {
        let temporary = try TemporaryDirectory()
        let yaml = "{runs: 2, experiments: [{pruning_method: cluster, sizes: 5, ks: 3, selection_strategies: closest}]}"
        func run(_ runs: Int) throws {
            _ = try StudyRunner(
                study(yaml).overriding(runs: runs), directory: temporary.results, executor: FakeExecutor()
            ).run()
        }
        try run(2)
        let files = FileManager.default
        let clustering = try #require(
            files.enumerator(atPath: temporary.results + "/clusterings")?.compactMap { $0 as? String }
                .first { $0.hasSuffix(".npy") })
        let left = [
            "environment.json.123-456.tmp", "study.yaml.1-2.tmp", "selections/experiment1-run3.npy.77-4294967295.tmp",
            "clusterings/\(clustering).5-6.tmp",
        ]
        // A table may belong to another process for a minute.
        let kept = ["mine.tmp", "notes.txt.1-2.tmp", "selections/kept.tmp", "results.csv.1-2.tmp"]
        for name in left + kept {
            #expect(files.createFile(atPath: "\(temporary.results)/\(name)", contents: Data([1])))
        }
        let old = "summary.csv.1-2.tmp"
        #expect(
            files.createFile(
                atPath: "\(temporary.results)/\(old)", contents: Data([1]),
                attributes: [.modificationDate: Date(timeIntervalSinceNow: -300)]))
        try run(3)
        for name in left + [old] { #expect(!files.fileExists(atPath: "\(temporary.results)/\(name)"), "\(name)") }
        for name in kept { #expect(files.fileExists(atPath: "\(temporary.results)/\(name)"), "\(name)") }
    }
}
