import Foundation
import Studies
import Testing

private let cluster = "pruning_method: cluster, sizes: 60, ks: 5, selection_strategies: closest"

/// A study that is wrong, and what its error says.
struct BadStudy: CustomTestStringConvertible {
    let yaml: String
    let error: String

    init(_ yaml: String, _ error: String) {
        self.yaml = yaml
        self.error = error
    }

    var testDescription: String { yaml }

    static func experiment(_ text: String, _ error: String) -> BadStudy { BadStudy("experiments: [{\(text)}]", error) }
}

private let badTops = [
    BadStudy("", "yaml: the study is empty; it needs a list experiments"),
    BadStudy("# nothing\n", "yaml: the study is empty; it needs a list experiments"),
    BadStudy("experiments: []", ":1:14: experiments is empty; it needs at least one entry"),
    BadStudy("experiments:", ":1:1: experiments has no value"),
    BadStudy("runs: 3", ":1:1: a study needs a list experiments, and this one has none"),
    BadStudy("experiments: 3", ":1:14: experiments must be a list, one entry to each pruning_method"),
    BadStudy("hello", ":1:1: a study must be a mapping with keys, experiments for one, not \"hello\""),
    BadStudy("- a", ":1:1: a study must be a mapping with keys, experiments for one, not a list"),
    BadStudy("experiments: [3]", "an entry of experiments must be a mapping with keys, pruning_method for one"),
    BadStudy("a: [1, 2", "this is not YAML:"),
    BadStudy("a: b: c", ":1:5: this is not YAML: mapping values are not allowed in this context"),
    BadStudy("\u{1}\u{2}", "this is not YAML"),
    BadStudy("\t\"x", "this is not YAML"),
    BadStudy("runs: 3\nruns: 4\nexperiments: []", ":1:1: the key runs stands more than once here"),
    BadStudy("experimets: []", ":1:1: unknown key experimets; the nearest known one is experiments"),
    BadStudy("epoch: 3", ":1:1: unknown key epoch; the nearest known one is epochs"),
    BadStudy("learning-rate: 3", "unknown key learning-rate; the nearest known one is learning_rate"),
    BadStudy("sizes: [3]", ":1:1: sizes belongs into an entry of experiments, not at the top"),
    BadStudy("[a, b]: 3", ":1:1: a key must be a word, not a list"),
]

private let badSettings = [
    BadStudy(
        "dataset: mnits",
        "unknown dataset mnits; the nearest known one is mnist (mnist, fashion-mnist, cifar10, cifar100 are known)"),
    BadStudy(
        "model: mpl",
        ":1:8: unknown model mpl; the nearest known one is mlp (lenet5, lenet5-1998, lenet5-wide2, lenet5-wide4, mlp, linear "
            + "are known)"),
    BadStudy("runs: 0", ":1:7: runs is 0; a whole number from 1 to 100000 is needed"),
    BadStudy("runs: -2", "runs is -2; a whole number from 1 to 100000 is needed"),
    BadStudy("runs: 1.5", "runs is 1.5; a whole number from 1 to 100000 is needed"),
    BadStudy("runs: many", "runs is many; a whole number from 1 to 100000 is needed"),
    BadStudy("runs: '3'", "runs is \"3\"; a whole number from 1 to 100000 is needed, without quotes: write 3"),
    BadStudy("runs: |\n  3\n", "a whole number from 1 to 100000 is needed"),
    BadStudy("<<: 3", ":1:5: << merges a mapping or a list of mappings, *name for one, not \"3\""),
    BadStudy("<<: [{runs: 3}, x]", ":1:17: << merges a mapping or a list of mappings, *name for one, not \"x\""),
    BadStudy("<<: {runs: 3}\n<<: {epochs: 2}", "the key << stands more than once here"),
    BadStudy("runs: 2\n<<: {epohcs: 3}", ":2:6: unknown key epohcs; the nearest known one is epochs"),
    BadStudy("'<<': {runs: 3}", "unknown key <<"),
    BadStudy("runs: [3]", "runs holds a list where a whole number is needed"),
    BadStudy("runs: 99999999999999999999", "runs is 99999999999999999999; a whole number"),
    BadStudy("epochs: 0", "epochs is 0; a whole number from 1"),
    BadStudy("steps: 0", "steps is 0; a whole number from 1"),
    BadStudy("epochs: 2\nsteps: 3", ":2:8: epochs and steps conflict: both say how long to train; give one"),
    BadStudy("batch_size: 0", "batch_size is 0; a whole number from 1"),
    BadStudy("learning_rate: -0.1", ":1:16: learning_rate is -0.1; a number above 0 is needed, 0.001 for one"),
    BadStudy("equal_within: 0", ":1:15: equal_within is 0; percentage points from above 0 to 100 are accepted"),
    BadStudy("equal_within: -1", "equal_within is -1; percentage points"),
    BadStudy("equal_within: .inf", "equal_within is .inf; a number is needed, not infinity"),
    BadStudy("equal_within: x", "equal_within is x; a number is needed"),
    BadStudy("learning_rate: 0", "learning_rate is 0; a number above 0"),
    BadStudy("learning_rate: .nan", "learning_rate is .nan; a number is needed, not NaN"),
    BadStudy("learning_rate: .inf", "learning_rate is .inf; a number is needed, not infinity"),
    BadStudy("learning_rate: fast", "learning_rate is fast; a number is needed"),
    BadStudy("pca_components: 0", "pca_components is 0; a whole number from 1"),
    BadStudy("clustering_seeds: 0", "clustering_seeds is 0; a whole number from 1"),
    BadStudy("seed: -1", "seed is -1; a whole number from 0 to 18446744073709551615 is needed"),
    BadStudy("kmeans: loyd", "unknown kmeans loyd; the nearest known one is lloyd (minibatch, lloyd are known)"),
    BadStudy("quota: exakt", "unknown quota exakt; the nearest known one is exact (exact, article are known)"),
    BadStudy(
        "balance: classes", "unknown balance classes; the nearest known one is class (none, class, recall are known)"),
    BadStudy("resample: epochs", "unknown resample epochs; the nearest known one is epoch (none, epoch are known)"),
]

