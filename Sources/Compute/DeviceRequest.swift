import Foundation
import Support

/// The devices of a host that `--device`, `--devices` and `--mix-devices` ask for.
package struct DeviceRequest: Equatable, Sendable {
    /// The choice among the devices that the specification means.
    enum Choice: Equatable, Sendable {
        /// The first usable one.
        case first
        /// All usable ones.
        case all
        /// The ones with these numbers, from 0, in this order.
        case numbers([Int])
        /// The first N.
        case count(Int)
    }

    /// The specification as it was given.
    package let spec: String
    /// The specification without numbers, as ``DeviceSelection`` accepts it.
    let kind: String
    let choice: Choice
    /// True if devices that differ may share the work.
    let mixes: Bool

    /// True if one device is asked for without a number, which needs no list of devices.
    package var isPlain: Bool { choice == .first }

    /// True for more than one device number.
    package var namesSeveral: Bool {
        if case .numbers(let numbers) = choice { numbers.count > 1 } else { false }
    }

    /// True if the request may select more than one device.
    package var mayMeanSeveral: Bool {
        switch choice {
        case .first: false
        case .all: true
        case .numbers(let numbers): numbers.count > 1
        case .count(let count): count > 1
        }
    }

    /// The values that `--device` accepts where it accepts several devices.
    package static let accepted =
        "\(DeviceSelection.kinds); numbers from 0, or all, after it choose others than the first, or several, as in gpu:1, "
        + "gpu:0,2 or gpu:all"

    /// Makes a request from the options' values.
    /// - Parameters:
    ///   - spec: `--device`: a specification of ``DeviceSelection``, which `:all` or `:0,2` may follow.
    ///   - count: `--devices`; nil if not given.
    ///   - mixes: `--mix-devices`.
    /// - Throws: ``Sentence`` that says what is accepted.
    package init(_ spec: String, count: Int? = nil, mixes: Bool = false) throws(Sentence) {
        self.spec = spec
        self.mixes = mixes
        let (kind, numbers) = try Self.parts(of: spec)
        self.kind = kind
        if let count {
            if let numbers {
                throw Sentence(
                    "--devices counts devices, and --device \(spec) already says which: leave out --devices or :\(numbers)"
                )
            }
            guard (1...Self.mostDevices).contains(count) else {
                throw Sentence("--devices is \(count); a number from 1 to \(Self.mostDevices) is needed")
            }
            choice = count == 1 ? .first : .count(count)
        } else if let numbers {
            choice = try numbers == "all" ? .all : .numbers(Self.numbers(numbers, of: spec))
        } else {
            choice = .first
        }
        if kind.lowercased() == "cpu", choice != .first {
            throw Sentence(
                "the built-in CPU path is one device, which takes every core: --device cpu is accepted without a number, and "
                    + "opencl-cpu or gpu with one")
        }
        if mixes, isPlain {
            throw Sentence("--mix-devices is for several devices: give --devices N, or --device KIND:all")
        }
    }

    private static let mostDevices = 1024

    /// The parts before and after the colon. Names of devices may contain colons.
    private static func parts(of spec: String) throws(Sentence) -> (kind: String, numbers: String?) {
        guard let colon = spec.lastIndex(of: ":") else { return (spec, nil) }
        let kind = String(spec[..<colon])
        let numbers = spec[spec.index(after: colon)...].lowercased()
        if numbers == "all" || (!numbers.isEmpty && numbers.allSatisfy { $0.isASCII && ($0.isNumber || $0 == ",") }) {
            return (kind, numbers)
        }
        guard ["auto", "gpu", "cpu", "opencl-cpu"].contains(kind.lowercased()) else { return (spec, nil) }
        throw Sentence(
            "--device is '\(excerpt(spec))'; after \(kind): all is accepted, or numbers from 0 with commas between, as in "
                + "\(kind):0,2")
    }

    private static func numbers(_ text: String, of spec: String) throws(Sentence) -> [Int] {
        var numbers: [Int] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let number = Int(part), number < mostDevices else {
                throw Sentence(
                    "--device is '\(excerpt(spec))'; numbers from 0 to \(mostDevices - 1) with commas between are accepted"
                )
            }
            guard !numbers.contains(number) else {
                throw Sentence("--device \(excerpt(spec)) names device \(number) twice; each is accepted once")
            }
            numbers.append(number)
        }
        return numbers
    }
}

