import Synchronization

/// Says that work should stop. A signal handler may raise it.
package final class CancellationFlag: Sendable {
    private let raised = Atomic(false)

    /// A flag that is down.
    package init() {}

    /// Asks whoever looks at the flag to stop.
    package func cancel() { raised.store(true, ordering: .relaxed) }

    /// Whether the flag was raised.
    package var isCancelled: Bool { raised.load(ordering: .relaxed) }

    /// - Throws: `CancellationError` once the flag is raised.
    package func check() throws {
        if isCancelled { throw CancellationError() }
    }
}
