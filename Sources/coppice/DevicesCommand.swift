import ArgumentParser
import Compute
import Foundation

/// `coppice devices`
struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "Lists every OpenCL platform and device, which one `auto` takes, and why.",
        discussion:
            "The built-in CPU path is always there. Nothing is started: a device that fails later is passed over.")

    @Flag(help: "Print one JSON object.")
    var json = false

    private struct Report: Encodable {
        var automatic: Choice
        var platforms: [Platform]
        var builtin: BuiltIn
        var problem: String?
    }

    private struct Choice: Encodable {
        var name: String
        var platform: String
        var reason: String
    }

    private struct BuiltIn: Encodable {
        var name: String
        var automatic: Bool
    }

    private struct Platform: Encodable {
        var name: String
        var version: String
        var problem: String?
        var devices: [Device]
        var quirks: [Quirk]
    }

    private struct Quirk: Encodable {
        var text: String
        var link: String

        static func all(_ platform: String, _ version: String, _ device: String?, _ driver: String) -> [Quirk] {
            DeviceQuirk.all(of: .init(platform: platform, version: version, device: device, driver: driver))
                .map { Quirk(text: $0.text, link: $0.link) }
        }
    }

    private struct Device: Encodable {
        var name: String
        var kind: String
        var driver: String
        var version: String?
        var automatic: Bool
        var obstacle: String?
        var profile: String?
        var tuned: Bool
        var computeUnits: Int?
        var globalMemory: Int?
        var localMemory: Int?
        var maxAllocation: Int?
        var maxWorkGroupSize: Int?
        var quirks: [Quirk]
    }

    func run() throws {
        let inventory = DeviceInventory.current()
        noteCache(quiet: false)
        let report = Self.report(inventory)
        if json { try printJSON(report) } else { Self.show(report) }
    }

    private static func report(_ inventory: DeviceInventory) -> Report {
        let (chosen, reason) = DeviceSelection.automatic(in: inventory)
        let builtInName = CPUBackend().device.name
        // Twins have one name; the first of them is the one that is taken.
        var isOpen = chosen != nil
        let platforms = inventory.platforms.map { platform in
            Platform(
                name: platform.name, version: platform.version, problem: platform.problem,
                devices: platform.devices.map { entry in
                    let isChosen = isOpen && entry.obstacle == nil && entry.label == chosen?.label
                    if isChosen { isOpen = false }
                    return device(entry, automatic: isChosen)
                },
                quirks: platform.devices.isEmpty && platform.problem == nil
                    ? Quirk.all(platform.name, platform.version, nil, "") : [])
        }
        return Report(
            automatic: Choice(name: chosen?.name ?? builtInName, platform: chosen?.platform ?? "", reason: reason),
            platforms: platforms, builtin: BuiltIn(name: builtInName, automatic: chosen == nil),
            problem: inventory.problem)
    }

    private static func device(_ entry: DeviceInventory.DeviceEntry, automatic: Bool) -> Device {
        Device(
            name: entry.name, kind: entry.kind.rawValue, driver: entry.driver, version: entry.device?.version,
            automatic: automatic, obstacle: entry.obstacle, profile: entry.device.map { DeviceProfile(for: $0).name },
            tuned: entry.device.map { BlockSizeCache().sizes(for: $0, profile: DeviceProfile(for: $0)) != nil }
                ?? false,
            computeUnits: entry.device?.computeUnits, globalMemory: entry.device?.globalMemory,
            localMemory: entry.device?.localMemory, maxAllocation: entry.device?.maxAllocation,
            maxWorkGroupSize: entry.device?.maxWorkGroupSize,
            quirks: Quirk.all(entry.platform, entry.device?.version ?? "", entry.name, entry.driver))
    }

    private static func show(_ quirks: [Quirk]) {
        for quirk in quirks { print("      known: \(quirk.text) (\(quirk.link))") }
    }

    private static func show(_ report: Report) {
        if let problem = report.problem { print("no OpenCL platform: \(problem)") }
        for platform in report.platforms {
            print("platform \(platform.name), \(platform.version)")
            if let problem = platform.problem { print("    its devices could not be listed: \(problem)") }
            if platform.devices.isEmpty, platform.problem == nil { print("    no device") }
            show(platform.quirks)
            for device in platform.devices {
                var facts = [device.kind, "driver \(device.driver)"]
                if let units = device.computeUnits { facts.append("\(units) compute units") }
                if let bytes = device.globalMemory { facts.append("\(fixed(Double(bytes) / 0x1p30, 1)) GiB") }
                if let profile = device.profile {
                    facts.append(
                        "kernels as \(profile)\(device.tuned ? ", with the block sizes of `coppice tune`" : "")")
                }
                if let obstacle = device.obstacle { facts.append("cannot be used: \(obstacle)") }
                print("  \(device.automatic ? "*" : " ") \(device.name): \(facts.joined(separator: ", "))")
                show(device.quirks)
            }
        }
        print("built in")
        print("  \(report.builtin.automatic ? "*" : " ") \(report.builtin.name): --device cpu, needs no OpenCL")
        print("* \(report.automatic.reason)")
    }
}
