import ArgumentParser
import Compute
import Datasets
import Foundation
import Networks
import Studies
import Support

/// `coppice embed`
struct EmbedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed",
        abstract: "Turns samples into rows of a few numbers: by an autoencoder, a trained LeNet-5, or PCA.",
        discussion: """
            Writes a matrix of float32, a row per sample in the data's order, which cluster, select, dedup and score take \
            by --features.

            autoencoder: trained to reconstruct its input through a layer of --size values, which are the embedding. It \
            needs no labels. Images are taken in [0, 1], features as they are. A YAML file of layers whose last one is \
            linear: inputs takes its place; its narrowest linear layer is the code.
            lenet5: trained on the classes as train does it; the 84 values that its last layer takes are the embedding.
            pca: the principal components, of images 0 to 255.

            Networks are trained on the training samples, and so are the components found; --split test embeds the test \
            samples by them. docs/models.md says more.
            """)

    /// The samples to embed.
    enum Split: String, ExpressibleByArgument, CaseIterable, Encodable { case train, test }

    @OptionGroup var data: DataOptions
    @OptionGroup var matrix: FeatureOptions
    @Option(
        help: ArgumentHelp(
            "--features with --split test: the rows to embed, of the same width, in any form that --features takes. May be repeated. They are scaled by the figures of the training rows.",
            valueName: "T.npy"))
    var testFeatures: [String] = []
    @Option(
        name: .customLong("with"),
        help: ArgumentHelp("autoencoder, lenet5, pca, or a YAML file of an autoencoder's layers.", valueName: "method"),
        completion: .list(EmbeddingChoice.names), transform: EmbeddingChoice.parse)
    var method: EmbeddingChoice
    @Option(
        help: "Values of an embedding. (default: autoencoder 64, pca 50; lenet5 has 84)",
        transform: wholeNumber)
    var size: Int?
    @Option(help: "Embed the training or the test samples. (default: train)")
    var split = Split.train
    @Option(help: "Passes over the training samples. (default: 10)", transform: wholeNumber)
    var epochs: Int?
    @Option(help: "Samples per step. (default: 64)", transform: wholeNumber)
    var batch: Int?
    @Option(help: "Learning rate. (default: 0.001)", transform: realNumber)
    var learningRate: Double?
    @OptionGroup var optimization: OptimizerOptions
    @Option(
        help: ArgumentHelp(
            "Take this trained network; train none. Features are scaled by the figures in its file.",
            valueName: "w.safetensors"))
    var weights: String?
    @Option(help: ArgumentHelp("Where to save the trained network.", valueName: "w.safetensors"))
    var save: String?
    @Option(help: ArgumentHelp("Where to write the embeddings.", valueName: "X.npy"))
    var out: String
    @Flag(help: "Print one JSON object.")
    var json = false
    @OptionGroup var shape: ProfileOption
    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        for (name, value, most) in [
            ("--size", size, ModelSpec.Layer.widths.upperBound), ("--epochs", epochs, 1_000_000),
            ("--batch", batch, 1_000_000),
        ] {
            if let value, !(1...most).contains(value) {
                throw ValidationError("\(name) is \(value); from 1 to \(most) are accepted.")
            }
        }
        if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
            throw ValidationError("--learning-rate must be above 0, got \(learningRate).")
        }
    }

    private struct Report: Encodable {
        var method: String
        var split: Split
        var rows: Int
        var size: Int
        var inputs: Int
        var out: String
        var seconds: Double
        var trainingSeconds: Double?
        var loadingSeconds: Double
        var meanSquaredError: Double?
        var explainedVariance: Double?
        var pcaExplainedVariance: Double?
        var seed: UInt64
        var device: DeviceDescription
    }

    func run() throws {
        let start = ContinuousClock.now
        try checkOptions()
        try checkOutputs(
            [NamedFile("--out", out), NamedFile("--save", save)],
            against: matrix.files + NamedFile.matrices("--test-features", testFeatures)
                + [NamedFile("--weights", weights), NamedFile("--with", method.path)]
                + (matrix.name == nil ? data.files : []))
        for path in [out, save] { if let path { try AtomicFile.checkCanWrite(path) } }
        let interrupt = ExitOnInterrupt(saying: "interrupted, \(out) was not written")
        let run = EmbeddingRun(command: self, unit: matrix.name == nil ? "image" : "sample")
        let result: EmbeddingRun.Result
        switch method {
        case .pca: result = try run.principalComponents(since: start)
        case .autoencoder: result = try run.network(ModelLibrary.autoencoder(size: size ?? 64), since: start)
        case .leNet5: result = try run.network(ModelLibrary.leNet5, since: start)
        case .file:
            let file = try method.load()
            result = try run.network(file.model, of: file, since: start)
        }
        try interrupt.finishing {
            if let save, let network = result.network {
                try network.embedder.weights.write(
                    to: save, normalisation: network.embedder.normalisation, steps: network.embedder.steps,
                    metadata: network.metadata)
            }
            try NumPy.write(result.values, shape: [result.values.count / result.size, result.size], to: out)
        }
        let rows = result.values.count / result.size
        if json {
            try printJSON(
                Report(
                    method: method.name, split: split, rows: rows, size: result.size, inputs: result.inputs, out: out,
                    seconds: result.seconds, trainingSeconds: weights == nil ? result.network?.embedder.seconds : nil,
                    loadingSeconds: result.loadingSeconds, meanSquaredError: result.error?.meanSquaredError,
                    explainedVariance: result.explainedVariance, pcaExplainedVariance: result.componentsVariance,
                    seed: compute.seed, device: result.device))
        } else {
            func share(_ value: Double) -> String { "\(fixed(100 * value, 2))%" }
            print(
                "embedded \(describeCount(rows, (split == .test ? "test " : "") + run.unit)) of \(result.inputs) values "
                    + "in \(result.size) by \(method.name), \(fixed(result.seconds, 2)) s: \(out)"
                    + (result.error.map { "; mean squared error \(Float($0.meanSquaredError))" } ?? "")
                    + (result.explainedVariance.map { "; explained variance \(share($0))" } ?? "")
                    + (result.componentsVariance.map {
                        ", that of PCA\(weights == nil ? "" : " of these samples") \(share($0))"
                    } ?? ""))
        }
        try flushOutput()
        withExtendedLifetime(interrupt) {}
    }

    /// Checks the options before anything is read.
    /// - Throws: ``Failure`` with the option that is missing or has no effect.
    private func checkOptions() throws {
        if method == .autoencoder, let size, size > ModelLibrary.widestCode {
            throw Failure(
                "--size is \(size), and the code of the autoencoder is narrower than its hidden layers of "
                    + "\(ModelLibrary.hiddenWidth) values; give --size 1 to \(ModelLibrary.widestCode), or --with a model of "
                    + "your own", exitCode: 64)
        }
        let isOfFeatures = matrix.name != nil
        if isOfFeatures, data.data != nil || data.dataset != nil {
            throw Failure("--features and --data are mutually exclusive", exitCode: 64)
        }
        if isOfFeatures, data.orientation.transposed {
            throw Failure("--transposed is for the images of a data set, and --features are none", exitCode: 64)
        }
        if isOfFeatures { try data.images.refuse(because: "--features are none") }
        try matrix.check()
        try optimization.check(areFeatures: isOfFeatures)
        if isOfFeatures, method == .leNet5 {
            throw Failure(
                "--with lenet5 takes images, and --features are none: --with autoencoder or pca is needed", exitCode: 64
            )
        }
        if !testFeatures.isEmpty, !isOfFeatures || split == .train {
            throw Failure("--test-features is for --features with --split test", exitCode: 64)
        }
        if isOfFeatures, split == .test, testFeatures.isEmpty {
            throw Failure("--split test with --features needs --test-features: the rows to embed", exitCode: 64)
        }
        let ofTraining =
            [("--epochs", epochs != nil), ("--batch", batch != nil), ("--learning-rate", learningRate != nil)]
            + optimization.given + [("--save", save != nil)]
        if method == .pca {
            for (name, isGiven) in ofTraining + [("--weights", weights != nil)] where isGiven {
                throw Failure("\(name) is for networks, and --with pca has none", exitCode: 64)
            }
        }
        if weights != nil {
            for (name, isGiven) in ofTraining where isGiven {
                throw Failure("\(name) is for a training, and --weights gives a trained network", exitCode: 64)
            }
        }
        if let size, method == .leNet5, size != 84 {
            throw Failure("--size is \(size), and an embedding by lenet5 has 84 values; leave --size out", exitCode: 64)
        }
        if size != nil, let path = method.path {
            throw Failure("--size is that of the code in \(path); leave --size out", exitCode: 64)
        }
    }
}

