import Datasets
import Foundation
import OpenCL
import Support
import Synchronization

/// What the program does about a device that does not answer: it says so, and gives up in the end.
enum Stalls {
    static let environmentKey = "COPPICE_STALL_SECONDS"
    /// Far longer than any command takes on a processor, and enough for a simulator at work on small shapes.
    static let standardSeconds = 120.0
    /// What a program ends with that has given up.
    static let exitCode: Int32 = 75
    /// So many times as long as until it is said.
    static let patience = 10.0

    /// For the help of commands that compute.
    static let help = """
        A command that the device has not ended after \(Int(standardSeconds)) s ($\(environmentKey), 0 for never) is \
        named on stderr; Ctrl-C then ends the program at once, and after \(Int(patience)) times as long it gives up by \
        itself with exit code \(exitCode), or gives up only that device if a study has others left.
        """

    /// Watches from now on.
    /// - Throws: ``Failure`` for a setting that is no number of seconds.
    static func watch(environment: EnvironmentVariables = .process) throws {
        let setting = environment[environmentKey] ?? ""
        func failure(_ reason: String) -> Failure {
            Failure(
                "\(environmentKey) is '\(excerpt(setting))'; seconds are accepted, 0 for never and \(Int(standardSeconds)) unless set: "
                    + reason, exitCode: 64)
        }
        let seconds: Double
        do {
            seconds = setting.isEmpty ? standardSeconds : try DecimalNumber.real(setting)
        } catch {
            throw failure("\(error)")
        }
        guard seconds >= 0, seconds < 1e9 else { throw failure("a number from 0 to 1e9 is needed") }
        guard seconds > 0 else { return }
        StallWatch.start(after: seconds) { hear($0, limit: seconds) }
    }

    /// Calls `giveUp` before the program gives up because of a call of this thread.
    /// - Parameter giveUp: gets a sentence that says what did not end; returns true if the program can do without the thread.
    static func spare(thisThreadBy giveUp: @escaping @Sendable (String) -> Bool) {
        watched.withLock { $0.spares[StallWatch.thisThread] = giveUp }
    }

    /// Ends the process at once if a thread was given up, because drivers may wait for it at an orderly exit.
    static func endWithoutThreads(_ code: Int32) {
        guard watched.withLock({ !$0.abandoned.isEmpty }) else { return }
        fflush(nil)
        _exit(code)
    }

    /// Ends the program where nobody is left to hear an interrupt.
    static func interrupted() {
        isInterrupted.store(true, ordering: .relaxed)
        if isStalled.load(ordering: .relaxed) { endAfterInterrupt() }
    }

    private static let isStalled = Atomic(false)
    private static let isInterrupted = Atomic(false)

    private struct Watched {
        /// The `giveUp` function of each thread.
        var spares: [UInt: @Sendable (String) -> Bool] = [:]
        /// The calls of threads that were given up.
        var abandoned: Set<Int> = []
    }
    private static let watched = Locked(Watched())

    private static func hear(_ event: StallWatch.Event, limit: Double) {
        switch event {
        case .stalled(let stall):
            let (spare, isAbandoned) = watched.withLock {
                ($0.spares[stall.thread], $0.abandoned.contains(stall.number))
            }
            if isAbandoned { return }
            let what = "\(stall.subject) (\(stall.call)) for \(brief(seconds: stall.seconds)) s"
            if stall.seconds >= patience * limit {
                if let spare, spare("it did not end \(what)") {
                    watched.withLock { _ = $0.abandoned.insert(stall.number) }
                    isStalled.store(false, ordering: .relaxed)
                    return
                }
                complain(
                    "gave up: the device did not end \(what); what was finished before is kept, and running again may help"
                )
                PoCLCache.end()
                _exit(exitCode)
            }
            if !isStalled.exchange(true, ordering: .relaxed) {
                complain(
                    "no progress: the device has not ended \(what); Ctrl-C ends the program, which gives up "
                        + "\(spare == nil ? "by itself" : "this device, or itself where it is the last,") "
                        + "after \(brief(seconds: patience * limit)) s")
            }
            if isInterrupted.load(ordering: .relaxed) { endAfterInterrupt() }
        case .ended(let stall):
            if watched.withLock({ $0.abandoned.contains(stall.number) }) { return }
            isStalled.store(false, ordering: .relaxed)
            complain(
                "\(stall.subject) (\(stall.call)) has ended after \(brief(seconds: stall.seconds)) s after all; going on"
            )
        }
    }

    private static func brief(seconds: Double) -> String {
        seconds >= 10 ? "\(Int(seconds.rounded()))" : fixed(seconds, 1)
    }

    private static func endAfterInterrupt() {
        complain("interrupted while the device did not answer; what was finished before is kept")
        PoCLCache.end()
        _exit(Signals.exitCode)
    }

    /// On a line of its own, where a bar may stand.
    private static func complain(_ sentence: String) {
        if Terminal.isInteractive { Terminal.write("\r\u{1B}[K") }
        Terminal.complain(sentence)
    }
}
