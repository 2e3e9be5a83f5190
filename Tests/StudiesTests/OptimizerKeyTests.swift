import Datasets
import Foundation
import Networks
import Scoring
import Testing

@testable import Studies

@Suite struct OptimizerKeyTests {
    private func study(_ yaml: String) throws -> Study {
        try StudyReader(file: "study.yaml", acceptsAnyDataset: true).read(yaml)
    }

    private func recipes(_ yaml: String) throws -> [TrainingRecipe] { try study(yaml).groups.map(\.settings.recipe) }

    private func refusal(_ yaml: String) -> String {
        let error = #expect(throws: StudyError.self) { try study(yaml) }
        return error?.description ?? ""
    }

    @Test func everyKeyIsReadAtTheTopAndInAnEntry() throws {
        let recipes = try recipes(
            """
            optimizer: sgd
            momentum: 0.9
            schedule: cosine
            augment: {shift: 4, flip: true}
            experiments:
              - {pruning_method: none}
              - {pruning_method: none, momentum: 0, weight_decay: 5.0e-4, schedule: constant, augment: {shift: 0}}
              - {pruning_method: none, optimizer: adamw, momentum: 0, augment: {flip: true}}
            """)
        #expect(recipes[0].optimizer == Optimizer(.sgd, momentum: 0.9))
        #expect(recipes[0].schedule == .cosine && recipes[0].augment == Augment(shift: 4, flip: true))
        #expect(recipes[1].optimizer == Optimizer(.sgd, weightDecay: 0.0005))
        #expect(recipes[1].schedule == .constant && recipes[1].augment == nil)
        #expect(recipes[2].optimizer == Optimizer(.adamw, weightDecay: 0.01))
        #expect(recipes[2].augment == Augment(flip: true))
        let options = recipes[0].options(.steps(7))
        #expect(
            options
                == TrainingOptions(
                    length: .steps(7), optimizer: Optimizer(.sgd, momentum: 0.9), schedule: .cosine,
                    augment: Augment(shift: 4, flip: true)))
        // A decay that is given stays with another optimizer; PyTorch's own one does not.
        let decays = try self.recipes(
            "{weight_decay: 0, experiments: [{pruning_method: none}, {pruning_method: none, optimizer: adamw}]}")
        #expect(decays.map(\.optimizer.weightDecay) == [0, 0])
    }

    /// What is written reads back as the same study; a study without these keys is written as it always was.
    @Test(arguments: [
        "{optimizer: adamw, experiments: [{pruning_method: none}]}",
        "{optimizer: adamw, weight_decay: 0, experiments: [{pruning_method: none}]}",
        "{weight_decay: 1.0e-5, experiments: [{pruning_method: none}, {pruning_method: none, optimizer: adamw}]}",
        "{optimizer: sgd, momentum: 0.9, experiments: [{pruning_method: none}, {pruning_method: none, momentum: 0}]}",
        "{schedule: cosine, augment: {shift: 2}, experiments: [{pruning_method: none}, {pruning_method: none, augment: {flip: yes}}]}",
        "{augment: {shift: 4, flip: true}, experiments: [{pruning_method: none}, {pruning_method: none, augment: {}}]}",
    ]) func whatIsWrittenReadsBack(yaml: String) throws {
        let study = try study(yaml)
        let again = try self.study(study.yaml)
        #expect(again == study.resolved, "\(study.yaml)")
        #expect(again.yaml == study.yaml)
    }

    @Test func plainStudiesAreWrittenAsBefore() throws {
        let plain = try study("experiments: [{pruning_method: none}]").yaml
        let written = try study(
            "{optimizer: adam, momentum: 0, weight_decay: 0, schedule: constant, augment: {}, experiments: [{pruning_method: none}]}"
        ).yaml
        #expect(plain == written)
        for key in TrainingRecipe.optimizerColumns { #expect(!plain.contains(key)) }
    }

    @Test func mistakesAreRefusedWithTheirPlace() {
        for (keys, words) in [
            (
                "momentum: 0.9",
                ":1:12: momentum is for the optimizer sgd, which no entry has; momentum: 0, or optimizer: sgd, is accepted"
            ),
            ("optimizer: sgd, momentum: 1", "momentum is 1; from 0 to below 1 is accepted"),
            ("weight_decay: -1", ":1:16: weight_decay is -1; from 0 to 1 is accepted"),
            ("optimizer: adagrad", "unknown optimizer adagrad; the nearest known one is ada"),
            ("schedule: cosin", "unknown schedule cosin; the nearest known one is cosine (constant, cosine are known)"),
            ("augment: 4", "augment must be a mapping with keys, shift for one, not \"4\""),
            ("augment: {shift: 128}", "shift is 128"),
            ("augment: {shift: -1}", "shift is -1"),
            ("augment: {flips: true}", "unknown key flips; the nearest known one is flip"),
            ("augment: {flip: 1}", "flip is 1; true or false is needed"),
        ] {
            let text = refusal("{\(keys), experiments: [{pruning_method: none}]}")
            #expect(text.hasPrefix("study.yaml:1:") && text.contains(words), "\(text)")
        }
    }

    /// A momentum above all entries is for those that train by SGD, as every setting there may be for some alone.
    @Test func aMomentumAboveIsForEntriesThatHaveIt() throws {
        let some =
            "{pruning_method: none, optimizer: sgd}, {pruning_method: none}, {pruning_method: none, optimizer: adamw}"
        let yaml = "{momentum: 0.9, experiments: [\(some)]}"
        #expect(
            try recipes(yaml).map(\.optimizer) == [Optimizer(.sgd, momentum: 0.9), Optimizer(), Optimizer(.adamw)])
        #expect(try study(study(yaml).yaml) == study(yaml).resolved)
        let above = "optimizer: sgd, momentum: 0.9, experiments: [{pruning_method: none, optimizer: adam}"
        #expect(try recipes("{\(above), {pruning_method: none}]}").map(\.optimizer.momentum) == [0, 0.9])
        #expect(
            refusal("{\(above)]}").hasPrefix("study.yaml:1:28: momentum is for the optimizer sgd, which no entry has"))
        let own = refusal("{optimizer: sgd, experiments: [{pruning_method: none, optimizer: adam, momentum: 0.5}]}")
        #expect(own.hasPrefix("study.yaml:1:82: momentum is for the optimizer sgd, and adam has none"), "\(own)")
    }

    @Test func featuresAreNotAugmented() throws {
        let study = try study(
            "{dataset: features, model: linear, augment: {flip: true}, experiments: [{pruning_method: none}]}")
        let error = #expect(throws: StudyError.self) {
            try StudyPlan(study, shapes: ["features": DatasetShape(count: 100, featureCount: 7)])
        }
        #expect(
            error?.description.contains(
                "augment is {shift: 0, flip: true}, and the data set features has features: only images are augmented")
                == true, "\(error?.description ?? "")")
    }

    /// Runs that train otherwise are no pairs, share no launch, no score networks and no tuning.
    @Test func otherTrainingsAreOtherIdentities() throws {
        let all = try recipes(
            """
            experiments:
              - {pruning_method: none}
              - {pruning_method: none, optimizer: sgd}
              - {pruning_method: none, optimizer: sgd, momentum: 0.5}
              - {pruning_method: none, weight_decay: 0.1}
              - {pruning_method: none, optimizer: adamw}
              - {pruning_method: none, schedule: cosine}
              - {pruning_method: none, augment: {shift: 1}}
              - {pruning_method: none, augment: {flip: true}}
            """)
        #expect(Set(all.map { Pairing(recipe: $0, seed: 1) }).count == all.count)
        #expect(Set(all.map { LaunchGroup(recipe: $0, size: 1) }).count == all.count)
        #expect(Set(all.map(\.optimizerWords)).count == all.count && all[0].optimizerWords.isEmpty)
        let keys = all.map { DynamicsKey($0, networks: 2, epochs: 3, seed: 1, index: 0) }
        #expect(Set(keys).count == all.count && Set(keys.map(\.fileName)).count == all.count)
        #expect(keys[0].fileName == "mnist-lenet5-2x3-batch64-rate0.001-seed1-0")
        for (key, recipe) in zip(keys, all) { #expect(key.recipe.options() == recipe.options()) }
        // Directories from before there were other models have the library's by name, and nothing of optimizers.
        let former = """
            {"dataset": "mnist", "model": "lenet5", "networks": 2, "epochs": 3, "batchSize": 64, "learningRate": 0.001, "seed": 1,
            "index": 0}
            """
        #expect(try JSONDecoder().decode(DynamicsKey.self, from: Data(former.utf8)) == keys[0])
        let coded = String(decoding: try JSONEncoder().encode(keys[0]), as: UTF8.self)
        #expect(coded.contains("\"model\":\"lenet5\"") && !coded.contains("optimizer"))
        var own = all[0]
        own.model = ModelSpec(name: "own", layers: [.flatten, .linear(.classes)])
        let ownKey = DynamicsKey(own, networks: 2, epochs: 3, seed: 1, index: 0)
        #expect(try JSONDecoder().decode(DynamicsKey.self, from: JSONEncoder().encode(ownKey)) == ownKey)
        #expect(all[2].optimizerText == "sgd, momentum 0.5" && all[4].optimizerText == "adamw, weight decay 0.01")
        #expect(all[6].augmentText == "images moved by up to 1 pixel" && all[7].augmentText == "images mirrored")
    }
}
