import Compute
import OpenCL

/// Every backend the tests can reach: the CPU path, and each OpenCL device in its own profile and in the GPU's.
package enum TestBackends {
    package static let names: [String] = ["cpu"] + devices.keys.sorted()

    private static let devices: [String: (Device, DeviceProfile)] = {
        var found: [String: (Device, DeviceProfile)] = [:]
        for device in (try? Device.all()) ?? [] {
            for profile in [DeviceProfile(for: device), .gpu] {
                found["\(device.name) (\(device.platform.name)) as \(profile.name)"] = (device, profile)
            }
        }
        return found
    }()

    /// - Parameter profiling: whether a device's backend counts launches.
    package static func make(_ name: String, profiling: Bool = false) throws -> any Backend {
        guard let (device, profile) = devices[name] else { return CPUBackend() }
        return try OpenCLBackend(device: device, profile: profile, profiling: profiling)
    }

    /// An OpenCL processor in its own profile, nil where there is none.
    package static let openCLProcessor: String? = devices.keys.sorted().first { name in
        guard let (device, profile) = devices[name] else { return false }
        return device.kind == .cpu && profile == DeviceProfile(for: device)
    }
}
