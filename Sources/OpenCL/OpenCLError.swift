import COpenCL

/// What OpenCL reported, as one sentence that a user can act on. Only a failed build has more lines: the compiler's.
package enum OpenCLError: Error, CustomStringConvertible, Sendable {
    /// The library could not be loaded.
    case libraryMissing(path: String, reason: String)
    /// The library is older than OpenCL 1.2, or no OpenCL library at all.
    case entryPointMissing(name: String, path: String)
    /// The library is there and knows no OpenCL implementation.
    case noPlatform
    /// A call failed; `subject` is the kernel, program or buffer it was about, empty where there is none.
    case callFailed(call: String, status: Int32, subject: String)
    /// The driver accepted a command and did not run it: the function that queued it, what it ended with, and the kernel
    /// or buffer it was about.
    case commandFailed(call: String, status: Int32, subject: String)
    /// A call succeeded with an answer that cannot be.
    case nonsense(call: String, answer: String)
    /// A program did not compile.
    case buildFailed(BuildFailure)
    /// No kernel of this name is carried inside the program.
    case unknownKernel(name: String)
    /// A kernel's file in the folder that `$COPPICE_KERNELS` names cannot be read.
    case kernelUnreadable(path: String, reason: String)
    /// PoCL has no folder to compile in.
    case cacheUnwritable(reason: String)
    /// A file of the folder that `$COPPICE_SAVE_PROGRAMS` names cannot be written.
    case programNotSaved(path: String, reason: String)

    /// Everything about a failed build.
    package struct BuildFailure: Sendable {
        /// The kernel file's name without ".cl".
        package var label: String
        /// What clBuildProgram returned.
        package var status: Int32
        /// The compiler options.
        package var options: String
        /// The device's name and driver.
        package var device: String
        /// The compiler's own words.
        package var log: String
        /// Where the whole source was saved, nil where that failed.
        package var savedSource: String?
        /// The first place that the log names, such as `conv2d_block_forward.cl:12`.
        package var location: String?
    }

    /// Whether the device had no room: the memory codes, and the code that drivers return at a buffer's first use.
    package var isOutOfMemory: Bool {
        // A compiler's troubles are not cured by smaller buffers.
        if case .buildFailed = self { return false }
        return status.map {
            [CL_MEM_OBJECT_ALLOCATION_FAILURE, CL_OUT_OF_RESOURCES, CL_OUT_OF_HOST_MEMORY].contains($0)
        } ?? false
    }

    /// Whether the device, or what the driver kept for this program on it, is gone: drivers call it unavailable, or deny
    /// the queue or the context that they made.
    package var isDeviceLost: Bool {
        status.map {
            [
                CL_DEVICE_NOT_AVAILABLE, CL_INVALID_DEVICE, CL_INVALID_CONTEXT, CL_INVALID_COMMAND_QUEUE,
                illegalAccess,
            ].contains($0)
        } ?? false
    }

    private var status: Int32? {
        switch self {
        case .callFailed(_, let status, _), .commandFailed(_, let status, _): status
        case .buildFailed(let failure): failure.status
        default: nil
        }
    }

    package var description: String {
        switch self {
        case .libraryMissing(let path, let reason):
            return
                "\(path) cannot be loaded (\(reason)); install an OpenCL loader such as the package ocl-icd-libopencl1"
        case .entryPointMissing(let name, let path):
            return "\(path) has no function \(name): it is not a library of OpenCL 1.2 or later"
        case .noPlatform:
            return "no OpenCL platform is installed (clGetPlatformIDs: CL_PLATFORM_NOT_FOUND_KHR, -1001); install the "
                + "package pocl-opencl-icd to compute on the processor, or the OpenCL driver of the GPU's vendor"
        case .callFailed(let call, let status, let subject):
            let about = subject.isEmpty ? "" : " for \(subject)"
            return "\(call)\(about) returned \(statusName(status)) (\(status))"
        case .commandFailed(let call, let status, let subject):
            return "the driver accepted \(call) for \(subject), which then ended with \(statusName(status)) (\(status))"
        case .nonsense(let call, let answer):
            return "\(call) answered what cannot be: \(answer); the driver is broken"
        case .buildFailed(let failure):
            return failure.description
        case .unknownKernel(let name):
            return "the program carries no kernel named \(name)"
        case .kernelUnreadable(let path, let reason):
            return
                "\(path) cannot be read: \(reason); COPPICE_KERNELS names a folder with a copy of every file in Kernels"
        case .cacheUnwritable(let reason):
            return reason
        case .programNotSaved(let path, let reason):
            return "\(path) cannot be written: \(reason); COPPICE_SAVE_PROGRAMS names a folder to save programs in"
        }
    }
}

extension OpenCLError.BuildFailure: CustomStringConvertible {
    package var description: String {
        var lines = ["kernel \(label) does not compile\(location.map { " (\($0))" } ?? "") on \(device)"]
        lines.append("status: \(statusName(status)) (\(status))")
        lines.append("options: \(options)")
        lines.append("source: \(savedSource ?? "could not be saved")")
        lines.append(log.isEmpty ? "the compiler left no log" : "log:\n\(log)")
        return lines.joined(separator: "\n")
    }
}

/// Throws unless a call returned CL_SUCCESS.
@inline(__always)
func check(_ status: Int32, _ call: String, _ subject: @autoclosure () -> String = "") throws(OpenCLError) {
    if status != CL_SUCCESS { throw .callFailed(call: call, status: status, subject: subject()) }
}

/// The shape of every clGet…Info function: room, destination, size.
typealias InfoQuery = (Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> Int32

/// Bytes of an answer above which it is taken for nonsense: build logs are the longest.
private let mostInfo = 1 << 26

/// The bytes that an info function answers with.
func infoBytes(_ call: String, _ query: InfoQuery) throws(OpenCLError) -> [UInt8] {
    var size = 0
    try check(query(0, nil, &size), call)
    guard (0...mostInfo).contains(size) else { throw .nonsense(call: call, answer: "\(size) bytes of text or numbers") }
    var bytes = [UInt8](repeating: 0, count: size)
    if size > 0 { try check(bytes.withUnsafeMutableBytes { query(size, $0.baseAddress, nil) }, call) }
    return bytes
}

/// An info function's answer as text, without its ending zero and the blanks some drivers put around names.
func infoText(_ call: String, _ query: InfoQuery) throws(OpenCLError) -> String {
    let text = String(decoding: try infoBytes(call, query).prefix { $0 != 0 }, as: UTF8.self)
    let trimmed = text.drop(while: \.isWhitespace)
    return String(trimmed.reversed().drop(while: \.isWhitespace).reversed())
}

/// An info function's answer as one value of a fixed size.
func infoValue<Value: BitwiseCopyable>(_ call: String, _ initial: Value, _ query: InfoQuery) throws(OpenCLError)
    -> Value
{
    var value = initial
    try check(withUnsafeMutableBytes(of: &value) { query($0.count, $0.baseAddress, nil) }, call)
    return value
}
