import Compute
import Foundation
import KernelChecks
import Support
import Synchronization

/// What a process that verifies tells the one that started it: a JSON object a line.
struct VerifyEvent: Codable, Sendable {
    enum Stage: String, Codable {
        /// A case begins: its verdict does not count.
        case begin
        /// A case has ended.
        case end
        /// All cases of a share have ended.
        case done
    }
    var stage: Stage
    /// Nil where the stage is that of a share.
    var entry: VerifyReport.Case?

    /// The event as a line.
    func line() throws -> String { try JSON.text(self, nonFinite: .named) }

    init(_ stage: Stage, _ entry: VerifyReport.Case? = nil) {
        self.stage = stage
        self.entry = entry
    }

    /// The event of a line.
    init(line: Data) throws { self = try JSON.value(of: line, nonFinite: .named) }
}

/// Verifies in several processes, each of which takes one share of the cases after the other. Drivers compile one program
/// at a time in a process, and compiling is most of the work; and a driver that crashes takes only the rest of a share along.
final class VerifyWorkers: Sendable {
    /// Cases that belong together: those of a kernel in a profile. Shares this small end together, and a process costs its
    /// driver's start only once, which with PoCL is that of a compiler, 0.5 s.
    struct Share: Sendable {
        var profile: String
        var kernel: String

        /// The share as the line that a process is sent.
        var line: String { "\(profile) \(kernel)\n" }

        init(profile: String, kernel: String) {
            self.profile = profile
            self.kernel = kernel
        }

        /// The share of a line, nil where it is none.
        init?(line: String) {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 2 else { return nil }
            self.init(profile: words[0], kernel: words[1])
        }
    }

    private let arguments: [String]
    private let failFast: Bool
    private let state: Mutex<State>
    private let news = DispatchSemaphore(value: 0)

    private struct State {
        /// In reverse: the last one is next.
        var waiting: [Share]
        var threads = 0
        var running: Set<pid_t> = []
        var ended: [VerifyReport.Case] = []
        var isStopping = false
        /// The exit code of the first process that refused to begin, was interrupted or gave up: no share is begun after it.
        var refusal: Int32?
    }

    /// Starts at most `jobs` processes for `shares`, with `arguments`.
    init(_ shares: [Share], jobs: Int, arguments: [String], failFast: Bool) {
        self.arguments = arguments
        self.failFast = failFast
        state = Mutex(State(waiting: shares.reversed(), threads: jobs))
        for _ in 0..<jobs {
            Thread.detachNewThread { [self] in
                blockPipeSignals()
                verifyShares()
                state.withLock { $0.threads -= 1 }
                news.signal()
            }
        }
    }

    /// Waits for the next case that has ended, nil when there are no more; those of a share come in their order.
    func next() -> VerifyReport.Case? {
        while true {
            let (entry, isLast) = state.withLock { state in
                (state.ended.isEmpty ? nil : state.ended.removeFirst(), state.threads == 0)
            }
            if let entry { return entry }
            if isLast { return nil }
            news.wait()
        }
    }

    /// The exit code of a process that refused to begin, was interrupted or gave up; nil where there was none.
    var refusal: Int32? { state.withLock(\.refusal) }

    private func nextShare() -> Share? {
        state.withLock { $0.isStopping || $0.refusal != nil ? nil : $0.waiting.popLast() }
    }

    private func receive(_ entry: VerifyReport.Case) {
        state.withLock { $0.ended.append(entry) }
        news.signal()
    }

    /// Ends all processes and starts no more.
    func stop() {
        state.withLock {
            $0.isStopping = true
            for process in $0.running { kill(process, SIGINT) }
        }
    }

    /// A process that has gone must not end this one, which writes to it.
    private func blockPipeSignals() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    private func verifyShares() {
        var worker: Worker?
        while let share = nextShare() {
            let current: Worker
            do {
                current = try worker ?? start()
            } catch {
                receive(Self.failure(share, nil, "its process could not be started: \(error)"))
                continue
            }
            let end = verify(share, by: current)
            // Where a case failed, the driver may be in no state for the next one.
            worker = end == .whole ? current : nil
            if worker == nil { finish(current) }
        }
        if let worker { finish(worker) }
    }

