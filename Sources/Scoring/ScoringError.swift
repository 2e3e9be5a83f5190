import Support

/// Why there are no scores.
package enum ScoringError: Equatable, CategorizedError {
    /// No score has this name.
    case unknown(name: String)
    /// A score, or what its samples are ranked within, needs something that was not given.
    case missing(what: String, score: String)
    /// There is not one score for each sample.
    case countMismatch(score: String, got: Int, expected: Int)
    /// A score is not a number.
    case notANumber(score: String, index: Int)
    /// A file of scores does not have exactly one dimension.
    case badShape(score: String, shape: [Int])
    /// A score is beyond float32.
    case tooLarge(score: String, index: Int)
    /// The samples as points do not fit into memory.
    case noRoom(count: Int)
    /// A parameter does not fit the data or another parameter.
    case badParameter(name: String, value: String, accepted: String)
    /// The loss or the weights of a score network are no longer finite: which network of the set, from 0, and after how many steps.
    case diverged(network: Int, step: Int, learningRate: Double)

    package var description: String {
        switch self {
        case .unknown(let name):
            "unknown score '\(excerpt(name))'; known scores: \(Score.all.map(\.name).joined(separator: ", "))"
        case .missing(let what, let score): "\(score) needs \(what)"
        case .countMismatch(let score, let got, let expected):
            "\(score) has \(got) scores for \(expected) samples; one for each is needed"
        case .notANumber(let score, let index):
            "the score \(score) of sample \(index) is not a number, so it cannot be ranked"
        case .badShape(let score, let shape):
            "\(score): its shape is \(shape); one dimension is needed, a score for each sample"
        case .tooLarge(let score, let index):
            "the score of sample \(index) in \(score) is too large for float32, by which samples are ranked; scale the scores,"
                + " or write ranks"
        case .noRoom(let count):
            "\(count) samples do not fit into memory as points, and this score needs all of them there; PCA makes them"
                + " smaller"
        case .badParameter(let name, let value, let accepted): "\(name) is \(value); \(accepted)"
        case .diverged(let network, let step, let learningRate):
            "network \(network + 1) of those that produce scores diverged at step \(step), with a learning rate of "
                + "\(learningRate); a lower one is needed"
        }
    }

    package var category: ErrorCategory {
        switch self {
        case .unknown, .missing, .badParameter: .usage
        case .noRoom: .unavailable
        case .countMismatch, .notANumber, .badShape, .tooLarge, .diverged: .badData
        }
    }
}
