import Foundation

/// A value behind a lock, for threads that share it. It is not Synchronization's `Mutex`, because the thread sanitizer does not
/// see that one's futex where threads wait, and reports races that are none.
package final class Locked<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    /// A lock around `value`.
    package init(_ value: Value) { self.value = value }

    /// Hands the value to `body` while no other thread has it.
    package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
