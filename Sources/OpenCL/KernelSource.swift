import COpenCL
import Foundation
import Support

/// The OpenCL C sources carried inside the program.
///
/// `$COPPICE_KERNELS` names a folder whose files are compiled in their place: a kernel can be changed and tried without
/// building the program again.
package enum KernelSource {
    /// The environment variable that names the folder.
    package static let environmentKey = "COPPICE_KERNELS"

    /// The headers: `common` precedes every kernel, the others are where a kernel includes them.
    package static let headers: Set<String> = [
        "augmentation", "batch_norm", "begin_step", "block_statistics", "classifier_layers", "coarse_candidates",
        "coarse_panels", "coarse_search", "common", "early_exit", "gather", "group_sum", "largest_key", "linear",
        "linear_gradients", "packed_columns", "planes", "softmax", "step_end", "strips", "weight_gradients",
    ]

    /// The names of all files, without ".cl" or ".clh", in alphabetical order.
    package static var names: [String] {
        (0..<cop_kernel_count()).compactMap { cop_kernel_at($0).map { String(cString: $0.pointee.name) } }
    }

    /// The text of one file as it is in Kernels, or nil where there is none of that name.
    package static func text(of name: String) -> String? {
        for index in 0..<cop_kernel_count() {
            guard let entry = cop_kernel_at(index) else { continue }
            if String(cString: entry.pointee.name) == name { return String(cString: entry.pointee.text) }
        }
        return nil
    }

    /// The text to compile: the file of `$COPPICE_KERNELS` where that is set, else the one carried inside.
    /// - Throws: ``OpenCLError/unknownKernel(name:)`` or ``OpenCLError/kernelUnreadable(path:reason:)``; a folder that
    ///   lacks the file is never made up for by the text inside.
    package static func chosenText(
        of name: String, environment: EnvironmentVariables = .process
    ) throws(OpenCLError) -> String {
        guard let folder = environment[environmentKey] else {
            guard let text = text(of: name) else { throw .unknownKernel(name: name) }
            return text
        }
        let file = URL(fileURLWithPath: folder).appendingPathComponent(fileName(of: name))
        do {
            return try String(contentsOf: file, encoding: .utf8)
        } catch {
            throw .kernelUnreadable(path: file.path, reason: systemReason(error))
        }
    }

    private static func fileName(of name: String) -> String { name + (headers.contains(name) ? ".clh" : ".cl") }

    /// `common.clh` and a kernel's own text as one source, with `header(name)` in place of each line
    /// `#include "name.clh"`; the compiler counts lines as the files do.
    package static func assemble(
        name: String, common: String, text: String,
        header: (String) throws(OpenCLError) -> String = { name throws(OpenCLError) in try chosenText(of: name) }
    ) throws(OpenCLError) -> String {
        var source = "#line 1 \"common.clh\"\n\(common)\n#line 1 \"\(name).cl\"\n"
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if let included = headers.first(where: { line == "#include \"\($0).clh\"" }) {
                source += "#line 1 \"\(included).clh\"\n\(try header(included))\n#line \(index + 2) \"\(name).cl\"\n"
            } else {
                source += line + "\n"
            }
        }
        return source
    }
}
