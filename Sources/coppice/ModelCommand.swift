import ArgumentParser
import Datasets
import Networks
import Studies

/// `coppice model`
struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Lists and shows models.", subcommands: [List.self, Show.self])

    /// The samples and classes that a model is shown for.
    struct Extents: ParsableArguments {
        @Option(help: "Channels of the images. (default: 1)", transform: wholeNumber)
        var channels: Int?
        @Option(
            help: "Side of the images, where the model does not resize them. (default: 28)", transform: wholeNumber)
        var side: Int?
        @Option(help: "Values of a sample, for features instead of images.", transform: wholeNumber)
        var size: Int?
        @Option(help: "Classes, where the model does not fix them. (default: 10)", transform: wholeNumber)
        var classes: Int?

        func validate() throws {
            for (name, value, most) in [
                ("--channels", channels, 1024), ("--side", side, ModelSpec.imageSides.upperBound),
                ("--size", size, 1 << 24), ("--classes", classes, 256),
            ] {
                guard let value, !(1...most).contains(value) else { continue }
                throw ValidationError("\(name) is \(value); from 1 to \(most) are accepted.")
            }
            if size != nil, channels != nil || side != nil {
                throw ValidationError("--size is for features, --channels and --side are for images; give one kind.")
            }
        }

        /// The model over samples of these extents.
        func describe(_ model: ModelSpec) throws -> ModelDescription {
            if let size, model.side != nil {
                throw Failure(
                    "\(model.name) takes images, and --size \(size) is for features; leave it out", exitCode: 64
                )
            }
            let side = model.side ?? side ?? 28
            let samples =
                size.map { SampleShape.vector($0) }
                ?? SampleShape(
                    channels: channels ?? 1, height: side, width: side)
            return try ModelDescription(model, samples: samples, classes: classes ?? model.fixedClasses ?? 10)
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the models of the library, and how many parameters each has.")
        @OptionGroup var extents: Extents
        @Flag(help: "Print one JSON object.")
        var json = false

        private struct Report: Encodable {
            struct Model: Encodable {
                var name: String
                var summary: String
                var layers: [ModelSpec.Layer]
                var parameters: Int
                var path: String
            }
            var models: [Model]
        }

        func run() throws {
            // Features fit some of them alone.
            let models = ModelLibrary.all.filter { extents.size == nil || $0.side == nil }
            let report = Report(
                models: try models.map { model in
                    let description = try extents.describe(model)
                    return Report.Model(
                        name: model.name, summary: ModelLibrary.summary(model.name) ?? "", layers: model.layers,
                        parameters: description.parameters, path: description.isFused ? "fused" : "layered")
                })
            if json { return try printJSON(report) }
            for (index, model) in report.models.enumerated() {
                print("\(index > 0 ? "\n" : "")\(model.name)  \(model.parameters) parameters, \(model.path) network")
                print("    \(model.summary)")
                print("    \(model.layers.map(\.yaml).joined(separator: ", "))")
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints a model's layers as YAML, to start your own from, or as a module of PyTorch.",
            discussion: """
                Change the name before you train what is printed: the library's names are taken. The module's tensors have \
                the names and shapes of the weights that train --save writes.
                """)
        @Argument(
            help: ArgumentHelp("A model of the library, or a YAML file of layers.", valueName: "name"),
            completion: .allModels, transform: ModelChoice.parseAny)
        var model: ModelChoice
        @Flag(help: "Print Python source that defines the model in PyTorch.")
        var torch = false
        @OptionGroup var extents: Extents

        func run() throws {
            let description = try extents.describe(model.load())
            print(torch ? description.pyTorch : description.yaml, terminator: "")
        }
    }
}
