import Foundation
import Support

/// The folder in which PoCL keeps what it compiled. Without one PoCL has no device, and does not say why.
package enum PoCLCache {
    /// The environment variable that names the folder.
    package static let environmentKey = "POCL_CACHE_DIR"

    private struct State {
        var isChecked = false
        var notice: String?
        var temporary: String?
        var problem: String?
        /// The folder that PoCL uses; empty where there is no PoCL.
        var folder = ""
        /// The uppermost of the folders that were made for it.
        var uppermost: String?
        /// Whether the program ends by itself.
        var isEnding = false
    }

    /// The state behind a lock, which is not Synchronization's Mutex: the thread sanitizer knows nothing of that.
    private final class Guarded: @unchecked Sendable {
        private let lock = NSLock()
        private var state = State()

        func withLock<Result>(_ body: (inout State) -> Result) -> Result {
            lock.lock()
            defer { lock.unlock() }
            return body(&state)
        }
    }
    private static let state = Guarded()

    /// What was done about a folder that cannot be written, as a sentence; nil where nothing had to be.
    package static var notice: String? { state.withLock { $0.notice } }

    /// Whether a platform has this cache.
    static func isOf(platform: String) -> Bool { platform.contains("Portable Computing Language") }

    /// Puts a temporary folder in the place of one that cannot be written. The first call decides for the whole process;
    /// it has to come before the loader is asked for its platforms: Debian's sorts several by their devices, and PoCL
    /// looks for the folder when it is first asked for them, and never again.
    static func prepare() {
        state.withLock { state in
            if !state.isChecked {
                state.isChecked = true
                check(&state)
            }
        }
    }

    /// Undoes ``prepare()`` where no platform turned out to be PoCL's.
    static func withdraw() {
        let (temporary, folder, uppermost) = state.withLock { state in
            defer {
                state = State()
                state.isChecked = true
            }
            return (state.temporary, state.folder, state.uppermost)
        }
        if let temporary {
            unsetenv(environmentKey)
            rmdir(temporary)
        }
        guard let uppermost else { return }
        var path = folder
        // A slash at its end makes no folder of its own.
        while rmdir(path) == 0 || path.hasSuffix("/"), path != uppermost { path = Paths.folder(of: path) }
    }

    /// - Throws: ``OpenCLError/cacheUnwritable(reason:)`` where there was no place for a temporary folder either.
    static func requireFolder() throws(OpenCLError) {
        if let problem = state.withLock({ $0.problem }) { throw .cacheUnwritable(reason: problem) }
    }

    /// Says that the process is about to end, and removes the temporary folder, in which PoCL finds nothing afterwards.
    package static func end() {
        let temporary = state.withLock { state in
            state.isEnding = true
            defer { state.temporary = nil }
            return state.temporary
        }
        if let temporary { try? FileManager.default.removeItem(atPath: temporary) }
    }

    /// Why the folder in use cannot be written any more, as a sentence; nil where it can.
    static var currentFault: String? {
        let folder = state.withLock { $0.folder }
        guard !folder.isEmpty, let reason = obstacle(to: folder) else { return nil }
        return "PoCL's cache \(folder) cannot be written (\(reason)); \(environmentKey) names another folder"
    }

    /// PoCL's compiler ends the process with a few words of its own where it cannot write a file, as on a disk that has
    /// become full. This adds the reason, and the exit code of a failed write.
    private static func explainExit() {
        let (folder, isEnding) = state.withLock { ($0.folder, $0.isEnding) }
        guard !isEnding, !folder.isEmpty, let reason = obstacle(to: folder) else { return }
        end()
        let sentence =
            "coppice: the OpenCL driver ended the program: PoCL's cache \(folder) cannot be written (\(reason)); what was "
            + "finished before is kept, and \(environmentKey) names another folder\n"
        _ = Array(sentence.utf8).withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        _exit(74)
    }

    private static func check(_ state: inout State) {
        let environment = EnvironmentVariables.process
        let (folder, origin) = place(in: environment)
        state.folder = folder
        state.uppermost = uppermostMissing(of: folder)
        atexit { PoCLCache.explainExit() }
        guard let reason = obstacle(to: folder) else { return }
        let fault = "PoCL's cache \(folder) (\(origin)) cannot be written (\(reason))"
        let advice = "\(environmentKey) names another folder"
        for parent in environment.temporaryFolders {
            guard let made = makeFolder(in: parent) else { continue }
            guard obstacle(to: made) == nil else {
                rmdir(made)
                continue
            }
            setenv(environmentKey, made, 1)
            state.temporary = made
            state.folder = made
            state.notice =
                "\(fault): compiled kernels go to \(made), which is removed when the program ends normally; \(advice)"
            return
        }
        state.problem =
            "\(fault), and neither can \(environment.temporaryFolders.joined(separator: ", ")); \(advice)"
    }

    /// The folder that PoCL takes, and what makes it take this one.
    static func place(in environment: EnvironmentVariables) -> (folder: String, origin: String) {
        if let folder = environment[environmentKey] { return (folder, "by \(environmentKey)") }
        if let folder = environment["XDG_CACHE_HOME"] { return (folder + "/pocl/kcache", "by XDG_CACHE_HOME") }
        if let folder = environment["HOME"] { return (folder + "/.cache/pocl/kcache", "by HOME") }
        return ("/tmp/pocl/kcache", "since HOME is not set")
    }

    /// The first folder on the way to this one that does not exist; nil where all of them do.
    private static func uppermostMissing(of folder: String) -> String? {
        var missing: String?
        var path = folder
        while access(path, F_OK) != 0 {
            missing = path
            let parent = Paths.folder(of: path)
            if parent == path || parent.isEmpty { break }
            path = parent
        }
        return missing
    }

    /// Why nothing can be written into a folder, which is made where it is missing; nil where it can.
    static func obstacle(to folder: String) -> String? {
        if let code = Paths.makeFolder(folder) { return systemMessage(code) }
        var disk = statvfs()
        if statvfs(folder, &disk) == 0, disk.f_bavail * disk.f_frsize < leastRoom { return systemMessage(ENOSPC) }
        // A read-only file system and a quota show here alone.
        let probe = "\(folder)/.coppice-\(getpid())-\(UInt32.random(in: .min ... .max))"
        let descriptor = open(probe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return systemMessage() }
        defer {
            close(descriptor)
            unlink(probe)
        }
        let block = [UInt8](repeating: 1, count: 1 << 16)
        return write(descriptor, block, block.count) == block.count ? nil : systemMessage()
    }

    /// Bytes that the kernels of a study take, compiled, and what their compiler needs besides.
    private static let leastRoom: UInt = 8 << 20

    /// A new folder that is this user's alone, nil where none can be made.
    private static func makeFolder(in parent: String) -> String? {
        var template = Array("\(parent)/coppice-pocl-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { return nil }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
