@preconcurrency import Foundation
import OpenCL
import Ranks
import Support
import Synchronization

/// The first Ctrl-C, SIGTERM or SIGHUP asks for a clean end; a second Ctrl-C or SIGTERM ends the process. While the device
/// does not respond, the first one ends the process, because a clean end would have to wait for the device. Signals from a
/// batch system always ask for a clean end, even if they are repeated.
final class Interrupt: Sendable {
    /// Calls `handler` on the first signal from now on, from another thread.
    init(_ handler: @escaping @Sendable () -> Void) {
        SignalPipe.handlers.withLock { $0[ObjectIdentifier(self)] = handler }
        for number in Signals.heard { SignalPipe.listen(to: number) }
    }

    deinit {
        SignalPipe.handlers.withLock { handlers in
            handlers[ObjectIdentifier(self)] = nil
            guard handlers.isEmpty else { return }
            for number in Signals.heard { Signals.endAtOnce(at: number) }
        }
    }
}

/// Takes signals out of their handlers, which may do next to nothing, to a thread that may do anything. A dispatch source
/// would do the same, but begins to hear some time after it was made, and what comes before that is lost.
private enum SignalPipe {
    static let handlers = Mutex<[ObjectIdentifier: @Sendable () -> Void]>([:])

    /// Where a signal's handler writes its number; below zero where there is no pipe.
    private static let input = Atomic<CInt>(-1)

    /// Made once, with the thread that reads. Without a free descriptor the signals end the process, as they did before.
    private static let isOpen: Bool = {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { return false }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // A handler must never wait.
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        input.store(ends[1], ordering: .sequentiallyConsistent)
        let output = ends[0]
        Thread.detachNewThread { read(from: output) }
        return true
    }()

    static func listen(to number: Int32) {
        guard isOpen else { return }
        signal(number) { number in
            let before = errno
            var byte = UInt8(truncatingIfNeeded: number)
            _ = write(SignalPipe.input.load(ordering: .relaxed), &byte, 1)
            errno = before
        }
    }

    /// Takes back the signals of batch systems. LLVM, which drivers such as PoCL compile kernels with, handles SIGUSR1 itself from
    /// its first compilation on, and does nothing then.
    static func listenAgain() {
        handlers.withLock { handlers in
            guard !handlers.isEmpty else { return }
            for number in Signals.heard where Signals.isPreempting(number) { listen(to: number) }
        }
    }

    private static func read(from output: CInt) {
        var heard: Set<Int32> = []
        while true {
            var waiting = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            // A signal that is handled on this thread ends the wait as the time does.
            guard poll(&waiting, 1, 100) > 0 else {
                listenAgain()
                continue
            }
            var byte: UInt8 = 0
            let count = Foundation.read(output, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else { return }
            let number = Int32(byte)
            Signals.hear(number)
            // A terminal that closes may send its signal twice, to the shell's jobs and to all of its processes; so may a batch
            // system, to the script and to what the script runs.
            if number != SIGHUP, !Signals.isPreempting(number) {
                Signals.endAtOnce(at: number)
                // The second one may have come before that.
                if !heard.insert(number).inserted { kill(getpid(), number) }
            }
            Stalls.interrupted()
            for handler in handlers.withLock({ Array($0.values) }) { handler() }
        }
    }
}

/// Ends the process at Ctrl-C at once, for commands with nothing to keep, but never in the middle of a result.
final class ExitOnInterrupt: Sendable {
    /// Instances of processes that are ranks, retained so that signals are heard until the process ends.
    private static let lasting = Locked<[ExitOnInterrupt]>([])

    private enum Answer {
        /// The process ends.
        case exit
        /// A flag is raised, and the code that reads it ends in order.
        case raise(CancellationFlag)
        /// Nothing: the work in progress ends by itself in a moment.
        case nothing
    }
    private final class Writing: Sendable {
        /// The effect of a signal; locked while the result is being written.
        let answer = Mutex(Answer.exit)
    }
    private let writing: Writing
    private let interrupt: Interrupt

    convenience init(saying message: String = "interrupted, nothing was written") {
        self.init(saying: message, after: 0)
    }

    /// For a process that is one of several ranks, of which rank 0 prints `message`. Signals are heard until the process ends:
    /// launchers pass a signal on to all ranks; if one rank ended while others still worked, the launcher would kill those.
    convenience init(saying message: String, on ranks: Communicator) {
        // A rank that ends at once has the launcher kill rank 0, which may not have printed yet, and drop what it has not read.
        self.init(saying: ranks.rank == 0 ? message : nil, after: 250_000)
        Self.lasting.withLock { $0.append(self) }
    }

    /// - Parameters:
    ///   - message: printed at the end; nil if another process prints it.
    ///   - wait: microseconds between the message and the end.
    private init(saying message: String?, after wait: UInt32) {
        let writing = Writing()
        self.writing = writing
        interrupt = Interrupt {
            writing.answer.withLock { answer in
                switch answer {
                case .nothing: return
                case .raise(let flag): flag.cancel()
                case .exit:
                    if let message { Terminal.complain(message) }
                    PoCLCache.end()
                    usleep(wait)
                    _exit(Signals.exitCode)
                }
            }
        }
    }

    /// Makes signals raise `flag` from now on; with nil they end the process again.
    func raise(_ flag: CancellationFlag?) {
        SignalPipe.listenAgain()
        writing.answer.withLock { $0 = flag.map { Answer.raise($0) } ?? .exit }
    }

    /// Has signals do nothing from now on.
    func ignore() { writing.answer.withLock { $0 = .nothing } }

    /// Runs what must be finished once it is begun.
    func finishing(_ body: () throws -> Void) rethrows {
        try writing.answer.withLock { answer in
            try body()
            answer = .nothing
        }
    }
}

extension Optional where Wrapped == ExitOnInterrupt {
    /// Runs what must be finished once it is begun.
    func finishing(_ body: () throws -> Void) rethrows {
        if let self { try self.finishing(body) } else { try body() }
    }

    /// Has signals do nothing from now on.
    func ignore() { self?.ignore() }
}