/// The argument of `--with`.
enum EmbeddingChoice: Equatable, Sendable {
    case autoencoder
    case leNet5
    case pca
    /// A file of an autoencoder's layers.
    case file(String)

    private static let words: KeyValuePairs<String, EmbeddingChoice> = [
        "autoencoder": .autoencoder, "lenet5": .leNet5, "pca": .pca,
    ]
    /// The known words.
    static var names: [String] { words.map(\.key) }

    /// The name of the choice in results.
    var name: String { Self.words.first { $0.value == self }?.key ?? path ?? "" }
    /// The file; nil for a word.
    var path: String? { if case .file(let path) = self { path } else { nil } }

    /// The autoencoder of a file.
    /// - Throws: `StudyError` if the file cannot be read or is invalid, and ``Failure`` with the layer's place for a model
    ///   that is none.
    func load() throws -> ModelFile {
        let file = try ModelReader.open(path ?? "")
        if let fault = file.model.noAutoencoder {
            throw Failure("\(file.places[fault.layer]): \(fault.reason)", exitCode: 65)
        }
        return file
    }

    /// Parses the option: a known word or a file.
    @Sendable static func parse(_ text: String) throws -> EmbeddingChoice {
        if let choice = words.first(where: { $0.key == text })?.value { return choice }
        if case .file(let path) = try? ModelChoice.parse(text) { return .file(path) }
        throw ValidationError(
            "unknown method '\(text)'; \(names.joined(separator: ", ")), or a file of layers that ends in .yaml is accepted."
        )
    }
}
