import Foundation
import OpenCL
import Support

/// Chooses what to compute on. A specification is `auto` (a GPU, then another accelerator, then an OpenCL CPU, then the
/// built-in CPU path), `gpu`, `cpu` (the built-in path), `opencl-cpu`, or a part of a device's or platform's name. A number
/// after it, as in `gpu:1`, chooses another device than the first; see ``DeviceRequest``.
package enum DeviceSelection {
    /// What a specification comes to: the devices to try in this order, and whether the built-in path stands behind
    /// them.
    struct Plan {
        var candidates: [DeviceInventory.DeviceEntry]
        var fallsBack: Bool
        /// Why the first candidate, or the built-in path where there is none.
        var reason: String
    }

    /// What `--device` accepts, for help and messages.
    package static let accepted = "\(kinds); a number from 0 after it chooses another than the first, as in gpu:1"
    /// Specifications without numbers.
    static let kinds = "auto, gpu, cpu, opencl-cpu, or part of a device's or platform's name"

    /// Makes the backend that `spec` asks for.
    /// - Parameters:
    ///   - environment: `COPPICE_OPENCL_LIBRARY=none` hides OpenCL, `COPPICE_PROFILE` forces the kernels' shape.
    ///   - profile: forces the kernels' shape whatever the environment says.
    ///   - profiling: measures each launch, and so waits for each: for benchmarks.
    ///   - startsOften: takes the cache of ``ProgramCache/forRepeatedStarts(on:environment:)``.
    /// - Returns: the backend, and one line for people that says what was taken and why.
    /// - Throws: ``ComputeError/noDevice(reason:)`` where nothing answers to `spec`, and what its driver reports where
    ///   a device does answer and cannot be used. `auto` never throws for want of a device.
    package static func make(
        spec: String = "auto", environment: EnvironmentVariables = .process,
        profile forced: DeviceProfile? = nil, profiling: Bool = false, startsOften: Bool = false
    ) throws(ComputeError) -> (backend: any Backend, reason: String) {
        let profile = if let forced { forced } else { try DeviceProfile.requested(in: environment) }
        let request: DeviceRequest
        do throws(Sentence) { request = try DeviceRequest(spec) } catch { throw .noDevice(reason: "\(error)") }
        let isBuiltIn = spec.lowercased() == "cpu"
        // The built-in path must not wait for drivers to start.
        let inventory =
            isBuiltIn
            ? DeviceInventory(platforms: [], problem: nil) : DeviceInventory.current(environment: environment)
        if !request.isPlain {
            let entry = try device(for: request, in: inventory)
            let backend = try make(
                on: entry, environment: environment, profile: profile, profiling: profiling, startsOften: startsOften)
            return (backend, "\(entry.label): asked for by --device \(spec)")
        }
        let plan = try self.plan(for: spec, in: inventory)
        var failures: [String] = []
        for candidate in plan.candidates {
            guard let device = candidate.device else { continue }
            do throws(ComputeError) {
                let backend = try backend(
                    on: device, environment, profile: profile, profiling: profiling, startsOften: startsOften)
                let reason = failures.isEmpty ? plan.reason : failures.joined(separator: "; ")
                return (backend, "\(candidate.label): \(reason)")
            } catch {
                guard plan.fallsBack else { throw error }
                failures.append("\(candidate.name) failed: \(error)")
            }
        }
        let backend = CPUBackend()
        let reason = failures.isEmpty ? plan.reason : failures.joined(separator: "; ")
        return (backend, "\(backend.device.name): \(reason)")
    }

    /// Makes the backend of a device of the inventory.
    /// - Throws: ``ComputeError/noDevice(reason:)`` if it cannot be used; what its driver reports.
    package static func make(
        on entry: DeviceInventory.DeviceEntry, environment: EnvironmentVariables = .process,
        profile forced: DeviceProfile? = nil, profiling: Bool = false, startsOften: Bool = false
    ) throws(ComputeError) -> OpenCLBackend {
        let profile = if let forced { forced } else { try DeviceProfile.requested(in: environment) }
        guard let device = entry.device else {
            throw .noDevice(reason: "\(entry.label) cannot be used: \(entry.obstacle ?? "it is not there")")
        }
        return try backend(on: device, environment, profile: profile, profiling: profiling, startsOften: startsOften)
    }

    private static func backend(
        on device: Device, _ environment: EnvironmentVariables, profile: DeviceProfile?, profiling: Bool,
        startsOften: Bool
    ) throws(ComputeError) -> OpenCLBackend {
        if let obstacle = profile?.obstacle(on: device) { throw .noDevice(reason: obstacle) }
        let cache = startsOften ? ProgramCache.forRepeatedStarts(on: device) : .standard(for: device)
        let sizes = BlockSizeCache(environment: environment)
            .sizes(for: device, profile: profile ?? DeviceProfile(for: device))
        return try OpenCLBackend(device: device, profile: profile, sizes: sizes, cache: cache, profiling: profiling)
    }

    /// Which device `auto` would try first, nil for the built-in path, and why; nothing is started.
    package static func automatic(in inventory: DeviceInventory) -> (
        device: DeviceInventory.DeviceEntry?, reason: String
    ) {
        let plan = automaticPlan(in: inventory)
        return (plan.candidates.first, plan.reason)
    }

    static func plan(for spec: String, in inventory: DeviceInventory) throws(ComputeError) -> Plan {
        let wanted = spec.lowercased()
        switch wanted {
        case "auto": return automaticPlan(in: inventory)
        case "cpu": return Plan(candidates: [], fallsBack: true, reason: "asked for by --device cpu")
        case "gpu": return try plan(for: .gpu, named: "GPU", spec: spec, in: inventory)
        case "opencl-cpu": return try plan(for: .cpu, named: "OpenCL CPU", spec: spec, in: inventory)
        case "": throw .noDevice(reason: "the name of the device is empty; it may be \(accepted)")
        default: break
        }
        let matches = inventory.devices.filter { names($0, wanted) }
        guard !matches.isEmpty else {
            throw .noDevice(
                reason: "no device or platform has '\(spec)' in its name; \(whatThereIs(in: inventory)); "
                    + "--device may be \(accepted)")
        }
        let usable = ordered(matches)
        guard !usable.isEmpty else { throw .noDevice(reason: unusable(matches, spec)) }
        let others = usable.count > 1 ? ", the first of \(usable.count) that match" : ""
        return Plan(
            candidates: Array(usable.prefix(1)), fallsBack: false, reason: "asked for by --device \(spec)\(others)")
    }

    /// True if the name of a device or of its platform contains a text, which must be in lower case.
    static func names(_ entry: DeviceInventory.DeviceEntry, _ wanted: String) -> Bool {
        entry.name.lowercased().contains(wanted) || entry.platform.lowercased().contains(wanted)
    }

    /// True for a device of one of Mesa's drivers.
    static func isMesas(_ entry: DeviceInventory.DeviceEntry) -> Bool {
        let platform = entry.platform.lowercased()
        return platform.contains("rusticl") || platform.contains("clover")
    }

    private static func plan(for kind: Device.Kind, named name: String, spec: String, in inventory: DeviceInventory)
        throws(ComputeError) -> Plan
    {
        let matches = inventory.devices.filter { $0.kind == kind }
        guard !matches.isEmpty else {
            throw .noDevice(reason: "there is no \(name); \(whatThereIs(in: inventory))")
        }
        let usable = ordered(matches)
        guard !usable.isEmpty else { throw .noDevice(reason: unusable(matches, spec)) }
        return Plan(
            candidates: Array(usable.prefix(1)), fallsBack: false, reason: "asked for by --device \(spec.lowercased())")
    }

    private static func automaticPlan(in inventory: DeviceInventory) -> Plan {
        // Mesa's rasteriser is a compiler's test bed: slower than the built-in path by far.
        let candidates = ordered(inventory.devices).filter { !isRasteriser($0) }
        let reason =
            switch candidates.first?.kind {
            case .gpu: "auto takes the first GPU"
            case .accelerator, .other: "auto takes another accelerator, there is no GPU"
            case .cpu: "auto takes the OpenCL CPU, there is no GPU"
            case nil: "auto takes the built-in path, \(whyThereIsNone(in: inventory))"
            }
        return Plan(candidates: candidates, fallsBack: true, reason: reason)
    }

    /// The usable ones, by kind, and within a kind in the order of listing, but Mesa's drivers, which often offer the
    /// device of a vendor's driver a second time, last.
    static func ordered(_ devices: [DeviceInventory.DeviceEntry]) -> [DeviceInventory.DeviceEntry] {
        func rank(_ entry: DeviceInventory.DeviceEntry) -> Int {
            let kind =
                switch entry.kind {
                case .gpu: 0
                case .accelerator: 2
                case .other: 4
                case .cpu: 6
                }
            return kind + (isMesas(entry) ? 1 : 0)
        }
        let usable = devices.filter { $0.obstacle == nil }
        return usable.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }
            .map(\.element)
    }

    private static func isRasteriser(_ entry: DeviceInventory.DeviceEntry) -> Bool {
        entry.name.lowercased().contains("llvmpipe")
    }

    private static func unusable(_ matches: [DeviceInventory.DeviceEntry], _ spec: String) -> String {
        let reasons = matches.map { "\($0.label): \($0.obstacle ?? "")" }
        return "no device for --device \(spec) can be used: " + reasons.joined(separator: "; ")
    }

    private static func whyThereIsNone(in inventory: DeviceInventory) -> String {
        if let problem = inventory.problem { return problem }
        let problems = inventory.platforms.compactMap(\.problem)
        return (["no OpenCL device can be used"] + problems).joined(separator: ": ")
    }

    private static func whatThereIs(in inventory: DeviceInventory) -> String {
        if let problem = inventory.problem { return "\(problem); there is the built-in CPU path (--device cpu)" }
        var parts = inventory.devices.map(\.label)
        for platform in inventory.platforms where platform.devices.isEmpty {
            parts.append("platform \(platform.name) with \(platform.problem ?? "no device")")
        }
        return "there is " + (parts + ["the built-in CPU path (--device cpu)"]).joined(separator: ", ")
    }
}
