import Dispatch
@preconcurrency import Foundation
import OpenCL
import Synchronization

/// Ctrl-C, SIGTERM and SIGHUP ask for a clean end once; a second Ctrl-C or SIGTERM ends the process. While the device does not
/// answer the first one ends it: nobody would hear the question.
final class Interrupt: @unchecked Sendable {
    private var sources: [any DispatchSourceSignal] = []

    /// Calls `handler` on the first signal, from another thread.
    init(_ handler: @escaping @Sendable () -> Void) {
        for number in Signals.ending {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                // A terminal that closes may send its signal twice, to the shell's jobs and to all of its processes.
                if number != SIGHUP { Signals.endAtOnce(at: number) }
                Stalls.interrupted()
                handler()
            }
            source.resume()
            sources.append(source)
        }
    }

    deinit { for source in sources { source.cancel() } }
}

/// Ends the process at Ctrl-C at once, for commands with nothing to keep, but never in the middle of a result.
final class ExitOnInterrupt: Sendable {
    private final class Writing: Sendable {
        /// Whether the result is there; locked while it is being written.
        let isDone = Mutex(false)
    }
    private let writing: Writing
    private let interrupt: Interrupt

    init() {
        let writing = Writing()
        self.writing = writing
        interrupt = Interrupt {
            writing.isDone.withLock { isDone in
                // What is done ends by itself in a moment, as if nobody had called.
                if isDone { return }
                Terminal.complain("interrupted, nothing was written")
                PoCLCache.end()
                _exit(130)
            }
        }
    }

    /// Runs what must be finished once it is begun.
    func finishing(_ body: () throws -> Void) rethrows {
        try writing.isDone.withLock { isDone in
            try body()
            isDone = true
        }
    }
}
