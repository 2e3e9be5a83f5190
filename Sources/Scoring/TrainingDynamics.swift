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
    /// The recall of each class on the validation split after the last epoch, in 0...1, NaN for a class without samples in it,
    /// [network][class]; empty without a split.
    package var recall: [Float] = []

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

extension TrainingDynamics {
    /// An array as files keep it.
    package struct Field: Sendable {
        /// `NAME.npy`.
        package let name: String
        /// Its dimensions, slowest first.
        package let shape: [Int]
        /// Its elements.
        package let values: [Float]
    }

    private static let perEpoch: KeyValuePairs<String, KeyPath<TrainingDynamics, [Float]> & Sendable> = [
        "p_y": \.probability, "margin": \.margin, "is_right": \.isRight,
    ]
    private static let perNetwork: KeyValuePairs<String, KeyPath<TrainingDynamics, [Float]> & Sendable> = [
        "el2n": \.el2n, "grand": \.grand, "entropy": \.entropy, "largest": \.largest, "lead": \.lead,
    ]

    /// The name of ``recall`` in files.
    package static let recallName = "recall"

    /// The mean of ``recall`` over the networks, [classes]; that of the other classes for a class without samples in the
    /// validation split. Nil without a split.
    package var meanRecall: [Double]? {
        let classes = recall.count / networks
        if classes == 0 { return nil }
        let means = (0..<classes).map { label in
            (0..<networks).reduce(0) { $0 + Double(recall[$1 * classes + label]) } / Double(networks)
        }
        let known = means.filter { !$0.isNaN }
        if known.isEmpty { return nil }
        let mean = known.reduce(0, +) / Double(known.count)
        return means.map { $0.isNaN ? mean : $0 }
    }

    /// The names of ``fields``, but for that of ``recall``.
    package static let names = perEpoch.map(\.key) + perNetwork.map(\.key)

    /// Every array, under the name that it has in files.
    package var fields: [Field] {
        Self.perEpoch.map { Field(name: $0, shape: [networks, epochs, count], values: self[keyPath: $1]) }
            + Self.perNetwork.map { Field(name: $0, shape: [networks, count], values: self[keyPath: $1]) }
            + (recall.isEmpty
                ? [] : [Field(name: Self.recallName, shape: [networks, recall.count / networks], values: recall)])
    }

    /// What files hold; nil where an array has not the size that the others have.
    /// - Parameter values: the array of a name of ``names``.
    package init?(networks: Int, epochs: Int, _ values: (String) -> [Float]?) {
        let arrays = Self.names.map { values($0) ?? [] }
        let count = arrays[arrays.count - 1].count / networks
        self.init(
            networks: networks, epochs: epochs, count: count, probability: arrays[0], margin: arrays[1],
            isRight: arrays[2], el2n: arrays[3], grand: arrays[4], entropy: arrays[5], largest: arrays[6],
            lead: arrays[7])
        recall = values(Self.recallName) ?? []
        guard fields.allSatisfy({ $0.values.count == $0.shape.reduce(1, *) }) else { return nil }
    }
}
