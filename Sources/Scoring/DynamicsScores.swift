extension Score {
    /// The scores of training dynamics: computed from what is recorded while networks are trained on all samples.
    static let ofDynamics: [Score] = [
        .el2n, .grand, .forgetting, .aum, .entropy, .leastConfidence, .margin, .dynUnc, .dual,
    ]
}

extension ScoreInput {
    /// The training dynamics.
    /// - Throws: ``ScoringError/missing(what:score:)``.
    func recorded(for score: String) throws(ScoringError) -> TrainingDynamics {
        guard let dynamics else { throw .missing(what: "training dynamics", score: score) }
        return dynamics
    }

    /// `window`, which has to fit into the training.
    /// - Throws: ``ScoringError/badParameter(name:value:accepted:)``.
    func window(of dynamics: TrainingDynamics) throws(ScoringError) -> Int {
        guard 2 <= parameters.window, parameters.window <= dynamics.epochs else {
            throw .badParameter(
                name: "window", value: "\(parameters.window)",
                accepted: dynamics.epochs < 2
                    ? "score_epochs is \(dynamics.epochs), and a window takes 2 epochs at least"
                    : "whole numbers from 2 to score_epochs, \(dynamics.epochs), are accepted")
        }
        return parameters.window
    }
}

extension TrainingDynamics {
    /// The mean of p_y over the networks and epochs, [sample].
    var meanProbability: [Float] {
        var sums = [Double](repeating: 0, count: count)
        for start in stride(from: 0, to: probability.count, by: count) {
            for sample in 0..<count { sums[sample] += Double(probability[start + sample]) }
        }
        // Rounding must not lead beyond what a probability may be.
        return sums.map { Float(min(1, $0 / Double(networks * epochs))) }
    }

    /// The mean over the networks of [network][sample]: [sample].
    func meanOverNetworks(_ values: [Float]) -> [Float] {
        var sums = [Double](repeating: 0, count: count)
        for network in 0..<networks {
            for sample in 0..<count { sums[sample] += Double(values[network * count + sample]) }
        }
        return sums.map { Float($0 / Double(networks)) }
    }

    /// The mean over the networks, and over all windows of so many consecutive epochs, of a function of the mean and the
    /// standard deviation of p_y in the window: [sample]. The deviation has a divisor of window - 1.
    func meanOverWindows(of window: Int, _ value: (_ mean: Double, _ deviation: Double) -> Double) -> [Float] {
        let windows = epochs - window + 1
        var sums = [Double](repeating: 0, count: count)
        for network in 0..<networks {
            for sample in 0..<count {
                for first in 0..<windows {
                    let start = (network * epochs + first) * count + sample
                    var (sum, squares) = (0.0, 0.0)
                    for epoch in 0..<window { sum += Double(probability[start + epoch * count]) }
                    let mean = sum / Double(window)
                    for epoch in 0..<window {
                        let gap = Double(probability[start + epoch * count]) - mean
                        squares += gap * gap
                    }
                    sums[sample] += value(mean, (squares / Double(window - 1)).squareRoot())
                }
            }
        }
        return sums.map { Float($0 / Double(networks * windows)) }
    }
}
