import Support
import OpenCL

/// What can go wrong in a backend. Each description is one sentence that says what failed and where.
package enum ComputeError: CategorizedError {
    /// A buffer did not fit: its label, its size in bytes, the device.
    case outOfMemory(label: String, byteCount: Int, device: String)
    /// Work that cannot fit, as is known before it begins: what needs how much, what there is, and what is accepted.
    case doesNotFit(reason: String)
    /// The driver ran out of memory, or of what it reports alike, over work that it had accepted: what it reported, and
    /// the bytes that were allocated by then.
    case exhausted(OpenCLError, byteCount: Int, device: String)
    /// The device computed what no input gives.
    case nonsense(device: String, what: String)
    /// An operation was called with shapes that do not fit together or that the device cannot run.
    case invalidShape(operation: String, reason: String)
    /// No device answers to what was asked for; `reason` says what there is and what would be accepted.
    case noDevice(reason: String)
    /// There is no profile of the name that was asked for; `reason` says which there are.
    case noProfile(reason: String)
    /// The OpenCL implementation reported an error.
    case openCL(OpenCLError)

    package var description: String {
        switch self {
        case .outOfMemory(let label, let byteCount, let device):
            "\(device) has no room for \(label) (\(byteCount) bytes)"
        case .exhausted(let error, let byteCount, let device):
            "\(device) ran out of room with \(byteCount) bytes allocated: \(error)"
        case .nonsense(let device, let what):
            "\(device) computed \(what), which cannot be: its driver or memory is broken; coppice verify --device shows "
                + "which kernels go wrong there"
        case .invalidShape(let operation, let reason): "\(operation): \(reason)"
        case .doesNotFit(let reason), .noDevice(let reason), .noProfile(let reason): reason
        case .openCL(let error): error.description
        }
    }
}

extension ComputeError {
    /// Of what kind it is.
    package var category: ErrorCategory {
        switch self {
        // A full disk, not the device.
        case .openCL(.cacheUnwritable): .writeFailed
        case .openCL(.kernelUnreadable): .noInput
        case .openCL(.programNotSaved): .cannotCreate
        case .outOfMemory, .doesNotFit, .exhausted, .nonsense, .noDevice, .openCL: .unavailable
        case .noProfile: .usage
        case .invalidShape: .software
        }
    }

    /// Whether less work at a time may fit.
    package var isOutOfMemory: Bool {
        switch self {
        case .outOfMemory, .doesNotFit, .exhausted: true
        default: false
        }
    }

    /// Whether the device is gone, and may be back when the program starts again.
    package var isDeviceLost: Bool {
        if case .openCL(let error) = self { error.isDeviceLost } else { false }
    }
}
