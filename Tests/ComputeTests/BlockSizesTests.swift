import Foundation
import OpenCL
import TestSupport
import Testing

@testable import Compute

@Suite struct BlockSizesTests {
    @Test(arguments: DeviceProfile.all) func everyCandidateFitsTheLayouts(_ profile: DeviceProfile) {
        for tunable in Tunable.all {
            let candidates = tunable.candidates(profile)
            #expect(Set(candidates).count == candidates.count && BlockSizes(profile)[tunable] == candidates[0])
            #expect(Set(candidates.map(\.count)).count == 1)
        }
        for block in Tunable.pointBlock.candidates(profile) {
            #expect(ClusteringShape.blockUnit % (profile.tile * block[0]) == 0)
        }
        for block in Tunable.covarianceBlock.candidates(profile) where !profile.splitsWork {
            #expect(CovarianceShape.width % block[0] == 0)
            #expect(CovarianceShape.width % (block[1] * profile.vectorWidth) == 0)
        }
    }

    @Test(arguments: DeviceProfile.all) func theTextReadsBack(_ profile: DeviceProfile) throws {
        var sizes = BlockSizes(profile)
        #expect(sizes.text.isEmpty && sizes.tuned.isEmpty)
        for tunable in Tunable.all { sizes = sizes.with(try #require(tunable.candidates(profile).last), for: tunable) }
        // Some have one size in a profile, a share of a GPU's work on a processor for one.
        let choices = Tunable.all.count { $0.candidates(profile).count > 1 }
        #expect(choices > 5 && sizes.tuned.count == choices && sizes != BlockSizes(profile))
        #expect(BlockSizes(text: sizes.text, profile: profile) == sizes)
        #expect(BlockSizes(text: "", profile: profile) == BlockSizes(profile))
    }

    @Test(arguments: [
        "point_block", "point_block: ", "point_block: 2", "point_block: 2 10 3", "point_block: 3 10",
        "point_block: a b",
        "points_block: 2 8", "point_block: 2 8\npoint_block: 2 8", "point_block: 2 8\nx",
    ])
    func whatIsNoCandidateIsRefused(text: String) {
        #expect(BlockSizes(text: text, profile: .cpu16) == nil)
        #expect(BlockSizes(text: "point_block: 2 8", profile: .cpu16) != nil)
    }

    @Test(.enabled(if: (try? Device.all().isEmpty) == false, "this host has no OpenCL device"))
    func theCacheKeepsThemForOneDeviceAndProfile() throws {
        let folder = try TemporaryFolder()
        let cache = BlockSizeCache(directory: folder.url)
        let device = try #require(try Device.all().first)
        #expect(cache.sizes(for: device, profile: .cpu16) == nil)
        let sizes = BlockSizes(.cpu16).with([2, 8], for: .pointBlock)
        #expect(cache.store(sizes, for: device))
        #expect(cache.sizes(for: device, profile: .cpu16) == sizes)
        #expect(cache.sizes(for: device, profile: .gpu) == nil)
        // A file with one bit changed is no file.
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: folder.path).first)
        let file = folder.url.appendingPathComponent(name)
        var bytes = try Data(contentsOf: file)
        bytes[bytes.count - 2] ^= 1
        try bytes.write(to: file)
        #expect(cache.sizes(for: device, profile: .cpu16) == nil)
        #expect(cache.store(sizes, for: device) && cache.forget(device, profile: .cpu16))
        #expect(!cache.forget(device, profile: .cpu16) && cache.sizes(for: device, profile: .cpu16) == nil)
    }
}
