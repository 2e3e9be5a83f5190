import ArgumentParser
import Compute
import Datasets
import Networks

/// `coppice evaluate`
struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Tests saved weights on a data set's test images.")

    @OptionGroup var data: DataOptions
    @OptionGroup var features: FeatureSetOptions
    @Option(help: ArgumentHelp("Weights under PyTorch's names.", valueName: "w.safetensors"))
    var weights: String
    @Option(
        help: ArgumentHelp(
            "Require weights of this model: \(ModelLibrary.choices), or a YAML file of layers. (default: the one that the weights name)",
            valueName: "name"), completion: .models, transform: ModelChoice.parse)
    var model: ModelChoice?
    @Flag(help: "Print one JSON object.")
    var json = false
    @OptionGroup var shape: ProfileOption
    @OptionGroup var compute: ComputeOptions

    private struct Report: Encodable {
        var accuracy: Double
        var correct: Int
        var count: Int
        var mean: PerChannel
        var std: PerChannel
        var confusion: [[Int]]
        var seconds: Double
        var device: DeviceDescription
    }

    func run() throws {
        let expected = try model?.loadClassifier()
        let backend = try compute.makeBackend(in: shape)
        let stored = try ModelWeights.read(weights, of: expected)
        for note in stored.notes { Terminal.note(note, quiet: compute.quiet) }
        let (network, kept) = (stored.weights, stored.normalisation)
        if let reason = network.layout.model.noClassifier { throw Failure("\(weights): \(reason)", exitCode: 65) }
        let dataset = try features.load(
            orImagesOf: data, for: network.layout.model, with: stored, of: weights, quiet: compute.quiet)
        try stored.check(dataset, scaling: features.scaling, path: weights)
        let normalisation = kept ?? Normalisation(dataset)
        if kept == nil {
            // Said in any case: the accuracy is another one where the network was trained with other values.
            Terminal.note(
                "\(weights) has no mean and std in its metadata: taking those of this data set's training \(dataset.unit)s",
                quiet: false)
        }
        guard dataset.classCount <= network.layout.classes else {
            throw Failure(
                "\(weights) knows \(network.layout.classes) classes, \(dataset.name) has \(dataset.classCount)",
                exitCode: 65)
        }
        let store = try SampleStore.make(
            dataset.test, for: network.layout.model, classes: dataset.classCount, on: backend)
        let (results, seconds) = try Evaluator(store, normalisation: normalisation, on: backend).evaluate([network])
        for result in results {
            guard result.isFinite else {
                throw Failure(
                    "\(weights): the weights are so large that the network's sums overflow on \(dataset.name)'s test \(dataset.unit)s;"
                        + " the answers would mean nothing", exitCode: 65)
            }
            if json {
                try printJSON(
                    Report(
                        accuracy: result.accuracy, correct: result.correct, count: result.count,
                        mean: PerChannel(normalisation.means), std: PerChannel(normalisation.stds),
                        confusion: result.confusion,
                        seconds: seconds, device: backend.device))
            } else {
                print(
                    "\(fixed(result.accuracy, 2))% right: \(result.correct) of \(result.count), in \(fixed(seconds, 3)) s"
                )
                print("confusion, rows are true classes:")
                for (label, row) in result.confusion.enumerated() {
                    let name = dataset.classNames.isEmpty ? "" : "  " + dataset.className(label)
                    print(
                        row.map { String(repeating: " ", count: max(0, 6 - "\($0)".count)) + "\($0)" }.joined() + name)
                }
            }
        }
    }
}
