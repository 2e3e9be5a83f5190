import Foundation
import OpenCL
import Support

/// Where `coppice tune` keeps what it found: beside the compiled programs, under a key of device, driver, platform,
/// profile and the kernels' text. At any doubt there is nothing, which means the defaults.
package struct BlockSizeCache: Sendable {
    private let files: ProgramCache

    /// The user's cache: `tuned` in the folder of compiled programs.
    package init(environment: EnvironmentVariables = .process) {
        self.init(
            directory: ProgramCache.standardDirectory(environment: environment).appendingPathComponent("tuned"))
    }

    /// A cache in `directory`.
    init(directory: URL) { files = ProgramCache(directory: directory) }

    /// The folder that holds the files.
    package var directory: URL { files.directory }

    /// What was kept for `device` in `profile`, nil for nothing.
    package func sizes(for device: Device, profile: DeviceProfile) -> BlockSizes? {
        guard let key = Self.key(device, profile), let bytes = files.binary(for: key),
            bytes.starts(with: Self.heading.utf8)
        else { return nil }
        let text = String(decoding: bytes.dropFirst(Self.heading.utf8.count), as: UTF8.self)
        return BlockSizes(text: text, profile: profile)
    }

    /// Keeps `sizes` if it can, and says whether it did.
    package func store(_ sizes: BlockSizes, for device: Device) -> Bool {
        guard let key = Self.key(device, sizes.profile) else { return false }
        files.store(Array((Self.heading + sizes.text).utf8), for: key)
        return self.sizes(for: device, profile: sizes.profile) == sizes
    }

    /// Removes what was kept, and says whether there was anything.
    package func forget(_ device: Device, profile: DeviceProfile) -> Bool {
        guard let key = Self.key(device, profile) else { return false }
        return files.remove(key)
    }

    /// Before the sizes, of which there may be none.
    private static let heading = "block sizes\n"

    /// Nil where a kernel's text cannot be read.
    private static func key(_ device: Device, _ profile: DeviceProfile) -> ProgramCache.Key? {
        var source = ""
        for name in KernelSource.names {
            guard let text = try? KernelSource.chosenText(of: name) else { return nil }
            source += "\(name)\n\(text)\n"
        }
        return ProgramCache.Key(source: source, options: "block sizes of profile \(profile.name)", device: device)
    }
}
