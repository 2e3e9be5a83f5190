import Compute
import Scoring
import Support

/// The executor of a study on several devices. Artifacts are made and settings tuned on one device at a time, the first one
/// unless it is training; runs are spread over all.
///
/// Each device has a thread, which is started when it is first needed. A device that fails or does not answer is given up, and
/// the others take over its work. The pool is used from one thread.
package final class DevicePool: StudyExecutor {
    private let host: any StudyExecutor
    private let makers: () throws -> [DeviceMaker]
    private let replicas: Int?
    private var started: DeviceTeam?
    private var later: Set<TrainingRecipe> = []
    private var isPrepared = false
    /// Called with the events of the devices.
    var hear: (DeviceTeam.Event) throws -> Void = { _ in }

    /// Makes a pool whose devices are started once there is something to compute.
    /// - Parameters:
    ///   - host: knows the training sets, but never computes.
    ///   - replicas: the number of networks that train together on a device; nil for what suits each.
    ///   - makers: returns one maker per device, each of which makes the device's executor on its thread, with the device
    ///     ready.
    package init(
        host: any StudyExecutor, replicas: Int? = nil, _ makers: @escaping () throws -> [DeviceMaker]
    ) {
        self.host = host
        self.replicas = replicas
        self.makers = makers
    }

    deinit { started?.halt() }

    /// Ends the devices' threads. Those of devices that do not answer are left behind.
    package func close() {
        started?.end()
        started = nil
        isPrepared = false
    }

    /// The devices that are in use.
    /// - Throws: the error of a device that could not be made.
    func team() throws -> DeviceTeam {
        if let started { return started }
        let fresh = DeviceTeam(try makers(), replicas: replicas)
        do {
            try fresh.open(hear)
        } catch {
            fresh.end()
            throw error
        }
        started = fresh
        return fresh
    }

    /// Makes trainings stop as soon as they can, without waiting for them.
    func halt() { started?.halt() }

    // MARK: - StudyExecutor

    package func dataset(_ set: TrainingSet) throws -> StudyDataset { try host.dataset(set) }

    /// True once the pool was started with more than one device.
    var hasSeveral: Bool { (started?.count ?? 0) > 1 }

    /// The names of the devices that are left, each once.
    var devices: [String] {
        var names: [String] = []
        for device in started?.devices ?? [] where !names.contains(device.name) { names.append(device.name) }
        return names
    }

    package var device: String { devices.first ?? "" }

    package var suggestedReplicas: Int { started?.suggestedReplicas ?? 1 }

    /// Prepares the first device the first time; after that each device prepares itself for the runs that it takes.
    package func prepare(for recipe: TrainingRecipe, later: Set<TrainingRecipe>) throws {
        self.later = later
        guard !isPrepared else { return }
        _ = try team().perform(hear) { executor in
            try executor.prepare(for: recipe, later: later)
            return true
        }
        isPrepared = true
    }

    /// Accepts what one device has memory for. A device with less is discovered when it trains.
    package func checkMemory(of recipe: TrainingRecipe, count: Int) throws {
        _ = try team().perform(hear) { executor in
            try executor.checkMemory(of: recipe, count: count)
            return true
        }
    }

    package func make(_ key: ArtifactKey, from found: ScoreInput, cancellation: CancellationFlag) throws -> Artifact {
        let found = HandedOver(value: found)
        let clock = ContinuousClock()
        let asked = clock.now
        return try team().perform(hear, cancelledBy: cancellation) { executor in
            let waited = (clock.now - asked) / .seconds(1)
            var artifact = try executor.make(key, from: found.value, cancellation: cancellation)
            artifact.uncountedSeconds += waited
            return artifact
        }
    }

    package func check(_ key: ArtifactKey, from found: ScoreInput, cancellation: CancellationFlag) throws {
        let found = HandedOver(value: found)
        _ = try team().perform(hear, cancelledBy: cancellation) { executor in
            try executor.check(key, from: found.value, cancellation: cancellation)
            return true
        }
    }

    /// Trains on one device.
    package func train(_ jobs: [TrainingJob], cancellation: CancellationFlag) throws -> [TrainingOutcome] {
        let later = later
        return try team().perform(hear, cancelledBy: cancellation) { executor in
            if let recipe = jobs.first?.recipe { try executor.prepare(for: recipe, later: later) }
            return try executor.train(jobs, cancellation: cancellation)
        }
    }
}

/// A value that another thread uses while its owner waits, and therefore Sendable unchecked. A study's ``ScoreInput`` holds
/// arrays of the host alone: its backend and points are set by whoever makes the artifact.
private struct HandedOver<Value>: @unchecked Sendable {
    let value: Value
}
