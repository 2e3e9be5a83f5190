import Support
import Compute

/// What can go wrong while training, evaluating or reading weights.
package enum NetworkError: CategorizedError {
    /// The device failed or has no room.
    case compute(ComputeError)
    /// A weights file does not hold what it should, of no model or of the one that is named.
    case badWeights(reason: String, model: String = "a network")
    /// Weights of the right names and shapes that no network can compute with: where they are and why.
    case unusableWeights(reason: String)
    /// A weights file cannot be read: its path and why.
    case unreadable(path: String, reason: String)
    /// A weights file cannot be created: its path and why.
    case unwritable(path: String, reason: String)
    /// Writing a weights file failed, on a full disk for one: its path and why.
    case writeFailed(path: String, reason: String)
    /// Subsets, batch or images that do not fit together, or a model and its samples: then with the layer's index, if it is
    /// one layer's fault.
    case invalid(reason: String, layer: Int? = nil)
    /// The caller asked to stop.
    case cancelled

    /// What the default model is called in a sentence.
    package static let leNet5 = "a LeNet-5"

    package var description: String {
        switch self {
        case .compute(let error): error.description
        case .badWeights(let reason, let model): "not the weights of \(model): \(reason)"
        case .unusableWeights(let reason): reason
        case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
        case .unwritable(let path, let reason): "cannot write \(path): \(reason)"
        case .writeFailed(_, let reason): reason
        case .invalid(let reason, _): reason
        case .cancelled: "stopped before the end"
        }
    }

    /// Of what kind it is.
    package var category: ErrorCategory {
        switch self {
        case .compute(let error): error.category
        case .badWeights, .unusableWeights, .invalid: .badData
        case .unreadable: .noInput
        case .unwritable: .cannotCreate
        case .writeFailed: .writeFailed
        case .cancelled: .cancelled
        }
    }
}

/// Runs device work and gives its errors this module's type.
func onDevice<Result>(_ body: () throws(ComputeError) -> Result) throws(NetworkError) -> Result {
    do { return try body() } catch { throw .compute(error) }
}
