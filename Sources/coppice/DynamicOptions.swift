import ArgumentParser
import Networks
import Support

/// The options of dynamic pruning.
struct DynamicOptions: ParsableArguments {
    /// The methods of dynamic pruning.
    enum Kind: String, CaseIterable, ExpressibleByArgument {
        case none
        case infobatch
    }

    @Option(
        help:
            "Skip a random part of the low-loss samples in each epoch (InfoBatch). (default: none)"
    )
    var dynamic: Kind?
    @Option(
        help: "Probability with which --dynamic leaves out a sample whose loss is below the mean. (default: 0.5)",
        transform: realNumber)
    var pruneShare: Double?
    @Option(
        help: "Share of the epochs that take all samples again, at the end of --dynamic. (default: 0.125)",
        transform: realNumber)
    var anneal: Double?

    /// The dynamic pruning; nil without it.
    var value: DynamicPruning? {
        guard dynamic == .infobatch else { return nil }
        let standard = DynamicPruning()
        return DynamicPruning(
            pruneShare: pruneShare ?? standard.pruneShare, anneal: anneal ?? standard.anneal)
    }

    /// Refuses conflicting options.
    func check(schedule: RateSchedule?) throws {
        for (name, number) in [("--prune-share", pruneShare), ("--anneal", anneal)]
        where number != nil && dynamic != .infobatch {
            throw ValidationError("\(name) requires --dynamic infobatch.")
        }
        let names = DynamicPruning.Names(
            pruneShare: "--prune-share", anneal: "--anneal", dynamic: "--dynamic", schedule: "--schedule")
        guard let value, let fault = value.fault(TrainingOptions(schedule: schedule ?? .constant), names) else {
            return
        }
        throw ValidationError("\(fault).")
    }

    /// The end of a line that reports the networks' training as a share of `epochs` passes over `count` samples, each
    /// called a `unit`; empty without dynamic pruning. All samples count as distinct, since the first epoch takes every
    /// one.
    func summary(_ work: [TrainingWork], epochs: Int, of count: Int, unit: String) -> String {
        let whole = epochs * count * work.count
        guard value != nil, whole > 0 else { return "" }
        let images = work.reduce(0) { $0 + $1.images }
        let steps = work.map(\.steps)
        let (least, most) = (steps.min() ?? 0, steps.max() ?? 0)
        return "; infobatch trained on \(fixed(100 * Double(images) / Double(whole), 1))% of the \(unit)s"
            + " (\(count) distinct) in " + (least == most ? "\(most)" : "\(least) to \(most)") + " steps"
    }
}
