import Foundation
import Support

/// Training that leaves out low-loss samples, drawn anew in every epoch: InfoBatch (Qin et al., "InfoBatch: Lossless
/// Training Speed Up by Unbiased Dynamic Data Pruning", ICLR 2024).
///
/// A sample's score is its loss in the forward pass of the last step that it was trained in, before that step changed the
/// weights. Before each epoch, every sample whose score is below the mean score is left out with probability r. The
/// gradients of those that stay are multiplied by 1 / (1 - r), so that the expected gradient is that of the whole set.
/// The first epoch takes all samples, since there are no scores yet. So do the last epochs, with weights of 1
/// ("annealing").
package struct DynamicPruning: Hashable, Sendable {
    /// The probability r of leaving out a sample whose score is below the mean.
    package var pruneShare: Double
    /// The share of the epochs, at the end, that take all samples; rounded up to whole epochs.
    package var anneal: Double

    /// The paper's settings unless others are given.
    package init(pruneShare: Double = 0.5, anneal: Double = 0.125) {
        self.pruneShare = pruneShare
        self.anneal = anneal
    }

    /// True if `pruneShare` is valid.
    package static func accepts(pruneShare: Double) -> Bool { 0 < pruneShare && pruneShare < 1 }
    /// True if `anneal` is valid.
    package static func accepts(anneal: Double) -> Bool { 0 <= anneal && anneal <= 1 }
    /// ``accepts(pruneShare:)`` in words.
    package static let acceptedPruneShare = "above 0 and below 1 is accepted"
    /// ``accepts(anneal:)`` in words.
    package static let acceptedAnneal = "from 0 to 1 is accepted"

    /// The names of the settings, and of those that conflict with them, in error messages.
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

    /// The reason why these settings are invalid or conflict with a training's options, as a sentence; nil if there is
    /// none.
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

    /// The reason why a training with a fixed number of steps cannot prune.
    package static let stepsConflict =
        "infobatch needs epochs, not steps: how many steps an epoch has is known only when it begins"
    /// The reason why a training with a learning rate schedule cannot prune.
    package static let scheduleConflict =
        "infobatch needs a constant learning rate: a schedule needs the number of steps, which is known only at the end"

    /// True if `epoch` (from 0) of `epochs` leaves samples out.
    func prunes(epoch: Int, of epochs: Int) -> Bool {
        // Treat the share as decimal: 0.07 of 100 epochs is 7, though the product is slightly above 7.
        let whole = (anneal * Double(epochs) * (1 - 1e-12)).rounded(.up)
        return epoch > 0 && Double(epoch) < Double(epochs) - whole
    }

    /// A warning if no epoch prunes; otherwise nil.
    package func idleNote(epochs: Int) -> String? {
        // The epochs that prune are consecutive and begin with epoch 1.
        prunes(epoch: 1, of: epochs)
            ? nil
            : "with \(epochs == 1 ? "1 epoch" : "\(epochs) epochs") and anneal \(shortest(anneal)), infobatch leaves nothing out: the first"
                + " epoch and the last ones take all samples"
    }

    /// The weight of a sample below the mean that is not left out.
    var weight: Float { Float(1 / (1 - pruneShare)) }

    /// True if a sample below the mean is left out of `epoch` (from 0). The draw depends only on the arguments and
    /// ``pruneShare``.
    func leavesOut(_ sample: Int, epoch: Int, seed: UInt64, run: Int) -> Bool {
        let words = Philox4x32(key: seed).block(
            SIMD4(
                UInt32(truncatingIfNeeded: sample), UInt32(truncatingIfNeeded: epoch), UInt32(truncatingIfNeeded: run),
                RandomPurpose.dynamicPruning.rawValue))
        let bits = UInt64(words.x) | UInt64(words.y) << 32
        return Double(bits >> 11) * 0x1p-53 < pruneShare
    }

    /// The samples that an epoch keeps, as positions in `order`, and their weights.
    /// - Parameters:
    ///   - order: indices of samples.
    ///   - scores: the score of each sample, by its index.
    ///   - mean: the mean score of all samples in `order`.
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

    /// The mean of the samples' scores, at most the largest of them, so that at least one sample always stays.
    static func mean(of scores: [Float], over samples: [Int]) -> Double {
        let sum = samples.reduce(0) { $0 + Double(scores[$1]) }
        let largest = samples.reduce(-Double.infinity) { max($0, Double(scores[$1])) }
        return min(sum / Double(samples.count), largest)
    }
}
