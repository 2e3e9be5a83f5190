import COpenCL
import Foundation
import Support

/// The OpenCL library of this host, looked for when the program runs, so that the program starts without it.
///
/// `$COPPICE_OPENCL_LIBRARY` names another file than `libOpenCL.so.1`; `none` hides OpenCL altogether.
package enum OpenCLLibrary {
    /// The environment variable that names the library.
    package static let environmentKey = "COPPICE_OPENCL_LIBRARY"
    static let defaultPath = "libOpenCL.so.1"

    /// Loads the library. The first call decides for the whole process; later ones repeat its outcome.
    /// - Throws: ``OpenCLError/libraryMissing(path:reason:)`` or ``OpenCLError/entryPointMissing(name:path:)``.
    package static func load() throws(OpenCLError) {
        if let error = outcome { throw error }
    }

    private static let outcome: OpenCLError? = load(EnvironmentVariables.process[environmentKey] ?? defaultPath)

    /// Loads the library at `path` into the process-wide table: nil, or why it could not be done.
    static func load(_ path: String) -> OpenCLError? {
        if path == "none" {
            return .libraryMissing(path: defaultPath, reason: "hidden by \(environmentKey)=none")
        }
        var detail: UnsafePointer<CChar>?
        let status = cop_load(path, &detail)
        let reason = detail.map { String(cString: $0) } ?? ""
        switch status {
        case CL_SUCCESS: return nil
        case COP_ENTRY_POINT_MISSING: return .entryPointMissing(name: reason, path: path)
        default: return .libraryMissing(path: path, reason: reason)
        }
    }
}
