import Compute
import Foundation
import Support

/// What moves the parameters by their gradients, as PyTorch's class of that name does.
package struct Optimizer: Hashable, Sendable, Codable {
    /// The classes.
    package enum Kind: String, CaseIterable, Sendable, Codable {
        /// Adam (Kingma & Ba 2015); a weight decay is an L2 penalty, added to the gradient.
        case adam
        /// Adam whose weight decay shrinks the parameters by themselves (Loshchilov & Hutter 2019).
        case adamw
        /// Stochastic gradient descent; a weight decay is an L2 penalty.
        case sgd

        /// PyTorch's defaults.
        package var weightDecay: Double { self == .adamw ? 0.01 : 0 }
    }
    package var kind: Kind
    /// The share of the last step that goes on, of SGD alone; 0 for none.
    package var momentum: Double
    /// The weight decay; nil for that of the kind.
    package var givenWeightDecay: Double?
    /// Of every parameter, those of batch norms and biases too.
    package var weightDecay: Double { givenWeightDecay ?? kind.weightDecay }

    /// One with PyTorch's defaults where nothing else is given.
    package init(_ kind: Kind = .adam, momentum: Double = 0, weightDecay: Double? = nil) {
        self.kind = kind
        self.momentum = momentum
        givenWeightDecay = weightDecay
    }

    package static func == (left: Optimizer, right: Optimizer) -> Bool {
        left.kind == right.kind && left.momentum == right.momentum && left.weightDecay == right.weightDecay
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        hasher.combine(momentum)
        hasher.combine(weightDecay)
    }

    /// A momentum that is accepted.
    package static func accepts(momentum: Double) -> Bool { 0 <= momentum && momentum < 1 }
    /// A weight decay that is accepted.
    package static func accepts(weightDecay: Double) -> Bool { 0 <= weightDecay && weightDecay <= 1 }
    /// ``accepts(momentum:)`` in words.
    package static let acceptedMomentum = "from 0 to below 1 is accepted"
    /// ``accepts(weightDecay:)`` in words.
    package static let acceptedWeightDecay = "from 0 to 1 is accepted"

    /// The names of an optimizer's settings in error messages.
    package struct Names: Sendable {
        let optimizer, momentum, weightDecay: String

        package init(
            optimizer: String = "the optimizer", momentum: String = "momentum", weightDecay: String = "weight decay"
        ) {
            self.optimizer = optimizer
            self.momentum = momentum
            self.weightDecay = weightDecay
        }
    }

    /// Why there is no such optimizer, as a sentence; nil where there is one.
    package func fault(_ names: Names = Names()) -> String? {
        if kind != .sgd, momentum != 0 {
            return "\(names.momentum) is for \(names.optimizer) sgd, and \(kind.rawValue) has none"
        }
        if !Self.accepts(momentum: momentum) {
            return "\(names.momentum) is \(shortest(momentum)); \(Self.acceptedMomentum)"
        }
        if !Self.accepts(weightDecay: weightDecay) {
            return "\(names.weightDecay) is \(shortest(weightDecay)); \(Self.acceptedWeightDecay)"
        }
        return nil
    }

    /// Numbers per step in ``StepSchedule/rates``.
    var ratesPerStep: Int { kind == .adamw && weightDecay != 0 ? 3 : 2 }

    /// Those of a step, counted from 1, at a learning rate.
    func rates(step: Int, learningRate: Double) -> [Float] {
        if kind == .sgd { return [Float(learningRate), 0] }
        let adam = [
            Float(learningRate / (1 - pow(AdamStep.beta1, Double(step)))),
            Float(1 / (1 - pow(AdamStep.beta2, Double(step))).squareRoot()),
        ]
        return ratesPerStep == 3 ? adam + [Float(1 - learningRate * weightDecay)] : adam
    }

    /// Its step over a training's parameters. `zeros` makes a buffer of zeros with an element per parameter, and is called
    /// only for the state that the optimizer has.
    func step(
        _ end: StepEnd, zeros: (_ label: String) throws(ComputeError) -> DeviceBuffer<Float>
    ) throws(ComputeError) -> any Compute.Operation {
        switch kind {
        case .adam, .adamw:
            let decay: AdamStep.Decay =
                if weightDecay == 0 { .none } else if kind == .adam { .penalty(Float(weightDecay)) } else { .decoupled }
            return AdamStep(
                end, firstMoments: try zeros("first moments"), secondMoments: try zeros("second moments"), decay: decay)
        case .sgd:
            var kept: SgdStep.Momentum?
            if momentum != 0 { kept = SgdStep.Momentum(Float(momentum), velocities: try zeros("velocities")) }
            return SgdStep(end, momentum: kept, weightDecay: Float(weightDecay))
        }
    }
}

/// How the learning rate changes in the course of a training.
package enum RateSchedule: String, CaseIterable, Sendable, Codable {
    /// It does not.
    case constant
    /// Step t of T has (1 + cos(pi (t - 1) / T)) / 2 of it (Loshchilov & Hutter 2017, without restarts): what PyTorch's
    /// CosineAnnealingLR gives with T_max = T when it is stepped after every batch. T are the steps of the whole training.
    case cosine

    /// The share of the learning rate that a step has, counted from 1, of so many.
    func share(step: Int, of steps: Int) -> Double {
        switch self {
        case .constant: 1
        case .cosine: (1 + cos(Double.pi * Double(step - 1) / Double(max(steps, 1)))) / 2
        }
    }
}
