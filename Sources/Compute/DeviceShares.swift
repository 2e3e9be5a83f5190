import OpenCL
import Support

/// Shares out the devices of a host among its processes, so that no two of them take the same GPU.
package struct DeviceShares: Sendable {
    /// A device that a process can take.
    package struct Candidate: Sendable {
        let entry: DeviceInventory.DeviceEntry
        /// A text that is the same in all processes that see this device: what its driver says of it, or its number among the
        /// candidates if that does not tell them apart.
        package let identity: String
        /// The device, its platform and driver in a few words.
        package var label: String { entry.label }
    }

    /// All devices of one kind that a specification means, in the order in which it would take them. Empty for the built-in
    /// path.
    package let candidates: [Candidate]
    /// True if processes may share a device: any number of them may use one processor.
    package let isShareable: Bool
    private let spec: String

    /// The devices that `spec` means in this process.
    /// - Throws: ``ComputeError/noDevice(reason:)`` if no device matches `spec`.
    package init(spec: String, environment: EnvironmentVariables = .process) throws(ComputeError) {
        let isBuiltIn = spec.lowercased() == "cpu"
        try self.init(
            spec: spec,
            in: isBuiltIn
                ? DeviceInventory(platforms: [], problem: nil) : DeviceInventory.current(environment: environment))
    }

    init(spec: String, in inventory: DeviceInventory) throws(ComputeError) {
        self.spec = spec
        if let request = try? DeviceRequest(spec), !request.isPlain {
            throw .noDevice(
                reason:
                    "--device \(spec) names devices by numbers, and each of several ranks takes a device of its own: "
                    + "--device \(request.kind) is accepted")
        }
        let plan = try DeviceSelection.plan(for: spec, in: inventory)
        guard let first = plan.candidates.first else {
            (candidates, isShareable) = ([], true)
            return
        }
        let wanted = spec.lowercased()
        let isName = !["auto", "gpu", "opencl-cpu"].contains(wanted)
        let named = inventory.devices.filter {
            $0.kind == first.kind && (!isName || DeviceSelection.names($0, wanted))
        }
        // Mesa's drivers often offer the device of a vendor's driver a second time.
        let vendors = named.filter { !DeviceSelection.isMesas($0) }
        let all = DeviceSelection.ordered(vendors.isEmpty ? named : vendors)
        let identities = all.compactMap { $0.device?.identity }
        let areTold = Set(identities).count == all.count
        candidates = all.enumerated().map { number, entry in
            Candidate(entry: entry, identity: areTold ? identities[number] : "number \(number)")
        }
        isShareable = first.kind == .cpu
    }

    /// The number of the candidate that each process takes: the first one that no earlier process has; nil if none is left. If
    /// a launcher shows each process its own devices, identities tell these apart.
    /// - Parameter identities: the identities of the candidates of each process of one host, in the order of the processes.
    package static func numbers(_ identities: [[String]]) -> [Int?] {
        var taken: Set<String> = []
        return identities.map { own in
            guard let number = own.firstIndex(where: { !taken.contains($0) }) else { return nil }
            taken.insert(own[number])
            return number
        }
    }

    /// Makes the backend of a candidate.
    /// - Parameters:
    ///   - number: the candidate's number; without effect for the built-in path.
    ///   - profile: forces the kernels' shape.
    /// - Returns: the backend, and one line that tells the user what was taken.
    /// - Throws: what ``DeviceSelection`` throws.
    package func makeBackend(_ number: Int, profile: DeviceProfile?) throws(ComputeError) -> (
        backend: any Backend, reason: String
    ) {
        guard candidates.indices.contains(number) else {
            return try DeviceSelection.make(spec: "cpu", profile: profile)
        }
        let entry = candidates[number].entry
        let backend = try DeviceSelection.make(on: entry, profile: profile, startsOften: true)
        let place = candidates.count > 1 ? ", number \(number) of \(candidates.count)" : ""
        return (backend, "\(entry.label): --device \(spec)\(place)")
    }
}