    /// A process that verifies.
    private final class Worker {
        let process = Process()
        let input = Pipe()
        let output = Pipe()
        /// What it wrote behind the last whole line.
        var rest = Data()
        /// Whether it ever told of a case.
        var hasBegun = false
    }

    private func start() throws -> Worker {
        let worker = Worker()
        let process = worker.process
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = arguments
        process.standardInput = worker.input
        process.standardOutput = worker.output
        try process.run()
        let number = process.processIdentifier
        state.withLock { state in
            state.running.insert(number)
            // The order to stop may have come while it started.
            if state.isStopping { kill(number, SIGINT) }
        }
        return worker
    }

    private func finish(_ worker: Worker) {
        try? worker.input.fileHandleForWriting.close()
        worker.process.waitUntilExit()
        state.withLock { _ = $0.running.remove(worker.process.processIdentifier) }
    }

    private enum ShareEnd {
        case whole
        /// At the end, with a case that failed.
        case failed
        /// The process ended before the share did.
        case cut
    }

    private func verify(_ share: Share, by worker: Worker) -> ShareEnd {
        // Where it cannot be written there is nothing to read either.
        try? worker.input.fileHandleForWriting.write(contentsOf: Data(share.line.utf8))
        var begun: VerifyReport.Case?
        var end = ShareEnd.whole
        while true {
            let data = worker.output.fileHandleForReading.availableData
            if data.isEmpty { break }
            worker.rest += data
            while let newline = worker.rest.firstIndex(of: UInt8(ascii: "\n")) {
                // What is not an event is a driver that prints: no concern of ours.
                let event = try? VerifyEvent(line: Data(worker.rest[worker.rest.startIndex..<newline]))
                worker.rest = Data(worker.rest[worker.rest.index(after: newline)...])
                guard let event else { continue }
                worker.hasBegun = true
                begun = event.stage == .begin ? event.entry : nil
                if event.stage == .done { return end }
                if event.stage == .end, let entry = event.entry {
                    receive(entry)
                    if entry.verdict == .failed { end = .failed }
                    if failFast, entry.verdict != .right { stop() }
                }
            }
        }
        worker.process.waitUntilExit()
        if !state.withLock(\.isStopping) { takeEnd(of: worker.process, share, begun, hasBegun: worker.hasBegun) }
        return .cut
    }

    /// Notes why a process ended before its share did.
    private func takeEnd(of process: Process, _ share: Share, _ begun: VerifyReport.Case?, hasBegun: Bool) {
        let status = process.terminationStatus
        let isSignal = process.terminationReason == .uncaughtSignal
        // Where the device does not answer, every other kernel would take as long until it is given up.
        let hasGivenUp = !isSignal && status == Stalls.exitCode && hasBegun
        if hasGivenUp || (!isSignal && (status == 130 || (!hasBegun && status > 1))) {
            state.withLock { state in if state.refusal == nil { state.refusal = status } }
        }
        let lost = "the cases after it of \(share.kernel) did not run in this profile"
        if isSignal {
            let name = String(cString: strsignal(status))
            receive(Self.failure(share, begun, "signal \(status) (\(name)) in the driver ended the process; \(lost)"))
        } else if hasGivenUp {
            receive(
                Self.failure(share, begun, "the device did not answer until it was given up; no other kernel is begun"))
        } else if refusal == nil {
            receive(Self.failure(share, begun, "its process ended with status \(status); \(lost)"))
        }
    }

    private static func failure(_ share: Share, _ begun: VerifyReport.Case?, _ message: String) -> VerifyReport.Case {
        VerifyReport.Case(
            kernel: share.kernel, profile: share.profile, name: begun?.name ?? "start", error: .infinity, bound: 0,
            verdict: .failed, message: message)
    }
}
