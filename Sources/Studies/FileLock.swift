import Foundation
import Support

/// An advisory lock on a file, as flock has them: it is gone with whoever holds it, however that ends, and Linux takes
/// it to a shared file system's server too.
final class FileLock {
    enum Mode {
        /// Many may hold it.
        case shared
        /// Nobody else may.
        case exclusive
    }

    private let path: String
    private let descriptor: Int32

    /// Opens or makes the file; nothing is locked yet.
    /// - Throws: ``StudyError`` `.cannotCreate`, `.writeFailed`.
    init(_ path: String) throws(StudyError) {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .creating(path) }
    }

    // Closing the descriptor gives the lock back, but a process that another thread is just starting holds a copy of it
    // for a moment.
    deinit {
        guard descriptor >= 0 else { return }
        release()
        close(descriptor)
    }

    /// Takes the lock, or changes how it is held.
    /// - Returns: false where somebody else holds it; then it is not held at all.
    /// - Throws: ``StudyError`` `.cannotCreate` where the file system has no locks.
    func take(_ mode: Mode) throws(StudyError) -> Bool {
        // Whoever only looks at a lock holds it for a moment.
        for attempt in 0..<5 {
            if attempt > 0 { usleep(20_000) }
            if try tryOnce(mode) { return true }
        }
        return false
    }

    /// Takes the lock once it is free.
    /// - Parameter waiting: called once where it is not free at once.
    /// - Throws: `CancellationError`, and as ``take(_:)``.
    func wait(
        _ mode: Mode, cancellation: CancellationFlag = CancellationFlag(), waiting: () -> Void = {}
    ) throws {
        if try take(mode) { return }
        waiting()
        while try !tryOnce(mode) {
            try cancellation.check()
            usleep(50_000)
        }
    }

    /// Gives the lock back.
    func release() { _ = flock(descriptor, LOCK_UN) }

    /// Whether somebody holds the lock of a file so that it could not be shared. Nothing is made or changed.
    static func isHeld(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    private func tryOnce(_ mode: Mode) throws(StudyError) -> Bool {
        while flock(descriptor, (mode == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK: return false
            default: throw .cannotCreate(path: path, reason: "this file system has no locks: \(systemMessage())")
            }
        }
        return true
    }
}
