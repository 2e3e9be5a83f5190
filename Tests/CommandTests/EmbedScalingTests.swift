import Datasets
import Foundation
import Networks
import TestSupport
import Testing

/// Weights bring the figures by which samples are changed, so rows on their own are embedded as they are among the rows
/// that the network was trained on.
@Suite struct EmbedScalingTests {
    private static let quick = ["--device", "cpu", "--quiet"]

    /// `a.npy`, rows to train on, `b.npy`, seven of them, and `classes.txt` and `seven.txt`, a class for each.
    private struct Rows {
        static let (count, width, seven) = (40, 6, 10..<17)
        let folder: TemporaryFolder

        init() throws {
            folder = try TemporaryFolder()
            try writeNoise(count: Self.count, dimensions: Self.width, to: folder / "a.npy")
            try write(NumPyArray.read(folder / "a.npy").floats)
            for (rows, name) in [(0..<Self.count, "classes"), (Self.seven, "seven")] {
                let text = rows.map { "\($0 % 3)\n" }.joined()
                try text.write(toFile: folder / "\(name).txt", atomically: true, encoding: .utf8)
            }
        }

        /// Writes the seven rows of `values` to `b.npy`.
        func write<Value: NumPyElement>(_ values: [Value]) throws {
            let part = Array(values[Self.width * Self.seven.lowerBound..<Self.width * Self.seven.upperBound])
            try NumPy.write(part, shape: [Self.seven.count, Self.width], to: folder / "b.npy")
        }

        /// Embeds rows of a file by an autoencoder; the embeddings are in `NAME-codes.npy`.
        func embed(_ name: String, _ options: [String]) throws -> Outcome {
            try coppice(
                [
                    "embed", "--with", "autoencoder", "--features", folder / "\(name).npy", "--out",
                    folder / "\(name)-codes.npy",
                ] + options + EmbedScalingTests.quick)
        }

        /// Trains on `a.npy` and saves `w.safetensors`.
        func train(_ options: [String]) throws {
            let outcome = try embed(
                "a", ["--size", "3", "--epochs", "2", "--save", folder / "w.safetensors"] + options)
            #expect(outcome.status == 0, "\(outcome.stderr)")
        }

        func codes(_ name: String) throws -> [Float] { try NumPyArray.read(folder / "\(name)-codes.npy").floats }

        /// The embeddings of the seven rows among those of `a.npy`.
        func codesOfSeven() throws -> [Float] {
            Array(try codes("a")[3 * Self.seven.lowerBound..<3 * Self.seven.upperBound])
        }

        /// Changes the metadata of `w.safetensors`.
        func edit(_ change: (inout [String: String]) -> Void) throws {
            var contents = try Safetensors.read(folder / "w.safetensors")
            change(&contents.metadata)
            try Safetensors.write(contents.tensors, metadata: contents.metadata, to: folder / "w.safetensors")
        }
    }

    /// The options may be given once more or left out, and the other rows of the file do not matter.
    @Test(arguments: [["--standardize"], ["--normalize"], ["--standardize", "--normalize"], []])
    func rowsAloneAreEmbeddedAsAmongOthers(scaling: [String]) throws {
        let rows = try Rows()
        try rows.train(scaling)
        let wanted = try rows.codesOfSeven()
        #expect(Set(wanted).count > 3)
        for options in Set([scaling, []]) {
            let outcome = try rows.embed("b", ["--weights", rows.folder / "w.safetensors"] + options)
            #expect(outcome.status == 0, "\(outcome.stderr)")
            #expect(try rows.codes("b") == wanted, "\(options)")
        }
        // The test rows, too, whatever the training rows here are.
        let test = try rows.embed(
            "b",
            ["--weights", rows.folder / "w.safetensors", "--split", "test", "--test-features", rows.folder / "a.npy"])
        #expect(test.status == 0, "\(test.stderr)")
        #expect(try rows.codes("b") == rows.codes("a"))
    }

