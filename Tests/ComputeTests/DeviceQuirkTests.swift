import OpenCL
import Testing

@testable import Compute

@Suite struct DeviceQuirkTests {
    private static func quirks(_ platform: String, _ device: String?) -> [String] {
        DeviceQuirk.all(of: .init(platform: platform, version: "OpenCL 3.0", device: device, driver: "1"))
            .map(\.link)
    }

    @Test(arguments: [
        ("Clover", nil, ["fahbench/pull/97", "rusticl.html"]),
        ("Clover", "AMD Radeon RX 580", ["rusticl.html"]),
        ("rusticl", nil, ["fahbench/pull/97", "chwd/pull/146"]),
        ("rusticl", "llvmpipe (LLVM 15.0.6, 256 bits)", ["llvmpipe.html", "lp_bld_limits.h"]),
        ("rusticl", "AMD Radeon RX 6700 XT (radeonsi)", []),
        ("Oclgrind", "Oclgrind Simulator", ["Uninitialized.cpp", "MemCheck.cpp", "Oclgrind/issues/194"]),
        ("Portable Computing Language", "pthread-zen4", []),
        ("Portable Computing Language", nil, ["fahbench/pull/97"]),
        ("NVIDIA CUDA", "NVIDIA H200", ["pyopencl/issues/731"]),
        ("AMD Accelerated Parallel Processing", "gfx90a", []),
    ])
    func appliesWhereItIsKnown(_ platform: String, _ device: String?, _ links: [String]) {
        let found = Self.quirks(platform, device)
        #expect(found.count == links.count, "\(found)")
        for (link, ending) in zip(found, links) { #expect(link.hasSuffix(ending)) }
    }

    @Test(arguments: [("22.3.6", true), ("24.0.1", false)])
    func rusticlsLimitOfKernelsIsIgnoredInMesa22(_ driver: String, _ expected: Bool) {
        let quirks = DeviceQuirk.all(of: .init(platform: "rusticl", device: "AMD Radeon RX 6700 XT", driver: driver))
        #expect(quirks.contains { $0.effect == .kernelLimitIgnored } == expected)
    }

    @Test func everyQuirkHasASentenceAndALink() {
        for quirk in DeviceQuirk.known {
            #expect(quirk.link.hasPrefix("https://") && quirk.text.count > 40)
        }
    }

    @Test func aProfileThatADeviceCannotRunNamesTheLimit() {
        func obstacle(_ profile: DeviceProfile, group: Int = 1024, sizes: [Int] = [1024, 1024, 64], local: Int = 32768)
            -> String?
        {
            profile.obstacle(
                device: "toy", groups: WorkGroupLimits(items: group, sizes: sizes), localMemory: local)
        }
        for profile in DeviceProfile.all { #expect(obstacle(profile) == nil) }
        #expect(obstacle(.gpu64, group: 128)?.hasPrefix("profile gpu64 needs work-groups of 256") == true)
        #expect(obstacle(.gpu, group: 128)?.contains("work-groups of 256 work-items, toy runs at most 128") == true)
        #expect(obstacle(.gpu, sizes: [64, 1, 1])?.contains("toy runs at most 64") == true)
        #expect(obstacle(.cpu16, group: 64) == nil)
        #expect(
            obstacle(.gpu, sizes: [1024, 4, 4])?.contains("32 x 8 work-items, toy runs at most 1024, 1024 x 4") == true)
        #expect(obstacle(.cpu4, group: 1)?.hasPrefix("profile cpu4 needs work-groups of 2") == true)
        #expect(obstacle(.cpu8, group: 1, sizes: [1, 1, 1]) == nil)
        #expect(obstacle(.gpu, local: 16384)?.contains("32768 bytes of local memory, toy has 16384") == true)
    }

    /// Every device gets a profile that its work-groups fit, and verify runs it.
    @Test func aDeviceGetsTheProfileThatFitsIt() {
        func profile(_ kind: Device.Kind, _ floatWidth: Int, wavefront: Int? = nil, group: Int = 1024) -> DeviceProfile
        {
            DeviceProfile.suiting(
                kind, floatWidth: floatWidth, wavefront: wavefront,
                groups: WorkGroupLimits(items: group, sizes: [group, group, 64]))
        }
        #expect(profile(.cpu, 16) == .cpu16 && profile(.cpu, 8) == .cpu8 && profile(.cpu, 4) == .cpu4)
        #expect(profile(.cpu, 4, group: 1) == .cpu8 && profile(.cpu, 16, group: 1) == .cpu16)
        #expect(profile(.gpu, 1) == .gpu && profile(.gpu, 1, wavefront: 32) == .gpu)
        #expect(profile(.gpu, 1, wavefront: 64, group: 256) == .gpu64)
        #expect(profile(.accelerator, 1) == .gpu && profile(.other, 4) == .gpu)
        for group in [255, 128, 32, 2] {
            #expect(profile(.gpu, 1, group: group) == .cpu4 && profile(.gpu, 1, wavefront: 64, group: group) == .cpu4)
        }
        #expect(profile(.gpu, 1, group: 1) == .cpu8)
    }

    /// Of two profiles of one form the device's own is verified in full, the first one where it has neither.
    @Test func aProfileStandsForItsTwin() {
        func twins(_ own: DeviceProfile) -> [DeviceProfile] { DeviceProfile.all.filter { $0.isTwin(onDeviceOf: own) } }
        #expect(twins(.cpu16) == [.cpu8, .gpu64])
        #expect(twins(.cpu8) == [.cpu16, .gpu64])
        #expect(twins(.cpu4) == [.cpu8, .gpu64])
        #expect(twins(.gpu) == [.cpu8, .gpu64])
        #expect(twins(.gpu64) == [.cpu8, .gpu])
    }
}
