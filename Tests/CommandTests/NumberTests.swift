import Datasets
import Foundation
import Studies
import Testing
import TestSupport

/// A number as somebody may write it, and what it is or why it is refused. One table for study files and options.
struct WrittenNumber: CustomTestStringConvertible, Sendable {
    let text: String
    /// Nil where it is refused.
    let value: Double?
    let reason: String

    init(_ text: String, _ value: Double) { (self.text, self.value, reason) = (text, value, "") }

    init(_ text: String, _ reason: String) { (self.text, value, self.reason) = (text, nil, reason) }

    var testDescription: String { text }
}

private let wholeNumbers = [
    WrittenNumber("60", 60), WrittenNumber("1e3", 1000), WrittenNumber("1E+3", 1000), WrittenNumber("1.5e3", 1500),
    WrittenNumber("+7", 7), WrittenNumber("60.0", 60), WrittenNumber("6000e-2", 60), WrittenNumber("1e003", 1000),
    WrittenNumber("010", "without leading zeros: write 10"), WrittenNumber("0060", "without leading zeros: write 60"),
    WrittenNumber("00", "without leading zeros: write 0"), WrittenNumber("+010", "without leading zeros: write +10"),
    WrittenNumber("01.5e1", "without leading zeros: write 1.5e1"),
    WrittenNumber("1_000", "without underscores: write 1000"), WrittenNumber("0x10", "not hexadecimal: write 16"),
    WrittenNumber("0X1F", "not hexadecimal: write 31"), WrittenNumber("0o17", "not octal: write 15"),
    WrittenNumber("0b101", "not binary: write 5"), WrittenNumber("1:30", "without colons"),
    WrittenNumber("1,000", "a decimal point and no thousands separators"),
    WrittenNumber("10%x", "a whole number"), WrittenNumber("1.5", "a whole number"),
    WrittenNumber("1e-1", "a whole number"), WrittenNumber("many", "a whole number"),
    WrittenNumber("yes", "not yes or no"), WrittenNumber(".inf", "not infinity"),
    WrittenNumber("inf", "not infinity"), WrittenNumber(".nan", "not NaN"), WrittenNumber("nan", "not NaN"),
    WrittenNumber("1 000", "without spaces: write 1000"), WrittenNumber("1e", "a whole number"),
    WrittenNumber("1e99", "a whole number"), WrittenNumber("99999999999999999999", "a whole number"),
    WrittenNumber("６０", "in the digits 0 to 9"), WrittenNumber("1e3.5", "a whole number"),
    WrittenNumber("1\u{A0}000", "without spaces: write 1000"), WrittenNumber("1K", "a whole number"),
    WrittenNumber(".", "a whole number"),
]

private let realNumbers = [
    WrittenNumber("0.001", 0.001), WrittenNumber("1e-3", 0.001), WrittenNumber("1.0e-05", 1e-5),
    WrittenNumber(".5", 0.5), WrittenNumber("5.", 5), WrittenNumber("+1e+0", 1), WrittenNumber("3", 3),
    WrittenNumber("00.5", "without leading zeros: write 0.5"), WrittenNumber("0x1p-3", "not hexadecimal"),
    WrittenNumber("0x10", "not hexadecimal: write 16"), WrittenNumber("1_0.5", "without underscores: write 10.5"),
    WrittenNumber("0,5", "a decimal point"), WrittenNumber("10%", "without a percent sign"),
    WrittenNumber("1:30.5", "without colons"), WrittenNumber("inf", "not infinity"),
    WrittenNumber("-.INF", "not infinity"), WrittenNumber("1e999", "64 bits hold"),
    WrittenNumber("1e-999", "64 bits hold"), WrittenNumber("fast", "a number is needed"),
    WrittenNumber("1.2.3", "a number is needed"), WrittenNumber("1d-3", "a number is needed"),
]

@Suite struct NumberTests {
    private func studyError(_ yaml: String) throws -> String {
        let error = try #require(throws: StudyError.self, "\(yaml)") { try StudyReader(file: "x.yaml").read(yaml) }
        #expect(error.category == .badData)
        return error.description
    }

