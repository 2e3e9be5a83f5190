import Foundation
import Support

/// A folder that keeps the source of every program as it is built, and the launches of its kernel: what
/// tools/check-gpu-code compiles for other devices, and what a report of a driver's fault can carry.
///
/// A program is KERNEL-FINGERPRINT.cl, ready for a compiler; `launches.jsonl` has a line for each program and size of
/// launch, and `builds.jsonl` a line for each program with the seconds that it took to build, once per process.
package final class ProgramFolder {
    /// The environment variable that names the folder.
    package static let environmentKey = "COPPICE_SAVE_PROGRAMS"

    /// One line of `launches.jsonl`.
    private struct Launch: Hashable, Encodable {
        /// The source's file name.
        var program: String
        /// The function.
        var kernel: String
        /// What the compiler was given.
        var options: String
        /// Work-items in each dimension, in all and in a work-group; nil where the implementation chose the latter.
        var global: [Int]
        var local: [Int]?
    }

    /// One line of `builds.jsonl`.
    private struct Build: Encodable {
        /// The source's file name.
        var program: String
        /// The function.
        var kernel: String
        /// What the compiler was given.
        var options: String
        /// From source to a kernel that can be launched, by the clock.
        var seconds: Double
        /// Whether a binary of the program cache was taken; a driver's own cache does not show here.
        var cached: Bool
    }

    private let directory: URL
    private var launches: Set<Launch> = []

    /// A folder at `directory`, made when the first program is saved.
    package init(directory: URL) { self.directory = directory }

    /// The folder that `$COPPICE_SAVE_PROGRAMS` names, nil where it is unset.
    package static func requested(environment: EnvironmentVariables = .process)
        -> ProgramFolder?
    {
        guard let path = environment[environmentKey] else { return nil }
        return ProgramFolder(directory: URL(fileURLWithPath: path))
    }

    /// Keeps a program's source and returns its file name.
    /// - Throws: ``OpenCLError/programNotSaved(path:reason:)``.
    package func save(_ source: String, label: String, options: String) throws(OpenCLError) -> String {
        let name = "\(label)-\(fingerprint(Array((options + "\n" + source).utf8))).cl"
        try write(name) { file in
            try Folder.make(directory.path)
            try Data(source.utf8).write(to: file, options: .atomic)
        }
        return name
    }

    /// Keeps the sizes of a launch, unless they are known.
    /// - Throws: ``OpenCLError/programNotSaved(path:reason:)``.
    package func record(program: String, kernel: String, options: String, global: [Int], local: [Int]?)
        throws(OpenCLError)
    {
        let launch = Launch(program: program, kernel: kernel, options: options, global: global, local: local)
        guard launches.insert(launch).inserted else { return }
        try append(launch, to: "launches.jsonl")
    }

    /// Keeps how long a program took to build.
    /// - Throws: ``OpenCLError/programNotSaved(path:reason:)``.
    package func record(program: String, kernel: String, options: String, seconds: Double, cached: Bool)
        throws(OpenCLError)
    {
        let build = Build(program: program, kernel: kernel, options: options, seconds: seconds, cached: cached)
        try append(build, to: "builds.jsonl")
    }

    private func append(_ value: some Encodable, to name: String) throws(OpenCLError) {
        try write(name) { file in
            let line = try JSON.data(value) + Data("\n".utf8)
            if !FileManager.default.fileExists(atPath: file.path) { try Data().write(to: file) }
            let handle = try FileHandle(forWritingTo: file)
            defer { try? handle.close() }
            try handle.seekToEnd()
            try handle.write(contentsOf: line)
        }
    }

    private func write(_ name: String, _ body: (URL) throws -> Void) throws(OpenCLError) {
        let file = directory.appendingPathComponent(name)
        do {
            try body(file)
        } catch FileError.cannotCreate(file: _, let reason), FileError.writeFailed(file: _, let reason) {
            throw .programNotSaved(path: file.path, reason: reason)
        } catch {
            throw .programNotSaved(path: file.path, reason: systemReason(error))
        }
    }
}
