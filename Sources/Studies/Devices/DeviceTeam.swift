import Compute
import Foundation
import Support

/// The interface that a device's thread gets.
package struct DeviceSeat: Sendable {
    /// The device's number, counted from 1.
    package let number: Int
    /// Reports the number of images that the current training has seen, all networks together.
    package let progress: @Sendable (Int) -> Void
    /// Gives up the device because it does not answer; its runs go to the others. The reason is a sentence. Returns false and
    /// does nothing if no other device is left.
    package let giveUp: @Sendable (String) -> Bool
}

/// Makes the executor of a device, on the thread that will use it.
package typealias DeviceMaker = @Sendable (DeviceSeat) throws -> any StudyExecutor

/// The threads of a study's devices: one for each device, which makes its own executor and is the only one to use it.
///
/// The study's thread hands over the runs and receives events. Sendable unchecked: the condition's lock covers all mutable
/// state.
final class DeviceTeam: @unchecked Sendable {
    /// A device as results name it.
    struct Device: Sendable {
        /// Counted from 1.
        let number: Int
        /// Its ``StudyExecutor/device``.
        var name: String
    }

    /// Something that happened, in order.
    enum Event: Sendable {
        /// A device has begun to train these networks together.
        case began([TrainingJob])
        /// The current trainings have seen this many images, on all devices.
        case advanced(images: Int)
        /// A device has trained these runs.
        case trained([(ticket: Int, outcome: TrainingOutcome)], Device)
        /// A device had no room for its networks and goes on with fewer.
        case shrunk(Device, ComputeError, networks: Int)
        /// A device is given up, and `left` others remain.
        case lost(Device, reason: String, left: Int)
        /// An error that is not the fault of a device.
        case failed(any Error)
    }

    /// A run that waits or is being trained.
    private struct Task {
        let job: TrainingJob
        /// The recipes of the runs that come later.
        let later: Set<TrainingRecipe>
    }

    /// Work for one device, which the study waits for.
    private struct Errand {
        let number: Int
        /// The device that does it.
        var device: Int?
        /// The devices that had no room for it, and the error of the last of these.
        var refused: Set<Int> = []
        var refusal: ComputeError?
        let body: @Sendable (any StudyExecutor) throws -> any Sendable
    }

    private enum Work {
        case errand(Errand)
        case training([Int], [TrainingJob], later: Set<TrainingRecipe>)
    }

    private struct Member {
        var device: Device
        /// True while its executor is being made.
        var isOpening = true
        /// ``StudyExecutor/suggestedReplicas``.
        var likes = 1
        /// True once its thread has ended.
        var hasEnded = false
        /// True once it is known not to answer, so that its thread may never end.
        var isAbandoned = false
    }

    private let condition = NSCondition()
    private let replicas: Int?
    /// Raised when trainings should stop.
    private let stop = CancellationFlag()
    // The lock covers all of these.
    private var schedule: DeviceSchedule
    private var members: [Member]
    private var tasks: [Int: Task] = [:]
    private var events: [Event] = []
    private var errand: Errand?
    private var errands = 0
    /// The device that had the last errand.
    private var lastErrand = 0
    private var answer: Result<any Sendable, any Error>?
    private var isClosing = false
    /// The error of an executor that could not be made, and that of the last device that was lost.
    private var refusal: (any Error)?
    private var fault: ComputeError?

