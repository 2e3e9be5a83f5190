import Foundation
import OpenCL
import Support

/// Every platform and device of this host, for `coppice devices` and for choosing among them.
package struct DeviceInventory: Sendable {
    /// An OpenCL implementation.
    package struct PlatformEntry: Sendable {
        /// Its name.
        package var name: String
        /// Its version as it words it.
        package var version: String
        /// Its devices; there may be none.
        package var devices: [DeviceEntry]
        /// Why its devices could not be listed, nil where they could.
        package var problem: String?
    }

    /// A device.
    package struct DeviceEntry: Sendable {
        /// Its name.
        package var name: String
        /// The name of its platform.
        package var platform: String
        /// The driver's version.
        package var driver: String
        /// What it is.
        package var kind: Device.Kind
        /// Why it cannot be used, nil where it can.
        package var obstacle: String?
        /// The device itself and all it says of itself; nil only in tests.
        package var device: Device?

        /// The device, its platform and driver in a few words.
        package var label: String { "\(name) (\(platform), driver \(driver))" }
    }

    /// The platforms in the loader's order.
    package var platforms: [PlatformEntry]
    /// Why there are no platforms, nil where there are.
    package var problem: String?

    /// All devices in the order of their platforms.
    package var devices: [DeviceEntry] { platforms.flatMap(\.devices) }

    /// Asks OpenCL what there is. Nothing here is an error: what cannot be used says why.
    package static func current(environment: EnvironmentVariables = .process)
        -> DeviceInventory
    {
        if environment[OpenCLLibrary.environmentKey] == "none" {
            return DeviceInventory(platforms: [], problem: "OpenCL is hidden by \(OpenCLLibrary.environmentKey)=none")
        }
        do throws(OpenCLError) {
            let platforms = try Platform.listing().map { platform in
                switch platform {
                case .success(let platform): entry(of: platform)
                case .failure(let error):
                    PlatformEntry(
                        name: "of no name", version: "unknown version", devices: [], problem: error.description)
                }
            }
            return DeviceInventory(platforms: platforms, problem: nil)
        } catch {
            return DeviceInventory(platforms: [], problem: error.description)
        }
    }

    private static func entry(of platform: Platform) -> PlatformEntry {
        var entry = PlatformEntry(name: platform.name, version: platform.version, devices: [], problem: nil)
        do throws(OpenCLError) {
            for device in try platform.deviceListing() {
                switch device {
                case .success(let device):
                    entry.devices.append(
                        DeviceEntry(
                            name: device.name, platform: platform.name, driver: device.driverVersion,
                            kind: device.kind,
                            obstacle: obstacle(version: device.version, device.isAvailable, device.hasCompiler),
                            device: device))
                case .failure(let error):
                    entry.devices.append(
                        DeviceEntry(
                            name: "of no name", platform: platform.name, driver: "unknown", kind: .other,
                            obstacle: error.description, device: nil))
                }
            }
        } catch {
            entry.problem = error.description
        }
        return entry
    }

    /// Why a device cannot run the kernels, or nil. `version` is "OpenCL <major>.<minor> …" by the standard.
    static func obstacle(version: String, _ isAvailable: Bool, _ hasCompiler: Bool) -> String? {
        if !isAvailable { return "it is not available" }
        if !hasCompiler { return "its driver has no compiler" }
        let words = version.split(separator: " ")
        let numbers = words.count > 1 ? words[1].split(separator: ".").compactMap { Int($0) } : []
        guard numbers.count == 2, (numbers[0], numbers[1]) >= (1, 2) else {
            return "it supports \(version), OpenCL 1.2 is needed"
        }
        return nil
    }
}
