import CMPI
import Support

/// The MPI library of this host, looked for when a launcher started this process, so that the program starts without it.
///
/// `$COPPICE_MPI` names a file to load rather than the launcher's own; `none` makes every process run on its own.
package struct MPILibrary: Equatable, Sendable {
    /// The environment variable that names the library.
    package static let environmentKey = "COPPICE_MPI"

    /// The file, or the name that the dynamic loader looked up.
    package let path: String
    /// The first line of the library's description of itself.
    package let version: String

    /// The library as messages name it.
    package var name: String { "\(path) (\(version))" }

    /// Loads the first of the libraries that is there.
    /// - Parameter launcher: the start of a sentence about what started this process.
    /// - Throws: ``RanksError/libraryMissing(launcher:tried:reason:)``, ``RanksError/functionMissing(name:library:)``,
    ///   ``RanksError/unknownLibrary(library:)``.
    static func load(firstOf paths: [String], launcher: String) throws(RanksError) -> MPILibrary {
        var reasons: [String] = []
        for path in paths {
            var detail: UnsafePointer<CChar>?
            let status = cop_mpi_load(path, &detail)
            let reason = detail.map { String(cString: $0) } ?? ""
            switch status {
            case 0: return MPILibrary(path: path, version: try loadedVersion(of: path))
            case COP_MPI_FUNCTION_MISSING: throw .functionMissing(name: reason, library: path)
            case COP_MPI_UNKNOWN: throw .unknownLibrary(library: path)
            default: reasons.append(reason)
            }
        }
        throw .libraryMissing(launcher: launcher, tried: paths, reason: reasons.first ?? "no name of a library")
    }

    private static func loadedVersion(of path: String) throws(RanksError) -> String {
        var text = [CChar](repeating: 0, count: Int(COP_MPI_VERSION_ROOM))
        let status = cop_mpi_version(&text)
        guard status == 0 else {
            throw .callFailed(call: "MPI_Get_library_version", library: path, reason: errorText(status))
        }
        let line = string(text).prefix { !$0.isNewline && $0 != "," }
        return line.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// The library's words for a status, or ours.
    static func errorText(_ status: Int32) -> String {
        if status == COP_MPI_OUT_OF_MEMORY { return "there is no memory for its buffer" }
        var text = [CChar](repeating: 0, count: Int(COP_MPI_ERROR_ROOM))
        guard cop_mpi_error_text(status, &text) == 0 else { return "status \(status)" }
        // Some libraries tell of every function that the error went through, one per line.
        let words = string(text).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return "\(excerpt(words, longest: 200)) (status \(status))"
    }

    private static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
