import ArgumentParser
import Networks
import Support

extension Optimizer.Kind: ExpressibleByArgument {}
extension RateSchedule: ExpressibleByArgument {}

/// What networks are trained by.
struct OptimizerOptions: ParsableArguments {
    @Option(help: "Optimizer, as PyTorch's of that name. (default: adam)")
    var optimizer: Optimizer.Kind?
    @Option(help: "Momentum, for --optimizer sgd alone. (default: 0)", transform: realNumber)
    var momentum: Double?
    @Option(
        help: "Weight decay: an L2 penalty with adam and sgd, decoupled with adamw. (default: 0; adamw: 0.01)",
        transform: realNumber)
    var weightDecay: Double?
    @Option(help: "How the learning rate changes: cosine lowers it step by step to nearly 0. (default: constant)")
    var schedule: RateSchedule?
    @Option(
        help: ArgumentHelp(
            "Change the training images at random in every epoch: shift=N moves them by up to N pixels, flip mirrors half of them.",
            valueName: "shift=4,flip"), transform: augmentation)
    var augment: Augment?

    func validate() throws {
        let names = Optimizer.Names(
            optimizer: "--optimizer", momentum: "--momentum", weightDecay: "--weight-decay")
        if let fault = value.fault(names) { throw ValidationError("\(fault).") }
    }

    /// The optimizer.
    var value: Optimizer { Optimizer(optimizer ?? .adam, momentum: momentum ?? 0, weightDecay: weightDecay) }

    /// The training options with these.
    func applied(to options: TrainingOptions) -> TrainingOptions {
        TrainingOptions(
            length: options.length, batchSize: options.batchSize, learningRate: options.learningRate, optimizer: value,
            schedule: schedule ?? .constant, augment: augment)
    }

    /// The options by name, with whether each is given.
    var given: [(String, Bool)] {
        [
            ("--optimizer", optimizer != nil), ("--momentum", momentum != nil), ("--weight-decay", weightDecay != nil),
            ("--schedule", schedule != nil), ("--augment", augment != nil),
        ]
    }

    /// Refuses to augment features.
    func check(areFeatures: Bool) throws {
        guard areFeatures, augment != nil else { return }
        throw Failure("--augment is for images, and --features are none", exitCode: 64)
    }
}

/// An augmentation as the command line has it: its words in any order, each once.
@Sendable private func augmentation(_ text: String) throws -> Augment {
    let accepted = "shift=N, flip, or both with a comma between them are accepted"
    var augment = Augment()
    var seen: Set<Substring> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        let (name, value) = (part.prefix { $0 != "=" }, part.drop { $0 != "=" }.dropFirst())
        guard seen.insert(name).inserted else { throw Sentence("it has \(name) twice; \(accepted)") }
        switch (name, part.contains("=")) {
        case ("flip", false): augment.flip = true
        case ("shift", true): augment.shift = try DecimalNumber.whole(String(value), in: Augment.shiftRange)
        default: throw Sentence("'\(part)' is not known; \(accepted)")
        }
    }
    return augment
}