    /// A row of equal values has nothing that could be learnt from it alone, and an embedding.
    @Test func aRowOfEqualValuesIsEmbeddedOnItsOwn() throws {
        let rows = try Rows()
        try rows.train([])
        try NumPy.write([Float](repeating: 3, count: Rows.width), shape: [1, Rows.width], to: rows.folder / "b.npy")
        let outcome = try rows.embed("b", ["--weights", rows.folder / "w.safetensors"])
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(try rows.codes("b").count == 3)
        expectComplaint(try rows.embed("b", ["--size", "3"]), code: 65, mentions: ["nothing to learn"])
    }

    /// The medians that are subtracted from columns far from the origin are those of the training rows.
    @Test func rowsFarFromTheOriginLoseTheMediansOfTheTrainingRows() throws {
        let rows = try Rows()
        let values = try NumPyArray.read(rows.folder / "a.npy").floats.map { 1e9 + Double($0) / 4096 }
        try NumPy.write(values, shape: [Rows.count, Rows.width], to: rows.folder / "a.npy")
        try rows.write(values)
        try rows.train([])
        #expect(try Safetensors.read(rows.folder / "w.safetensors").metadata["medians"] != nil)
        let outcome = try rows.embed("b", ["--weights", rows.folder / "w.safetensors"])
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(try rows.codes("b") == rows.codesOfSeven())
    }

