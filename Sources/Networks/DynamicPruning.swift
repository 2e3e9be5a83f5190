import Foundation
import Support

/// Training that leaves samples out by their losses, others in every epoch: InfoBatch (Qin et al., "InfoBatch: Lossless
/// Training Speed Up by Unbiased Dynamic Data Pruning", ICLR 2024).
///
/// A sample's score is its loss in the forward pass of the last step that it was trained in, before that step changed the
/// weights. Before each epoch, of the samples whose score is below the mean over all of them each is left out with the
/// probability r, and the gradients of those that stay count 1 / (1 - r) times, so that the expected gradient is that of the
/// whole set. There are no scores before the first epoch, which takes all samples, and the last
/// epochs take all as well, each counting once ("annealing").
package struct DynamicPruning: Hashable, Sendable {
    /// The probability with which a sample below the mean is left out, r.
    package var pruneShare: Double
    /// The share of the epochs, rounded up to whole ones, that take all samples at the end.
    package var anneal: Double

    /// The paper's settings unless others are given.
    package init(pruneShare: Double = 0.5, anneal: Double = 0.125) {
        self.pruneShare = pruneShare
        self.anneal = anneal
    }

    /// Whether there is such a `pruneShare`.
    package static func accepts(pruneShare: Double) -> Bool { 0 < pruneShare && pruneShare < 1 }
    /// Whether there is such an `anneal`.
    package static func accepts(anneal: Double) -> Bool { 0 <= anneal && anneal <= 1 }
    /// ``accepts(pruneShare:)`` in words.
    package static let acceptedPruneShare = "above 0 and below 1 is accepted"
    /// ``accepts(anneal:)`` in words.
    package static let acceptedAnneal = "from 0 to 1 is accepted"

    /// The names that a sentence has for its settings, and for what conflicts with them.
    package struct Names: Sendable {
        let pruneShare, anneal, dynamic, schedule: String

        package init(
            pruneShare: String = "the prune share", anneal: String = "the share of epochs to anneal",
            dynamic: String = "dynamic", schedule: String = "schedule"
        ) {
            self.pruneShare = pruneShare
            self.anneal = anneal
            self.dynamic = dynamic
            self.schedule = schedule
        }
    }

    /// Why it does not go with a training, as a sentence; nil where it does.
    package func fault(_ options: TrainingOptions, _ names: Names = Names()) -> String? {
        if !Self.accepts(pruneShare: pruneShare) {
            return "\(names.pruneShare) is \(shortest(pruneShare)); \(Self.acceptedPruneShare)"
        }
        if !Self.accepts(anneal: anneal) {
            return "\(names.anneal) is \(shortest(anneal)); \(Self.acceptedAnneal)"
        }
        if case .steps = options.length { return Self.stepsConflict }
        if options.schedule == .constant { return nil }
        return "\(names.dynamic) infobatch and \(names.schedule) \(options.schedule.rawValue) conflict: "
            + Self.scheduleConflict
    }

    /// Why a training of so many steps cannot prune.
    package static let stepsConflict =
        "infobatch needs epochs, not steps: how many steps an epoch has is known only when it begins"
    /// Why a training whose learning rate follows a schedule cannot prune.
    package static let scheduleConflict =
        "infobatch needs a constant learning rate: a schedule needs the number of steps, which is known only at the end"

    /// Whether the epoch, counted from 0, of so many leaves samples out.
    func prunes(epoch: Int, of epochs: Int) -> Bool {
        // A share is decimal: 0.07 of 100 epochs are 7, not the 8 of a product just above 7.
        let whole = (anneal * Double(epochs) * (1 - 1e-12)).rounded(.up)
        return epoch > 0 && Double(epoch) < Double(epochs) - whole
    }

    /// A warning if no epoch prunes; otherwise nil.
    package func idleNote(epochs: Int) -> String? {
        // Those that prune start at epoch 1 and have no gap.
        prunes(epoch: 1, of: epochs)
            ? nil
            : "with \(epochs == 1 ? "1 epoch" : "\(epochs) epochs") and anneal \(shortest(anneal)), infobatch leaves nothing out: the first"
                + " epoch and the last ones take all samples"
    }

    /// The weight of a sample below the mean that is not left out.
    var weight: Float { Float(1 / (1 - pruneShare)) }

    /// Whether a sample below the mean is left out of an epoch, counted from 0. It depends on these numbers alone.
    func leavesOut(_ sample: Int, epoch: Int, seed: UInt64, run: Int) -> Bool {
        let words = Philox4x32(key: seed).block(
            SIMD4(
                UInt32(truncatingIfNeeded: sample), UInt32(truncatingIfNeeded: epoch), UInt32(truncatingIfNeeded: run),
                RandomPurpose.dynamicPruning.rawValue))
        let bits = UInt64(words.x) | UInt64(words.y) << 32
        return Double(bits >> 11) * 0x1p-53 < pruneShare
    }

    /// The samples of an epoch that stay, as positions in `order`, and how much each of them counts.
    /// - Parameters:
    ///   - order: indices of samples.
    ///   - scores: by these indices.
    ///   - mean: of the scores of all samples of the order.
    func kept(
        of order: [Int32], scores: [Float], mean: Double, epoch: Int, seed: UInt64, run: Int
    ) -> (positions: [Int], weights: [Float]) {
        var kept: (positions: [Int], weights: [Float]) = ([], [])
        for (position, sample) in order.enumerated() {
            // False where either is NaN: a training that has diverged goes on with all samples.
            let isBelow = Double(scores[Int(sample)]) < mean
            if isBelow, leavesOut(Int(sample), epoch: epoch, seed: seed, run: run) { continue }
            kept.positions.append(position)
            kept.weights.append(isBelow ? weight : 1)
        }
        return kept
    }

    /// The mean of the samples' scores, no larger than the largest of them, so that one sample stays at least.
    static func mean(of scores: [Float], over samples: [Int]) -> Double {
        let sum = samples.reduce(0) { $0 + Double(scores[$1]) }
        let largest = samples.reduce(-Double.infinity) { max($0, Double(scores[$1])) }
        return min(sum / Double(samples.count), largest)
    }
}
