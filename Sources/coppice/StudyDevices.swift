import ArgumentParser
import Compute
import Datasets
import Studies
import Support

/// The devices of a study.
struct StudyDeviceOptions: ParsableArguments {
    @Option(help: "What to compute on: \(DeviceRequest.accepted).")
    var device = "auto"
    @Option(
        help: ArgumentHelp(
            "Spread the runs over the first N devices that --device means.", valueName: "N"),
        transform: wholeNumber)
    var devices: Int?
    @Flag(
        help: "Accept several devices that differ. The last bits of a run then depend on the device that made it.")
    var mixDevices = false

    /// The request.
    /// - Throws: ``Sentence`` that says what is accepted.
    var request: DeviceRequest {
        get throws(Sentence) { try DeviceRequest(device, count: devices, mixes: mixDevices) }
    }

    /// The facts about the devices for `environment.json`.
    var session: [String: String] {
        var session: [String: String] = [:]
        if device != "auto" { session["option_device"] = device }
        if let devices { session["option_devices"] = "\(devices)" }
        if mixDevices { session["option_mix_devices"] = "true" }
        return session
    }

    /// The backend of the first device, and the number of devices.
    func firstBackend(profile: DeviceProfile?, quiet: Bool) throws -> (backend: any Backend, count: Int) {
        let request = try request
        if request.isPlain { return (try chosenBackend(device, profile: profile, quiet: quiet), 1) }
        let entries = try DeviceSelection.devices(for: request, in: .current())
        // A request for devices finds at least one, or throws.
        guard let first = entries.first else {
            throw ComputeError.noDevice(reason: "--device \(device) means no device")
        }
        noteCache(quiet: quiet)
        Terminal.note("device: \(first.label), the first of \(entries.count)", quiet: quiet)
        let backend = try DeviceSelection.make(on: first, profile: profile)
        warn(of: backend)
        return (backend, entries.count)
    }
}

/// The device that a study computes on, or several at once.
final class StudyDevices {
    /// The executor of all devices.
    let executor: any StudyExecutor
    private let single: BackendExecutor?
    private let pool: DevicePool?
    /// The devices of a pool, by number.
    private let found: Locked<[Int: DeviceDescription]>

    /// No device is started yet.
    /// - Parameters:
    ///   - load: reads the data set with a name, on the calling thread.
    ///   - progress: called with the number of images that the current training has seen, on one device; several devices report
    ///     to the study instead.
    init(
        _ options: StudyDeviceOptions, _ shape: ProfileOption, replicas: Int?, memory: Int?, quiet: Bool,
        load: @escaping (String) throws -> Dataset, progress: @escaping (Int) -> Void
    ) throws {
        let request = try options.request
        let profile = try shape.forced
        if request.isPlain {
            let single = BackendExecutor(
                onDemand: { try chosenBackend(options.device, profile: profile, quiet: quiet) },
                clusteringMemory: memory, load: load, progress: progress)
            self.executor = single
            self.single = single
            self.pool = nil
            self.found = Locked([:])
            return
        }
        self.single = nil
        let sets = LoadedSets()
        let found = Locked<[Int: DeviceDescription]>([:])
        self.found = found
        let host = BackendExecutor(
            onDemand: { throw StudyError.executor(reason: "the host has no device of its own") }, sets: sets, load: load
        )
        let pool = DevicePool(host: host, replicas: replicas) {
            let entries = try DeviceSelection.devices(for: request, in: .current())
            noteCache(quiet: quiet)
            return entries.enumerated().map { index, entry -> DeviceMaker in
                Terminal.note("device \(index + 1): \(entry.label)", quiet: quiet)
                return { seat in
                    Stalls.spare(thisThreadBy: seat.giveUp)
                    let backend = try DeviceSelection.make(on: entry, profile: profile)
                    warn(of: backend)
                    found.withLock { $0[seat.number] = backend.device }
                    let executor = BackendExecutor(
                        on: backend, clusteringMemory: memory, sets: sets,
                        load: { throw StudyError.executor(reason: "the data set \($0) went missing") },
                        progress: seat.progress)
                    // It knows its device's name, and how many networks suit it, once it has taken the backend.
                    _ = try executor.preparedBackend()
                    return executor
                }
            }
        }
        self.executor = pool
        self.pool = pool
    }

    /// The devices that were started, in order.
    var descriptions: [DeviceDescription] {
        if let single { return [single.backend?.device].compactMap { $0 } }
        return found.withLock { found in found.sorted { $0.key < $1.key }.map(\.value) }
    }

    /// The names of the devices, with the number of each.
    static func names(of devices: [DeviceDescription]) -> String {
        var names: [String] = []
        for device in devices where !names.contains(device.name) { names.append(device.name) }
        return names.map { name in
            let count = devices.count { $0.name == name }
            return count > 1 ? "\(count) x \(name)" : name
        }.joined(separator: " and ")
    }

    /// Ends the threads of several devices.
    func close() { pool?.close() }
}
