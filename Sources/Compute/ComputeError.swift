import OpenCL

/// What can go wrong in a backend. Each description is one sentence that says what failed and where.
public enum ComputeError: Error, CustomStringConvertible {
    /// A buffer did not fit: its label, its size in bytes, the device.
    case outOfMemory(label: String, byteCount: Int, device: String)
    /// An operation was called with shapes that do not fit together or that the device cannot run.
    case invalidShape(operation: String, reason: String)
    /// No device answers to what was asked for; `reason` says what there is and what would be accepted.
    case noDevice(reason: String)
    /// There is no profile of the name that was asked for; `reason` says which there are.
    case noProfile(reason: String)
    /// The OpenCL implementation reported an error.
    case openCL(OpenCLError)

    public var description: String {
        switch self {
        case .outOfMemory(let label, let byteCount, let device):
            "\(device) has no room for \(label) (\(byteCount) bytes); fewer --replicas need less memory"
        case .invalidShape(let operation, let reason): "\(operation): \(reason)"
        case .noDevice(let reason), .noProfile(let reason): reason
        case .openCL(let error): error.description
        }
    }
}

extension ComputeError {
    /// The exit code of sysexits.h that a command ends with.
    public var exitCode: Int32 {
        switch self {
        case .outOfMemory, .noDevice, .openCL: 69
        case .noProfile: 64
        case .invalidShape: 70
        }
    }
}