    @Test(arguments: wholeNumbers) func wholeNumbersAreTheSameInFilesAndOptions(_ number: WrittenNumber) throws {
        let yaml = "runs: \(number.text)\nexperiments: [{pruning_method: random, sizes: [5, \(number.text)]}]"
        let folder = try TemporaryFolder()
        try NumPy.write([UInt8](repeating: 1, count: 2000), shape: [2000, 1], to: folder / "X.npy")
        let outcome = try coppice(
            "select", "--features", folder / "X.npy", "--strategy", "random", "--size=\(number.text)", "--out",
            folder / "kept.npy", "--json", "--quiet")
        if let value = number.value.map({ Int($0) }) {
            let study = try StudyReader(file: "x.yaml").read(yaml)
            #expect(study.groups[0].settings.runs == value && study.groups[0].sizes == [.count(5), .count(value)])
            #expect(try outcome.json()["kept"] as? Int == value)
        } else {
            let message = try studyError(yaml)
            #expect(message.hasPrefix("x.yaml:1:7: runs is \(number.text); a whole number from 1"), "\(message)")
            #expect(message.contains(number.reason), "\(message)")
            // In a list too, where commas part its elements, and what is below 1 is taken for a share.
            if !number.text.contains(","), number.text != "1e-1" {
                let sizes = try studyError("experiments: [{pruning_method: random, sizes: [5, \(number.text)]}]")
                #expect(sizes.contains("sizes is \(number.text); ") && sizes.contains(number.reason), "\(sizes)")
            }
            #expect(outcome.status == 64 && outcome.stdout.isEmpty)
            #expect(
                outcome.stderr.contains("'\(number.text)' is invalid for '--size <size>'")
                    && outcome.stderr.contains(number.reason), "\(outcome.stderr)")
            #expect(try folder.names() == ["X.npy"])
        }
    }

    @Test(arguments: realNumbers) func ratesAreTheSameInFilesAndOptions(_ number: WrittenNumber) throws {
        let yaml = "learning_rate: \(number.text)\nexperiments: [{pruning_method: none}]"
        let outcome = try coppice(
            "train", "--data", "/nonexistent", "--device", "cpu", "--quiet", "--learning-rate=\(number.text)")
        if let value = number.value {
            #expect(try StudyReader(file: "x.yaml").read(yaml).groups[0].settings.recipe.learningRate == value)
            #expect(outcome.status == 66, "\(outcome.stderr)")
        } else {
            let message = try studyError(yaml)
            #expect(message.hasPrefix("x.yaml:1:16: learning_rate is \(number.text); "), "\(message)")
            #expect(message.contains(number.reason), "\(message)")
            #expect(outcome.status == 64 && outcome.stderr.contains(number.reason), "\(outcome.stderr)")
        }
    }

    /// Every option that takes a number, by a number that YAML 1.1 and C read otherwise.
    @Test(arguments: [
        ("train", "--epochs"), ("train", "--batch"), ("train", "--replicas"), ("train", "--seed"),
        ("train", "--learning-rate"), ("cluster", "--k"), ("cluster", "--pca"), ("cluster", "--iterations"),
        ("cluster", "--seed"), ("select", "--size"), ("select", "--n-closest"), ("select", "--n-furthest"),
        ("select", "--k"), ("bench", "--replicas"), ("verify", "--jobs"), ("tune", "--seed"), ("run", "--runs"),
        ("run", "--seed"), ("run", "--replicas"), ("evaluate", "--seed"),
    ])
    func everyOptionRefusesLeadingZeros(command: String, option: String) throws {
        let needed = [
            "select": ["--strategy", "none", "--out", "/nonexistent/x"], "run": ["quickstart"],
            "evaluate": ["--weights", "/nonexistent/x"],
        ]
        let outcome = try coppice([command] + (needed[command] ?? []) + [option, "010"])
        #expect(outcome.status == 64, "\(outcome.stderr)")
        #expect(
            outcome.stderr.contains(option) && outcome.stderr.contains("without leading zeros: write 10"),
            "\(outcome.stderr)")
    }

    @Test(arguments: [
        ("shard", ["run", "quickstart", "--shard", "01/4"], "without leading zeros: write 1"),
        ("shard", ["run", "quickstart", "--shard", "1/0x4"], "not hexadecimal: write 4"),
        ("memory", ["cluster", "--k", "2", "--memory", "0300M"], "without leading zeros: write 300"),
        ("memory", ["cluster", "--k", "2", "--memory", "1_000M"], "without underscores: write 1000"),
        ("memory", ["cluster", "--k", "2", "--memory", "0x10M"], "not hexadecimal: write 16"),
    ])
    func partsAndSizesOfMemoryAreNumbersToo(option: String, arguments: [String], reason: String) throws {
        let outcome = try coppice(arguments)
        #expect(outcome.status == 64)
        #expect(outcome.stderr.contains("--\(option) is '"), "\(outcome.stderr)")
        #expect(outcome.stderr.contains(reason), "\(outcome.stderr)")
    }

    @Test func helpNamesTheDefaultsThatHold() throws {
        func defaults(_ command: String) throws -> [Substring] {
            try coppice(command, "--help").stdout.replacing(/\s+/, with: " ").matches(of: /\(default: ([^)]+)\)/).map(
                \.1)
        }
        // In the options' order: model, epochs, batch, learning rate, optimizer, momentum, weight decay, schedule, dynamic,
        // prune share, anneal, replicas, device, seed.
        let training: [Substring] = ["lenet5", "5", "64", "0.001", "adam", "0", "0; adamw: 0.01", "constant"]
        #expect(try defaults("train") == training + ["none", "0.5", "0.125", "1", "auto", "1"])
        // n-closest, n-furthest, beta, strata, c-d; then those of scores, device and seed.
        let orders: [Substring] = ["1", "1", "0", "50", "4"]
        let scores: [Substring] = [
            "lenet5", "15", "10", "64", "0.001", "10", "10", "1 / the median distance of neighbours", "auto", "1",
        ]
        #expect(try defaults("select").suffix(15) == (orders + scores)[...])
        #expect(try defaults("score").suffix(10) == scores[...])
    }

    @Test(arguments: [
        ("10%", 10), ("\"10%\"", 10), ("'10 %'", 10), ("10 %", 10), ("1.5%", 1.5), ("1e1%", 10), ("+5%", 5),
        ("100%", 100),
    ])
    func sharesMayBeQuoted(text: String, percent: Double) throws {
        let yaml = "experiments: [{pruning_method: random, sizes: [\(text)]}]"
        #expect(try StudyReader(file: "x.yaml").read(yaml).groups[0].sizes == [.percent(percent)])
    }

    @Test(arguments: [
        ("sizes: '60'", "sizes is \"60\"; a whole number from 1 to 2147483647 is needed, without quotes: write 60"),
        ("sizes: [5, \"6e2\"]", "sizes is \"6e2\"; a whole number from 1 to 2147483647 is needed, without quotes"),
        ("sizes: 5, runs: '3'", "runs is \"3\"; a whole number from 1 to 100000 is needed, without quotes: write 3"),
        (
            "sizes: 5, learning_rate: '1e-3'",
            "learning_rate is \"1e-3\"; a number is needed, without quotes: write 1e-3"
        ),
        (
            "sizes: 5, seed: \"7\"",
            "seed is \"7\"; a whole number from 0 to 18446744073709551615 is needed, without quotes"
        ),
        ("sizes: 5, seed: 0x7", "seed is 0x7; a whole number from 0 to 18446744073709551615 is needed, in decimal"),
        (
            "sizes: 010%",
            "sizes holds 010%; shares from above 0% to 100% are accepted, without leading zeros: write 10%"
        ),
        (
            "sizes: 0x10%",
            "sizes holds 0x10%; shares from above 0% to 100% are accepted, in decimal, not hexadecimal: write 16%"
        ),
        (
            "sizes: '1_0%'",
            "sizes holds 1_0%; shares from above 0% to 100% are accepted, without underscores: write 10%"
        ),
        ("sizes: %", "sizes holds"), ("sizes: ~", "sizes has no value"), ("sizes: [~]", "sizes holds nothing"),
    ])
    func otherQuotesAndBadSharesAreRefused(keys: String, reason: String) throws {
        // A bare percent sign starts no scalar, so it is quoted here.
        let keys = keys.replacing("sizes: %", with: "sizes: '%'")
        let message = try studyError("experiments: [{pruning_method: random, \(keys)}]")
        #expect(message.contains(reason), "\(message)")
    }

    @Test func seedsAreExactUpToTheirLast() throws {
        for (text, seed) in [("18446744073709551615", UInt64.max), ("1e19", 10_000_000_000_000_000_000), ("0", 0)] {
            let yaml = "seed: \(text)\nexperiments: [{pruning_method: none}]"
            #expect(try StudyReader(file: "x.yaml").read(yaml).groups[0].settings.seed == seed)
        }
        for text in ["18446744073709551616", "-1", "2e19"] {
            #expect(
                try studyError("seed: \(text)\nexperiments: [{pruning_method: none}]").contains(
                    "from 0 to 18446744073709551615"))
            #expect(try coppice("train", "--data", "/nonexistent", "--seed=\(text)").status == 64)
        }
    }
}
