/// What was recorded of a training set's samples while networks were trained on all of it.
package struct TrainingDynamics: Sendable {
    /// Networks.
    package let networks: Int
    /// Epochs that each was trained for.
    package let epochs: Int
    /// Samples.
    package let count: Int
    /// The probability of the sample's own class when it was trained on, [network][epoch][sample].
    package let probability: [Float]
    /// The logit of its own class less the largest of the others, then, [network][epoch][sample].
    package let margin: [Float]
    /// 1 where the network's answer was right then, else 0, [network][epoch][sample].
    package let isRight: [Float]
    /// ||p - y|| after the first epoch, [network][sample].
    package let el2n: [Float]
    /// ||p - y|| sqrt(1 + ||h||^2) after the first epoch, [network][sample]; h is what the last layer takes.
    package let grand: [Float]
    /// The entropy of p after the last epoch, in nats, [network][sample].
    package let entropy: [Float]
    /// The largest probability after the last epoch, [network][sample].
    package let largest: [Float]
    /// The largest probability less the second largest, after the last epoch, [network][sample].
    package let lead: [Float]

    /// Arrays of the shapes above.
    package init(
        networks: Int, epochs: Int, count: Int, probability: [Float], margin: [Float], isRight: [Float], el2n: [Float],
        grand: [Float], entropy: [Float], largest: [Float], lead: [Float]
    ) {
        self.networks = networks
        self.epochs = epochs
        self.count = count
        self.probability = probability
        self.margin = margin
        self.isRight = isRight
        self.el2n = el2n
        self.grand = grand
        self.entropy = entropy
        self.largest = largest
        self.lead = lead
    }
}
