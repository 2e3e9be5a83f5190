import Compute
import Foundation
import KernelChecks
import Synchronization

/// What a process that verifies one profile tells the one that started it: a JSON object a line.
struct VerifyEvent: Codable, Sendable {
    /// "begin" before a case, "end" after it.
    var stage: String
    /// The case, without a verdict that counts at its beginning.
    var entry: VerifyReport.Case

    /// The event as a line.
    func line() throws -> String {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    init(stage: String, entry: VerifyReport.Case) {
        self.stage = stage
        self.entry = entry
    }

    /// The event of a line.
    init(line: Data) throws {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        self = try decoder.decode(VerifyEvent.self, from: line)
    }
}

/// Verifies in several processes, each of which takes a share of the cases. Drivers compile one program at a time in a
/// process, and compiling is most of the work; and a driver that crashes takes only the rest of a share along.
final class VerifyWorkers: Sendable {
    /// What one process verifies.
    struct Share: Sendable {
        var profile: String
        /// In the order of their cases.
        var kernels: [String]
        /// More options.
        var options: [String] = []

        /// The same with fewer cases.
        func quick() -> Share { Share(profile: profile, kernels: kernels, options: ["--quick"]) }
    }

    /// The shares of a profile: its kernels in so many parts, so that no core is idle for long at the end. A process costs
    /// its driver's start, and with PoCL that of a compiler, 0.4 s.
    static func shares(of profile: String, kernels: [String], parts: Int) -> [Share] {
        var names: [String] = []
        for kernel in kernels where !names.contains(kernel) { names.append(kernel) }
        // Training kernels and clustering kernels cost alike in each part.
        return (0..<parts).map { part in names.enumerated().filter { $0.offset % parts == part }.map(\.element) }
            .filter { !$0.isEmpty }.map { Share(profile: profile, kernels: $0) }
    }

    private let arguments: [String]
    private let failFast: Bool
    private let state: Mutex<State>
    private let news = DispatchSemaphore(value: 0)

    private struct State {
        var waiting: [Share]
        var threads = 0
        var running: Set<pid_t> = []
        var ended: [VerifyReport.Case] = []
        var isStopping = false
        /// The exit code of the first process that refused to begin.
        var refusal: Int32?
    }

    /// Starts processes for `shares`, at most `jobs` at a time, with `arguments` besides.
    init(_ shares: [Share], jobs: Int, arguments: [String], failFast: Bool) {
        self.arguments = arguments
        self.failFast = failFast
        state = Mutex(State(waiting: shares, threads: jobs))
        for _ in 0..<jobs {
            Thread.detachNewThread { [self] in
                while let share = nextShare() { verify(share) }
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

    /// The exit code of a process that refused to begin, nil where there was none.
    var refusal: Int32? { state.withLock(\.refusal) }

    private func nextShare() -> Share? {
        state.withLock { $0.isStopping || $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
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

    private func verify(_ share: Share) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments =
            arguments + share.options + share.kernels.flatMap { ["--kernel", $0] }
            + ["--profile", share.profile, "--events"]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardInput = FileHandle.nullDevice
        var begun: VerifyReport.Case?
        do {
            try process.run()
        } catch {
            receive(Self.failure(share, nil, "its process could not be started: \(error)"))
            return
        }
        let number = process.processIdentifier
        state.withLock { state in
            state.running.insert(number)
            // The order to stop may have come while it started.
            if state.isStopping { kill(number, SIGINT) }
        }
        var rest = Data()
        while true {
            let data = pipe.fileHandleForReading.availableData
            if data.isEmpty { break }
            rest += data
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                // What is not an event is a driver that prints: no concern of ours.
                let event = try? VerifyEvent(line: Data(rest[rest.startIndex..<end]))
                rest = Data(rest[rest.index(after: end)...])
                guard let event else { continue }
                begun = event.stage == "begin" ? event.entry : nil
                if event.stage == "end" {
                    receive(event.entry)
                    if failFast, event.entry.verdict != .right { stop() }
                }
            }
        }
        process.waitUntilExit()
        let isStopping = state.withLock { state in
            state.running.remove(number)
            return state.isStopping
        }
        if isStopping { return }
        if process.terminationReason == .uncaughtSignal {
            let signal = process.terminationStatus
            receive(
                Self.failure(
                    share, begun,
                    "signal \(signal) (\(String(cString: strsignal(signal)))) in the driver ended the process; the "
                        + "cases after it of \(share.kernels.joined(separator: ", ")) did not run in this profile"))
        } else if process.terminationStatus > 1 {
            state.withLock { state in if state.refusal == nil { state.refusal = process.terminationStatus } }
        }
    }

    private static func failure(_ share: Share, _ begun: VerifyReport.Case?, _ message: String) -> VerifyReport.Case {
        VerifyReport.Case(
            kernel: begun?.kernel ?? (share.kernels.count == 1 ? share.kernels[0] : "-"), profile: share.profile,
            name: begun?.name ?? "start", error: .infinity, bound: 0,
            verdict: .failed, message: message)
    }
}
