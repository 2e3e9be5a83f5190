import OpenCL
import Support

/// The shape that kernels take on a kind of device: how many samples stand side by side, and how many of them one
/// work-item holds.
package struct DeviceProfile: Sendable, Hashable {
    /// What it is called in reports and in `$COPPICE_PROFILE`.
    package let name: String
    /// TILE: samples in the innermost dimension of an activation.
    package let tile: Int
    /// VW: samples in a kernel's lane type `floatv`; divides ``tile``.
    package let vectorWidth: Int
    /// LANES: work-items that share a tile.
    package var lanes: Int { tile / vectorWidth }

    /// Processors with 512-bit vectors.
    package static let cpu16 = DeviceProfile(name: "cpu16", tile: 16, vectorWidth: 16)
    /// Processors with 256-bit vectors.
    package static let cpu8 = DeviceProfile(name: "cpu8", tile: 8, vectorWidth: 8)
    /// Processors with 128-bit vectors.
    package static let cpu4 = DeviceProfile(name: "cpu4", tile: 8, vectorWidth: 4)
    /// GPUs: neighbouring work-items take neighbouring samples, so that loads coalesce.
    package static let gpu = DeviceProfile(name: "gpu", tile: 32, vectorWidth: 1)

    /// GPUs that run 64 work-items in step, as AMD's do up to GCN and CDNA: a tile fills such a wave.
    package static let gpu64 = DeviceProfile(name: "gpu64", tile: 64, vectorWidth: 1)

    /// Every profile; kernels work in each of them on any device.
    package static let all: [DeviceProfile] = [.cpu16, .cpu8, .cpu4, .gpu, .gpu64]

    /// Whether kernels take the same lines here as in `other`, whose vectors or waves have another width: both with a tile
    /// to a work-item, or both with one to a wave.
    private func isAlike(_ other: DeviceProfile) -> Bool {
        splitsWork == other.splitsWork && (lanes == 1) == (other.lanes == 1)
    }

    /// Whether another profile stands for this one on a device whose own is `own`: one that differs by the width alone,
    /// its own first.
    package func isTwin(onDeviceOf own: DeviceProfile) -> Bool {
        self != (isAlike(own) ? own : Self.all.first(where: isAlike))
    }

    /// The profile for `device`.
    package init(for device: Device) {
        self = Self.suiting(
            device.kind, floatWidth: device.nativeFloatWidth, wavefront: device.wavefront,
            groups: WorkGroupLimits(of: device))
    }

    /// The profile for a device of which this much is known: processors by the width of their vectors; GPUs, and what is
    /// neither, by the work-items that run in step, 32 where the driver does not tell. A device whose work-groups are too
    /// small for that takes the form of a processor with few work-items a group; the last one needs a single one.
    static func suiting(_ kind: Device.Kind, floatWidth: Int, wavefront: Int?, groups: WorkGroupLimits)
        -> DeviceProfile
    {
        let wanted: [DeviceProfile] =
            switch (kind, floatWidth) {
            case (.cpu, 16...): [.cpu16]
            case (.cpu, 8..<16): [.cpu8]
            case (.cpu, _): [.cpu4]
            default: wavefront == 64 ? [.gpu64, .cpu4] : [.gpu, .cpu4]
            }
        return wanted.first { groups.obstacle(to: $0) == nil } ?? .cpu8
    }

    private init(name: String, tile: Int, vectorWidth: Int) {
        self.name = name
        self.tile = tile
        self.vectorWidth = vectorWidth
    }

    /// The largest work-groups of the kernels in this profile: on a GPU the covariance's, and a team's; on a processor
    /// those that share a tile. Kernels with a work-item an element take what the device gives them.
    var largestWorkGroups: [[Int]] { splitsWork ? [[256, 1], [lanes, team]] : [[lanes, 1]] }

    /// Which limit keeps a device from running the kernels in this profile, nil where none does.
    func obstacle(device: String, groups: WorkGroupLimits, localMemory: Int) -> String? {
        if let (needed, most) = groups.obstacle(to: self) {
            return "profile \(name) needs \(needed), \(device) runs at most \(most)"
        }
        if localMemory < Self.localMemory {
            return "profile \(name) needs \(Self.localMemory) bytes of local memory, \(device) has \(localMemory)"
        }
        return nil
    }

    /// Bytes of local memory that a work-group of any kernel can be made to fit into: the least that OpenCL 1.2 demands of a device.
    private static let localMemory = 32 << 10

    /// Which limit keeps `device` from running the kernels in this profile, nil where none does.
    package func obstacle(on device: Device) -> String? {
        obstacle(device: device.name, groups: WorkGroupLimits(of: device), localMemory: device.localMemory)
    }

    /// The profile that `$COPPICE_PROFILE` asks for, nil where it is unset.
    /// - Throws: ``ComputeError/noProfile(reason:)`` for a name that is none.
    package static func requested(in environment: EnvironmentVariables) throws(ComputeError) -> DeviceProfile? {
        guard let name = environment["COPPICE_PROFILE"] else { return nil }
        return try named(name, by: "COPPICE_PROFILE")
    }

    /// The profile of a name that `setting` gave.
    /// - Throws: ``ComputeError/noProfile(reason:)`` for a name that is none.
    package static func named(_ name: String, by setting: String) throws(ComputeError) -> DeviceProfile {
        if let profile = all.first(where: { $0.name == name }) { return profile }
        let names = all.map(\.name).joined(separator: ", ")
        throw .noProfile(reason: "\(setting) is '\(name)'; it may be one of \(names)")
    }
}

/// How many work-items a device runs in a work-group.
struct WorkGroupLimits {
    /// In all.
    let items: Int
    /// In each dimension.
    let sizes: [Int]

    init(items: Int, sizes: [Int]) {
        self.items = items
        self.sizes = sizes
    }

    init(of device: Device) { self.init(items: device.maxWorkGroupSize, sizes: device.maxWorkItemSizes) }

    /// What a profile's work-groups need beyond these limits, nil where they fit.
    func obstacle(to profile: DeviceProfile) -> (needed: String, most: String)? {
        for group in profile.largestWorkGroups {
            let needed = group[0] * group[1]
            let most = min(items, sizes[0])
            if group[1] == 1, needed > most { return ("work-groups of \(needed) work-items", "\(most)") }
            if needed > items || zip(group, sizes).contains(where: { $0 > $1 }) {
                return ("work-groups of \(group[0]) x \(group[1]) work-items", "\(items), \(sizes[0]) x \(sizes[1])")
            }
        }
        return nil
    }
}
