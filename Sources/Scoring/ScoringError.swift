import Support

/// Why there are no scores.
package enum ScoringError: Equatable, CategorizedError {
    /// No score has this name.
    case unknown(name: String)
    /// The score is of something that was not given.
    case missing(what: String, score: String)
    /// There is not one score for each sample.
    case countMismatch(score: String, got: Int, expected: Int)
    /// A score is not a number.
    case notANumber(score: String, index: Int)
    /// A parameter does not fit the data or another parameter.
    case badParameter(name: String, value: String, accepted: String)

    package var description: String {
        switch self {
        case .unknown(let name):
            "unknown score '\(excerpt(name))'; known scores: \(Score.all.map(\.name).joined(separator: ", "))"
        case .missing(let what, let score): "the score \(score) needs \(what), and there is none"
        case .countMismatch(let score, let got, let expected):
            "there are \(got) scores \(score) for \(expected) samples; one for each is needed"
        case .notANumber(let score, let index):
            "the score \(score) of sample \(index) is not a number, so it cannot be ranked"
        case .badParameter(let name, let value, let accepted): "\(name) is \(value); \(accepted)"
        }
    }

    package var category: ErrorCategory {
        switch self {
        case .unknown, .missing, .badParameter: .usage
        case .countMismatch, .notANumber: .badData
        }
    }
}