    /// A note says that rows are scaled where no option does.
    @Test func scalingThatNoOptionNamesIsNoted() throws {
        let rows = try Rows()
        try rows.train(["--standardize"])
        let outcome = try coppice(
            "embed", "--with", "autoencoder", "--features", rows.folder / "b.npy", "--weights",
            rows.folder / "w.safetensors", "--out", rows.folder / "x.npy", "--device", "cpu")
        #expect(outcome.status == 0)
        #expect(
            outcome.stderr.contains("b.npy as ")
                && outcome.stderr.contains(
                    "w.safetensors says: --standardize, by the means and standard deviations in it"),
            "\(outcome.stderr)")
    }

    @Test(arguments: [
        (
            ["--standardize"], ["--normalize"],
            "with --standardize, and --normalize is given; give --standardize, or none"
        ),
        (
            ["--standardize", "--normalize"], ["--standardize"],
            "--standardize is given; give --standardize and --normalize"
        ),
        ([], ["--standardize"], "with neither --standardize nor --normalize, and --standardize is given; leave it out"),
        ([], ["--standardize", "--normalize"], "--standardize and --normalize are given; leave them out"),
    ])
    func optionsThatContradictTheWeightsAreRefused(trained: [String], given: [String], sentence: String) throws {
        let rows = try Rows()
        try rows.train(trained)
        expectComplaint(
            try rows.embed("b", ["--weights", rows.folder / "w.safetensors"] + given), code: 65,
            mentions: ["w.safetensors: its network was trained on features", sentence])
        #expect(!FileManager.default.fileExists(atPath: rows.folder / "b-codes.npy"))
    }

    /// Files of PyTorch say nothing of scaling; those of older versions lack the figures. Then --features must be the
    /// training rows.
    @Test(arguments: [true, false]) func weightsWithoutFiguresNeedTheTrainingRows(isOfPyTorch: Bool) throws {
        let rows = try Rows()
        try rows.train(["--standardize"])
        let wanted = try rows.codesOfSeven()
        try rows.edit { metadata in
            if isOfPyTorch {
                metadata = [:]
            } else {
                metadata["column_means"] = nil
                metadata["column_stds"] = nil
            }
        }
        let weights = ["--weights", rows.folder / "w.safetensors", "--standardize"]
        expectComplaint(
            try rows.embed("b", weights), code: 65,
            mentions: [
                "w.safetensors lacks the means and standard deviations",
                "give the rows that it was trained on by --features",
            ])
        let test = try rows.embed("a", weights + ["--split", "test", "--test-features", rows.folder / "b.npy"])
        #expect(test.status == 0, "\(test.stderr)")
        #expect(try rows.codes("a") == wanted)
    }

    @Test(
        arguments: [
            ("column_means", "[1, 2]", "column_means has 2 numbers, and the network takes 6 values"),
            ("column_means", "[1, 2, 3, 4, 5, \"x\"]", "a list of numbers is needed, one per column"),
            ("column_stds", "[1, 1, 1, 1, 1, -1]", "column_stds has -1.0; 0 or a number"),
            ("column_stds", nil, "there is column_means and no column_stds; both are needed, or none"),
            ("scaling", "normalize", "there is column_means, and scaling does not have standardize"),
            ("scaling", nil, "there is column_means, and scaling does not have standardize"),
            (
                "scaling", "minmax",
                "scaling is \"minmax\"; \"none\", \"normalize\", \"standardize\", \"standardize, normalize\""
            ),
        ] as [(String, String?, String)])
    func damagedFiguresAreNamed(key: String, value: String?, sentence: String) throws {
        let rows = try Rows()
        try rows.train(["--standardize"])
        try rows.edit { $0[key] = value }
        expectComplaint(
            try rows.embed("b", ["--weights", rows.folder / "w.safetensors"]), code: 65,
            mentions: ["metadata of ", "w.safetensors: ", sentence])
    }

    @Test func rowsOfAnotherWidthAreRefusedBeforeTheyAreScaled() throws {
        let rows = try Rows()
        try rows.train(["--standardize"])
        try writeNoise(count: 5, dimensions: 4, to: rows.folder / "b.npy")
        expectComplaint(
            try rows.embed("b", ["--weights", rows.folder / "w.safetensors"]), code: 65,
            mentions: ["b.npy: its rows have 4 values, and those that the network was trained on 6"])
    }

    /// Images are normalised as those that the network was trained on.
    @Test(arguments: ["autoencoder", "lenet5"]) func imagesAloneAreEmbeddedAsAmongOthers(method: String) throws {
        let folder = try TemporaryFolder()
        for (count, name) in [(60, "all"), (20, "some")] {
            try SyntheticData(train: count, test: 10, height: 12, width: 10).write(to: folder / name)
        }
        func embed(_ name: String, _ options: String...) throws -> [Float] {
            let outcome = try coppice(
                ["embed", "--with", method, "--data", folder / name, "--dataset", "shapes", "--out", folder / "x.npy"]
                    + options + Self.quick)
            #expect(outcome.status == 0, "\(outcome.stderr)")
            return try NumPyArray.read(folder / "x.npy").floats
        }
        let all = try embed("all", "--epochs", "1", "--save", folder / "w.safetensors")
        let some = try embed("some", "--weights", folder / "w.safetensors")
        #expect(some.count == all.count / 3 && some == Array(all.prefix(some.count)))
    }

    /// `evaluate` and `train --init` standardize by the figures in the weights too, whichever rows --features names.
    @Test func evaluateTakesTheFiguresOfTheWeights() throws {
        let rows = try Rows()
        let folder = rows.folder
        func options(_ name: String, _ labels: String) -> [String] {
            [
                "--features", folder / "\(name).npy", "--labels", folder / "\(labels).txt", "--test-features",
                folder / "a.npy", "--test-labels", folder / "classes.txt", "--standardize", "--json",
            ] + Self.quick
        }
        let weights = folder / "w.safetensors"
        let trained = try coppice(
            ["train", "--model", "linear", "--epochs", "30", "--learning-rate", "0.05", "--save", weights]
                + options("a", "classes"))
        #expect(trained.status == 0, "\(trained.stderr)")
        func tested(_ name: String, _ labels: String) throws -> [[Int]] {
            let outcome = try coppice(["evaluate", "--weights", weights] + options(name, labels))
            #expect(outcome.status == 0, "\(outcome.stderr)")
            return try #require(try outcome.json()["confusion"] as? [[Int]])
        }
        #expect(try tested("b", "seven") == tested("a", "classes"))
        // A training of no step that starts from them saves them with the same figures.
        let figures = try Safetensors.read(weights).metadata
        let resumed = try coppice(
            ["train", "--model", "linear", "--epochs", "0", "--init", weights, "--save", weights]
                + options("b", "seven"))
        #expect(resumed.status == 0, "\(resumed.stderr)")
        #expect(try Safetensors.read(weights).metadata == figures && figures["column_means"] != nil)
    }
}
