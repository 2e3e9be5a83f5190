import Foundation
import TestSupport
import Testing

/// A page of docs/recipes, whose commands run as they are written.
///
/// Blocks marked `sh` are run by Bash and those marked `python` by the recipes' own Python, in the order of the page and in
/// one folder. A block marked `text` is what the block before it prints on standard output, but for its numbers.
struct RecipePage {
    /// A block of code.
    struct Block {
        /// The word after the opening fence.
        var language: String
        var text: String
        /// Where its first line is in the page, from 1.
        var line: Int
    }

    /// The file's name.
    let name: String
    /// All of the page's blocks, in its order.
    private(set) var blocks: [Block] = []

    /// Reads docs/recipes/`name`.
    init(_ name: String) throws {
        self.name = name
        let text = try String(contentsOf: checkout.appendingPathComponent("docs/recipes/" + name), encoding: .utf8)
        var open: Block?
        for (index, line) in text.components(separatedBy: "\n").enumerated() {
            if line.hasPrefix("```") {
                if let block = open { blocks.append(block) }
                open = open == nil ? Block(language: String(line.dropFirst(3)), text: "", line: index + 2) : nil
            } else {
                open?.text += line + "\n"
            }
        }
        try #require(open == nil, "\(name): the block at line \(open?.line ?? 0) has no end")
    }

    /// Replaces text in all blocks, such as a size that is too large for a test; the page must have it.
    mutating func replace(_ old: String, by new: String, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(blocks.contains { $0.text.contains(old) }, "\(name) has no '\(old)'", sourceLocation: sourceLocation)
        for index in blocks.indices { blocks[index].text = blocks[index].text.replacingOccurrences(of: old, with: new) }
    }

    /// Runs the page. The program, the recipes' scripts and their Python are found as after the page's first lines, which set
    /// PATH and are left out.
    /// - Parameter folder: where the commands run; the reader's own files are there.
    func run(in folder: TemporaryFolder) throws {
        var printed: String?
        for block in blocks {
            switch block.language {
            case "sh" where block.text.hasPrefix("PATH="):
                printed = nil
            case "sh", "python":
                let isPython = block.language == "python"
                _ = try folder.file(".block", Array(block.text.utf8))
                let outcome = try recipe(isPython ? "python3 .block" : "bash -euo pipefail .block", in: folder)
                try #require(outcome.status == 0, "\(name):\(block.line): \(outcome.stdout)\(outcome.stderr)")
                printed = outcome.stdout
            case "text":
                let last = try #require(printed, "\(name):\(block.line): no command is before this output")
                #expect(withoutNumbers(last) == withoutNumbers(block.text), "\(name):\(block.line): printed \(last)")
            default:
                Issue.record(
                    "\(name):\(block.line): a block marked '\(block.language)'; sh, python and text are accepted")
            }
        }
    }
}

/// Whether the packages of the recipes are installed, as tools/test does before the tests.
let hasRecipesPython = FileManager.default.fileExists(
    atPath: checkout.appendingPathComponent(".venv/recipes/complete").path)

/// The folder that the tests' sources are in.
private let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// Runs a command of Bash as a page's reader does, without OpenCL.
func recipe(_ command: String, in folder: TemporaryFolder, limit: Double = 120) throws -> Outcome {
    let before = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    let path = [
        program.deletingLastPathComponent().path, checkout.appendingPathComponent("tools/recipes").path,
        checkout.appendingPathComponent(".venv/recipes/bin").path, before,
    ].joined(separator: ":")
    return try coppice(
        ["-c", command],
        environment: ["PATH": path, "COPPICE_OPENCL_LIBRARY": "none", "XDG_CACHE_HOME": folder / ".cache"],
        directory: folder.path, limit: limit, executable: URL(fileURLWithPath: "/bin/bash"))
}

/// Output with `#` in place of every number, its unit, and the signs between.
private func withoutNumbers(_ text: String) -> String {
    text.split(separator: "\n").map { line in
        line.replacing(#/[-+]?[0-9][0-9.,]*(e[-+]?[0-9]+)?( ?(s|ms|min|kB|KiB|MB|MiB|GB|GiB|B)\b)?/#, with: "#")
            .replacing(#/ +/#, with: " ").trimmingCharacters(in: .whitespaces)
    }.joined(separator: "\n")
}
