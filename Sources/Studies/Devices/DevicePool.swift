import Compute
import Scoring
import Support

/// Several devices as the executor of a study. Artifacts are made, and settings tuned, on one at a time, the first unless it
/// trains; runs are spread over all.
///
/// Each device has a thread, started at the first need for one. A device that fails or does not answer is given up, and the
/// others take over its work. It is used from one thread.
package final class DevicePool: StudyExecutor {
    private let host: any StudyExecutor
    private let makers: () throws -> [DeviceMaker]
    private let replicas: Int?
    private var started: DeviceTeam?
    private var later: Set<TrainingRecipe> = []
    private var isPrepared = false
    /// Hears of what the devices do.
    var hear: (DeviceTeam.Event) throws -> Void = { _ in }

    /// A pool whose devices are started once there is something to compute.
    /// - Parameters:
    ///   - host: knows the training sets; it never computes.
    ///   - replicas: how many networks train together on a device; what each likes where nil.
    ///   - makers: makes the list of devices; each makes its executor on the device's thread, with the device ready.
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

    /// The devices at work.
    /// - Throws: what the making of one threw.
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

    /// Has trainings stop as soon as they can, without waiting for them.
    func halt() { started?.halt() }

    // MARK: - StudyExecutor

    package func dataset(_ set: TrainingSet) throws -> StudyDataset { try host.dataset(set) }

    /// True once it was started with more than one device.
    var hasSeveral: Bool { (started?.count ?? 0) > 1 }

    /// The names of the devices that are left, each once.
    var devices: [String] {
        var names: [String] = []
        for device in started?.devices ?? [] where !names.contains(device.name) { names.append(device.name) }
        return names
    }

    package var device: String { devices.first ?? "" }

    package var suggestedReplicas: Int { started?.suggestedReplicas ?? 1 }

    /// Gets the first device ready the first time; after that each device gets itself ready for the runs that it takes.
    package func prepare(for recipe: TrainingRecipe, later: Set<TrainingRecipe>) throws {
        self.later = later
        guard !isPrepared else { return }
        _ = try team().perform(hear) { executor in
            try executor.prepare(for: recipe, later: later)
            return true
        }
        isPrepared = true
    }

    /// Accepts what one device has memory for. Others with less are found out when they train.
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

/// A value that another thread uses while its owner waits. Sendable unchecked for that reason. A study's ``ScoreInput`` holds
/// arrays of the host alone: its backend and points are set by whoever makes the artifact.
private struct HandedOver<Value>: @unchecked Sendable {
    let value: Value
}