    /// Starts the threads of devices.
    /// - Parameter replicas: the number of networks that train together on a device; nil for what suits each.
    init(_ makers: [DeviceMaker], replicas: Int?) {
        self.replicas = replicas
        count = makers.count
        schedule = DeviceSchedule(limits: makers.map { _ in 1 })
        members = makers.indices.map { Member(device: Device(number: $0 + 1, name: "")) }
        for (index, make) in makers.enumerated() {
            let thread = Thread {
                // The executor is released before its thread counts as ended.
                self.work(index, make)
                self.locked { self.members[index].hasEnded = true }
            }
            thread.name = "device \(index + 1)"
            // Drivers compile kernels on this thread's stack.
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    // MARK: - The study's side

    /// Waits until every device's executor is made.
    /// - Throws: the error of an executor that could not be made; the team is then unusable.
    func open(_ hear: (Event) throws -> Void) throws {
        try wait(hear) { !self.members.contains { $0.isOpening } }
        if let refusal = locked({ refusal }) { throw refusal }
    }

    /// The number of devices that the team was started with.
    let count: Int

    /// The devices that are left.
    var devices: [Device] { locked { members.indices.filter { !schedule.isLost($0) }.map { members[$0].device } } }

    /// The number of networks that suit the first device that is left.
    var suggestedReplicas: Int { locked { schedule.first.map { members[$0].likes } ?? 1 } }

    /// Makes a device do something and waits for it: the device of the last call, or another one while that one trains. If the
    /// device fails or has no room for it, the next one does it.
    /// - Parameter cancellation: once raised, nothing new is begun; `body` must stop its own work.
    /// - Throws: what `body` throws, if the device is not at fault or no other device is left; `CancellationError`, and what
    ///   `hear` throws.
    func perform<Value: Sendable>(
        _ hear: (Event) throws -> Void, cancelledBy cancellation: CancellationFlag? = nil,
        _ body: @escaping @Sendable (any StudyExecutor) throws -> Value
    ) throws -> Value {
        locked {
            errands += 1
            answer = nil
            errand = Errand(number: errands, device: nil) { try body($0) }
        }
        try wait(hear) {
            // The device may be busy with a long training.
            if self.answer == nil, self.errand?.device == nil, cancellation?.isCancelled == true {
                self.errand = nil
                self.answer = .failure(CancellationError())
            }
            return self.answer != nil
        }
        let outcome = locked { () -> Result<any Sendable, any Error>? in
            defer { self.answer = nil }
            return self.answer
        }
        guard let value = try outcome?.get() as? Value else {
            throw StudyError.executor(reason: "a device gave an answer of another type")
        }
        return value
    }

    /// Announces the images that each group's runs will see in training.
    func plan(images: [Int]) {
        locked { for (group, images) in images.enumerated() { schedule.plan(group: group, images: images) } }
    }

    /// Adds a run; see ``DeviceSchedule/add(_:group:kept:images:planned:)``.
    func add(_ ticket: Int, _ job: TrainingJob, later: Set<TrainingRecipe>, group: Int, planned: Int) {
        locked {
            tasks[ticket] = Task(job: job, later: later)
            let kept = job.indices.count
            schedule.add(
                ticket, group: group, kept: kept, images: job.recipe.images(kept: kept), planned: planned)
        }
    }

    /// Announces that no more runs of a group will come.
    func close(group: Int) { locked { schedule.close(group: group) } }

    /// Waits until more runs should be added.
    func waitForRoom(_ cancellation: CancellationFlag, _ hear: (Event) throws -> Void) throws {
        try wait(cancelledBy: cancellation, hear) { self.schedule.wantsMore }
    }

    /// Waits until every run that was added is trained.
    func waitForEnd(_ cancellation: CancellationFlag, _ hear: (Event) throws -> Void) throws {
        try wait(cancelledBy: cancellation, hear) { self.schedule.isDone }
    }

    /// Makes trainings stop as soon as they can, without waiting for them.
    func halt() {
        stop.cancel()
        locked { isClosing = true }
    }

    /// Ends the threads and waits for them, except for those of devices that do not answer.
    func end() {
        halt()
        condition.lock()
        defer { condition.unlock() }
        while members.contains(where: { !$0.hasEnded && !$0.isAbandoned }) { condition.wait() }
    }

    /// Hands out events until there are none and `isDone` returns true. `isDone` is called with the lock held.
    private func wait(
        cancelledBy cancellation: CancellationFlag? = nil, _ hear: (Event) throws -> Void, until isDone: () -> Bool
    ) throws {
        while true {
            condition.lock()
            // No signal announces a cancellation or the progress of a training.
            if events.isEmpty, !isDone() { _ = condition.wait(until: Date(timeIntervalSinceNow: 0.1)) }
            let new = events
            events = []
            let isOver = isDone()
            let images = schedule.imagesSeen
            let lost = schedule.devicesLeft == 0 ? fault : nil
            condition.unlock()
            // An error must not lose what other devices have finished meanwhile.
            var failure: (any Error)?
            for event in new {
                do { try hear(event) } catch { failure = failure ?? error }
            }
            if let failure { throw failure }
            try hear(.advanced(images: images))
            guard new.isEmpty else { continue }
            if isOver { return }
            try cancellation?.check()
            if let lost { throw lost }
        }
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
        condition.lock()
        defer {
            condition.broadcast()
            condition.unlock()
        }
        return body()
    }

    // MARK: - The devices' side

    private func work(_ index: Int, _ make: DeviceMaker) {
        let seat = DeviceSeat(
            number: index + 1,
            progress: { images in self.note(images: images, on: index) },
            giveUp: { reason in self.giveUp(index, reason) })
        let executor: any StudyExecutor
        do {
            executor = try make(seat)
        } catch {
            return locked {
                members[index].isOpening = false
                refusal = refusal ?? error
            }
        }
        let (name, likes) = (executor.device, executor.suggestedReplicas)
        locked {
            members[index].isOpening = false
            members[index].device.name = name
            members[index].likes = likes
            schedule.limit(index, to: replicas ?? likes)
        }
        while let work = next(for: index) {
            let goesOn =
                switch work {
                case .errand(let errand): finish(errand, Result { try errand.body(executor) }, on: index)
                case .training(let tickets, let jobs, let later):
                    finish(
                        tickets,
                        Result {
                            if let recipe = jobs.first?.recipe { try executor.prepare(for: recipe, later: later) }
                            return try executor.train(jobs, cancellation: stop)
                        }, on: index)
                }
            guard goesOn else { return }
        }
    }

    /// Wakes no thread, because it is called at every step of a training.
    private func note(images: Int, on index: Int) {
        condition.lock()
        defer { condition.unlock() }
        schedule.note(images: images, on: index)
    }

    /// Waits for something to do; nil at the end.
    private func next(for index: Int) -> Work? {
        condition.lock()
        defer { condition.unlock() }
        while !isClosing, !schedule.isLost(index) {
            if var mine = errand, mine.device == nil, device(for: mine) == index {
                mine.device = index
                errand = mine
                lastErrand = index
                return .errand(mine)
            }
            if let tickets = schedule.next(for: index) {
                let taken = tickets.compactMap { tasks[$0] }
                events.append(.began(taken.map(\.job)))
                condition.broadcast()
                return .training(tickets, taken.map(\.job), later: taken.last?.later ?? [])
            }
            condition.wait()
        }
        return nil
    }

    /// Takes the answer to an errand.
    /// - Returns: whether the device goes on.
    private func finish(_ errand: Errand, _ answer: Result<any Sendable, any Error>, on index: Int) -> Bool {
        locked {
            // If this device was given up, another one does it.
            guard !schedule.isLost(index), self.errand?.number == errand.number else { return false }
            schedule.note(images: 0, on: index)
            guard case .failure(let error as ComputeError) = answer, error.isOfDevice else {
                self.answer = answer
                self.errand = nil
                return true
            }
            if error.isOutOfMemory {
                // Other devices may have more room, and the caller may ask for less.
                self.errand?.device = nil
                self.errand?.refused.insert(index)
                self.errand?.refusal = error
                answerIfRefused()
                return true
            }
            guard schedule.devicesLeft > 1 else {
                self.answer = answer
                self.errand = nil
                return true
            }
            lose(index, "\(error)", error)
            return false
        }
    }

    /// The device that should do the errand; nil while all devices with room for it train. With the lock held.
    private func device(for errand: Errand) -> Int? {
        let idle = members.indices.filter { schedule.isIdle($0) && !errand.refused.contains($0) }
        return idle.contains(lastErrand) ? lastErrand : idle.first
    }

    /// Answers an errand that no device has room for. With the lock held.
    private func answerIfRefused() {
        guard let waiting = errand, let error = waiting.refusal, waiting.device == nil,
            members.indices.allSatisfy({ schedule.isLost($0) || waiting.refused.contains($0) })
        else { return }
        answer = .failure(error)
        errand = nil
    }

    /// Takes the outcomes of a training.
    /// - Returns: whether the device goes on.
    private func finish(_ tickets: [Int], _ answer: Result<[TrainingOutcome], any Error>, on index: Int) -> Bool {
        locked {
            // If it was given up, other devices have its runs.
            guard !schedule.isLost(index) else { return false }
            switch answer {
            case .success(let outcomes) where outcomes.count == tickets.count && outcomes.allSatisfy({ $0.count > 0 }):
                schedule.finish(index)
                for ticket in tickets { tasks[ticket] = nil }
                events.append(
                    .trained(
                        zip(tickets, outcomes).map { (ticket: $0, outcome: $1) }, members[index].device))
                return true
            case .success(let outcomes):
                schedule.giveBack(index)
                events.append(
                    .failed(
                        StudyError.executor(
                            reason: "\(outcomes.count) outcomes came back for \(tickets.count) jobs")))
                return false
            case .failure(let error as ComputeError) where error.isOutOfMemory && tickets.count > 1:
                schedule.giveBack(index)
                schedule.limit(index, to: tickets.count / 2)
                events.append(.shrunk(members[index].device, error, networks: tickets.count / 2))
                return true
            case .failure(let error as ComputeError) where error.isOfDevice:
                lose(index, "\(error)", error)
                return false
            case .failure(let error):
                schedule.giveBack(index)
                events.append(.failed(error))
                return false
            }
        }
    }

    private func giveUp(_ index: Int, _ reason: String) -> Bool {
        locked {
            guard schedule.isLost(index) || schedule.devicesLeft > 1 else { return false }
            members[index].isAbandoned = true
            if schedule.isLost(index) { return true }
            members[index].isOpening = false
            lose(index, reason, nil)
            return true
        }
    }

    /// Gives a device up. With the lock held.
    private func lose(_ index: Int, _ reason: String, _ error: ComputeError?) {
        schedule.lose(index)
        if let error { fault = error }
        if errand?.device == index { errand?.device = nil }
        answerIfRefused()
        events.append(.lost(members[index].device, reason: reason, left: schedule.devicesLeft))
    }
}

extension ComputeError {
    /// True if another device may do what this one could not.
    var isOfDevice: Bool { category == .unavailable }
}