private let badExperiments: [BadStudy] = [
    BadStudy("experiments: [{}]", ":1:15: this entry has no pruning_method; none, random, cluster and score are known"),
    .experiment("pruning_method: clutser", "unknown pruning_method clutser; the nearest known one is cluster"),
    .experiment("pruning_method: random", ":1:15: this entry has no sizes; pruning_method random needs it"),
    .experiment("pruning_method: cluster, sizes: 6", "this entry has no ks; pruning_method cluster needs it"),
    .experiment("pruning_method: cluster, sizes: 6, ks: 5", "has no selection_strategies; pruning_method cluster"),
    .experiment("pruning_method: random, sizes: 0", ":1:47: sizes is 0; a whole number from 1"),
    .experiment("pruning_method: random, sizes: [60, -1]", "sizes is -1; a whole number from 1"),
    .experiment("pruning_method: random, sizes: []", "sizes is an empty list; give at least one value"),
    .experiment("pruning_method: random, sizes: ", "sizes has no value"),
    .experiment("pruning_method: random, sizes: [60, 60]", ":1:52: 60 stands twice in sizes"),
    .experiment("pruning_method: random, sizes: [[60]]", "sizes holds a list where a number of samples or a share"),
    .experiment("pruning_method: random, sizes: 0.1", "sizes holds 0.1; for a share of the set write 10%"),
    .experiment("pruning_method: random, sizes: 60.5", "sizes is 60.5; a whole number"),
    .experiment("pruning_method: random, sizes: 0%", "sizes holds 0%; shares from above 0% to 100% are accepted"),
    .experiment("pruning_method: random, sizes: 101%", "sizes holds 101%; shares from above 0% to 100%"),
    .experiment(
        "pruning_method: random, sizes: nan%",
        "sizes holds nan%; shares from above 0% to 100% are accepted, not NaN"),
    .experiment("pruning_method: random, sizes: 5, ks: 0", "ks is 0; a whole number from 1"),
    .experiment("pruning_method: random, size: 5", "unknown key size; the nearest known one is sizes"),
    .experiment("\(cluster), strategy: x", "unknown key strategy; the nearest known one is"),
    .experiment("\(cluster), use_pca: maybe", "use_pca is maybe; true or false is needed"),
    .experiment("\(cluster), use_pca: [true, true]", "true stands twice in use_pca"),
    .experiment("\(cluster), use_pca: 'yes'", "use_pca is yes; true or false is needed, without quotes"),
    .experiment("\(cluster), n_closest: -1", "n_closest is -1; a whole number from 0"),
    .experiment("\(cluster), n_closest: 0, n_furthest: 0", "n_closest and n_furthest are both 0; one must be above"),
    .experiment("\(cluster), quota: article, balance: class", "quota article and balance class conflict"),
    .experiment("pruning_method: none, resample: epoch", ":1:48: resample epoch and pruning_method none conflict"),
    BadStudy(
        "resample: epoch\nexperiments:\n  - pruning_method: none",
        ":3:5: resample epoch and pruning_method none conflict: only random samples are drawn anew"),
    .experiment("\(cluster), resample: epoch", "resample epoch and pruning_method cluster conflict"),
    .experiment(
        "pruning_method: score, scores: k-center, sizes: 5, resample: epoch",
        ":1:77: resample epoch and pruning_method score conflict"),
    .experiment(
        "pruning_method: random, sizes: 5, balance: class, resample: epoch",
        ":1:76: resample epoch and balance class conflict"),
    .experiment("\(cluster), experiments: []", "unknown key experiments"),
    .experiment(
        "pruning_method: cluster, sizes: 6, ks: 5, selection_strategies: [closest, furthst]",
        ":1:90: unknown selection_strategies furthst; the nearest known one is furthest"
            + " (closest, furthest, random, hybrid are known)"),
]