extension DeviceSelection {
    /// The devices of a request, in its order. They are numbered from 0 in the order in which the specification would take
    /// them, without the unusable ones.
    /// - Throws: ``ComputeError/noDevice(reason:)`` if there are too few, or if they differ and may not.
    package static func devices(for request: DeviceRequest, in inventory: DeviceInventory) throws(ComputeError)
        -> [DeviceInventory.DeviceEntry]
    {
        let (chosen, all) = try choice(for: request, in: inventory)
        if !request.mixes, let first = chosen.first, let other = chosen.first(where: { $0.label != first.label }) {
            throw .noDevice(
                reason: "\(first.label) and \(other.label) differ, and so would the last bits of their results; "
                    + "--mix-devices accepts that, or choose equal ones by number: \(numbered(all))")
        }
        return chosen
    }

    /// The devices of a request, whether they differ or not, and all numbered devices.
    private static func choice(for request: DeviceRequest, in inventory: DeviceInventory) throws(ComputeError)
        -> (chosen: [DeviceInventory.DeviceEntry], all: [DeviceInventory.DeviceEntry])
    {
        let all = try candidates(for: request.kind, in: inventory)
        // Mesa's drivers often offer the device of a vendor's driver a second time.
        let vendors = all.filter { !isMesas($0) }
        let distinct = vendors.isEmpty ? all : vendors
        let chosen: [DeviceInventory.DeviceEntry]
        switch request.choice {
        case .first: chosen = Array(all.prefix(1))
        case .all: chosen = distinct
        case .count(let count):
            guard distinct.count >= count else {
                throw .noDevice(
                    reason: "--devices \(count) are too many for --device \(request.kind): there "
                        + "\(distinct.count == 1 ? "is 1" : "are \(distinct.count)"), \(numbered(distinct))")
            }
            chosen = Array(distinct.prefix(count))
        case .numbers(let numbers):
            if let missing = numbers.first(where: { !all.indices.contains($0) }) {
                throw .noDevice(
                    reason: "--device \(request.spec): there is no number \(missing); there "
                        + "\(all.count == 1 ? "is" : "are") \(numbered(all))")
            }
            chosen = numbers.map { all[$0] }
        }
        return (chosen, all)
    }

    /// The device of a request for one.
    /// - Throws: ``ComputeError/noDevice(reason:)`` if there is none, or if the request is for several.
    static func device(
        for request: DeviceRequest, in inventory: DeviceInventory
    ) throws(ComputeError) -> DeviceInventory.DeviceEntry {
        let (chosen, _) = try choice(for: request, in: inventory)
        guard let first = chosen.first, chosen.count == 1 else {
            throw .noDevice(
                reason: "--device \(request.spec) means \(chosen.count) devices, and this command takes one: "
                    + "\(request.kind) with one of their numbers is accepted, as in \(request.kind):0")
        }
        return first
    }

    /// The usable devices that a specification means, in the order in which it would take them.
    private static func candidates(for kind: String, in inventory: DeviceInventory) throws(ComputeError)
        -> [DeviceInventory.DeviceEntry]
    {
        let wanted = kind.lowercased()
        let plan = try plan(for: kind, in: inventory)
        guard let first = plan.candidates.first else {
            throw .noDevice(
                reason: "numbers, all and --devices count OpenCL devices, and \(plan.reason)")
        }
        switch wanted {
        case "auto": return plan.candidates.filter { $0.kind == first.kind }
        case "gpu": return ordered(inventory.devices.filter { $0.kind == .gpu })
        case "opencl-cpu": return ordered(inventory.devices.filter { $0.kind == .cpu })
        default: return ordered(inventory.devices.filter { names($0, wanted) })
        }
    }

    private static func numbered(_ devices: [DeviceInventory.DeviceEntry]) -> String {
        devices.enumerated().map { "\($0.offset) (\($0.element.label))" }.joined(separator: ", ")
    }
}
