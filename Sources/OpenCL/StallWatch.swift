import Foundation
import Synchronization

/// Notices calls into the driver that do not return, as when a kernel hangs.
///
/// Off until ``start(after:report:)``. While it is on, a thread looks at the calls under way. The queues wait for a
/// few commands at a time, so that a call that goes on for long is a command that does not end, however slow a device
/// may be at many. The thread itself never calls the driver, which may hang with a lock held.
package enum StallWatch {
    /// A call that takes long.
    package struct Stall: Sendable {
        /// The OpenCL function.
        package let call: String
        /// The kernel, program or buffer it is about.
        package let subject: String
        /// How long it has been watched without an end.
        package let seconds: Double
        /// A number that no other call has.
        package let number: Int
        /// The thread that made the call, as ``StallWatch/thisThread`` has it.
        package let thread: UInt
    }

    /// The calling thread.
    package static var thisThread: UInt { UInt(pthread_self()) }

    /// What there is to say of a call.
    package enum Event: Sendable {
        /// It has not returned for the stated time, and is reported again each time that it has taken as long again.
        case stalled(Stall)
        /// It did return after all.
        case ended(Stall)
    }

    /// Watches from now on until the process ends; a second start changes nothing.
    /// - Parameters:
    ///   - limit: seconds without an end after which a call is reported, at least a millisecond.
    ///   - report: hears of it, on a thread of its own.
    package static func start(after limit: Double, report: @escaping @Sendable (Event) -> Void) {
        let limit = max(limit, 0.001)
        guard !isOn.exchange(true, ordering: .relaxed) else { return }
        Thread.detachNewThread {
            var watch = Watch(limit: limit)
            let clock = ContinuousClock()
            let begin = clock.now
            while true {
                Thread.sleep(forTimeInterval: min(limit / 8, 1))
                for event in watch.look(at: calls.current, seconds: (clock.now - begin) / .seconds(1)) { report(event) }
            }
        }
    }

    /// Runs `body`, a call of `call` about `subject`.
    static func during(_ call: StaticString, _ subject: String, _ body: () -> Int32) -> Int32 {
        guard isOn.load(ordering: .relaxed) else { return body() }
        let number = calls.begin(call, subject)
        defer { calls.end(number) }
        return body()
    }

    private static let isOn = Atomic(false)
    private static let calls = Calls()

    /// A call under way.
    struct Call {
        let number: Int
        let call: StaticString
        let subject: String
        var thread: UInt = 0
    }

    /// What was seen of the calls under way. Time starts when a call is first seen, which spares the calls a clock.
    struct Watch {
        let limit: Double
        private var seen: [Int: (call: Call, first: Double, reported: Int)] = [:]

        init(limit: Double) { self.limit = limit }

        /// What is to be said now that `calls` are under way.
        mutating func look(at calls: [Call], seconds now: Double) -> [Event] {
            var events: [Event] = []
            for (number, past) in seen where !calls.contains(where: { $0.number == number }) {
                seen[number] = nil
                if past.reported > 0 { events.append(.ended(Self.stall(past.call, now - past.first))) }
            }
            for call in calls {
                let past = seen[call.number] ?? (call, now, 0)
                let limits = Int((now - past.first) / limit)
                if limits > past.reported { events.append(.stalled(Self.stall(call, now - past.first))) }
                seen[call.number] = (call, past.first, max(limits, past.reported))
            }
            return events
        }

        private static func stall(_ call: Call, _ seconds: Double) -> Stall {
            Stall(
                call: "\(call.call)", subject: call.subject, seconds: seconds, number: call.number, thread: call.thread)
        }
    }

    /// The calls of all threads. Sendable unchecked: the lock covers what is mutable.
    private final class Calls: @unchecked Sendable {
        private let lock = NSLock()
        private var underWay: [Call] = []
        private var count = 0

        var current: [Call] { lock.withLock { underWay } }

        func begin(_ call: StaticString, _ subject: String) -> Int {
            let thread = StallWatch.thisThread
            return lock.withLock {
                count += 1
                underWay.append(Call(number: count, call: call, subject: subject, thread: thread))
                return count
            }
        }

        func end(_ number: Int) {
            lock.withLock { underWay.removeAll { $0.number == number } }
        }
    }
}