@Suite struct BadStudyTests {
    @Test(arguments: badTops + badSettings + badExperiments)
    func isRefusedWithItsPlaceAndWhatWouldDo(bad: BadStudy) {
        let error = studyError { _ = try study(bad.yaml) }
        #expect(error?.category == .badData)
        let description = error?.description ?? "no error"
        #expect(description.hasPrefix("test.yaml:"))
        #expect(description.contains(bad.error), "\(description)")
        #expect(!description.contains("\n"))
    }

    @Test(arguments: [
        ("sizes: 201, ks: 5", "sizes holds 201, and the training set of mnist has 200 samples: sizes from 1 to 200"),
        ("sizes: 100%, ks: 201", "ks holds 201, and the training set of mnist has 200 samples: from 1 to 200 clusters"),
        ("sizes: 5, ks: 5, use_pca: true", "pca_components is 50 (the default); mnist has room for 1 to 16"),
    ])
    func whatDoesNotFitTheSetIsRefused(keys: String, message: String) throws {
        let study = try study("experiments:\n  - {pruning_method: cluster, selection_strategies: closest, \(keys)}")
        let error = studyError {
            _ = try StudyPlan(study, shapes: ["mnist": DatasetShape(count: 200, featureCount: 16)])
        }
        #expect(error?.category == .badData)
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "no error")")
        #expect(error?.description.hasPrefix("test.yaml:2:") == true)
    }

    @Test func aStudyThatCannotRunClaimsNoDirectory() throws {
        let temporary = try TemporaryDirectory()
        let study = try study("experiments: [{pruning_method: random, sizes: 999}]")
        let error = studyError {
            _ = try StudyRunner(study, directory: temporary.results, executor: FakeExecutor(), replicas: 2).run()
        }
        #expect(error?.category == .badData)
        #expect(!FileManager.default.fileExists(atPath: temporary.results))
    }

    @Test func absurdNumbersOfRunsAreRefused() throws {
        let study = try study(
            "{runs: 100000, experiments: [{pruning_method: random, sizes: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}]}")
        let error = studyError {
            _ = try StudyPlan(study, shapes: ["mnist": DatasetShape(count: 200, featureCount: 16)])
        }
        #expect(error?.description.contains("more than the 1000000 runs that are accepted") == true)
    }

    @Test func deepNestingAndLongFilesAreRefused() {
        let deep = studyError { _ = try study(String(repeating: "[", count: 5000)) }
        #expect(deep?.category == .badData)
        let long = studyError { _ = try study(String(repeating: "# text\n", count: 200_000)) }
        #expect(long?.description.contains("longer than 1048576 bytes") == true)
    }

    @Test func filesThatAreNotThereOrNoTextAreRefused() throws {
        let temporary = try TemporaryDirectory()
        let missing = studyError { _ = try StudyLibrary.load(temporary.path + "/none.yaml") }
        #expect(missing?.category == .noInput)
        #expect(missing?.description.hasSuffix("cannot be read: there is no such file") == true)
        let directory = studyError { _ = try StudyLibrary.load(temporary.path) }
        #expect(directory?.category == .noInput)
        let unknown = studyError { _ = try StudyLibrary.load("artcle") }
        #expect(unknown?.category == .noInput)
        #expect(unknown?.description.contains("built-in one (quickstart, article, article-large,") == true)
        #expect(unknown?.description.hasSuffix("; the nearest is article") == true)
        let binary = temporary.path + "/binary.yaml"
        try Data([0xFF, 0xFE, 0x00, 0x80]).write(to: URL(fileURLWithPath: binary))
        let noText = studyError { _ = try StudyLibrary.load(binary) }
        #expect(noText?.category == .badData)
    }

    @Test func aFileGoesBeforeABuiltInStudy() throws {
        let temporary = try TemporaryDirectory()
        let path = temporary.path + "/article"
        try "experiments: [{pruning_method: none}]".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try StudyLibrary.load(path).groups.count == 1)
        #expect(try StudyLibrary.load("article").groups.count == 3)
    }

    @Test func anyDatasetIsAcceptedWhereItsDirectoryIsGiven() throws {
        let yaml = "{dataset: letters, experiments: [{pruning_method: none}]}"
        #expect(try StudyReader(file: "x", acceptsAnyDataset: true).read(yaml).datasets == ["letters"])
        // Files are named after it.
        for name in ["../letters", "a/b", ".letters", "''", "\"a b\""] {
            #expect(throws: StudyError.self, "\(name)") {
                try StudyReader(file: "x", acceptsAnyDataset: true)
                    .read(yaml.replacing("letters", with: name))
            }
        }
        #expect(studyError { _ = try study(yaml) }?.category == .badData)
    }
}
