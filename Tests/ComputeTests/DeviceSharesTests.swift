import OpenCL
import Testing

@testable import Compute

@Suite struct DeviceSharesTests {
    private func shares(_ spec: String, _ devices: [(name: String, platform: String, kind: Device.Kind)]) throws
        -> DeviceShares
    {
        let entries = devices.map {
            DeviceInventory.DeviceEntry(name: $0.name, platform: $0.platform, driver: "1", kind: $0.kind, obstacle: nil)
        }
        let platforms = [DeviceInventory.PlatformEntry(name: "all", version: "3.0", devices: entries, problem: nil)]
        return try DeviceShares(spec: spec, in: DeviceInventory(platforms: platforms, problem: nil))
    }

    @Test func everyProcessTakesTheFirstThatIsFree() {
        // All processes see all devices.
        let all = ["a", "b", "c", "d"]
        #expect(DeviceShares.numbers([all, all, all]) == [0, 1, 2])
        // The launcher shows each process its own device.
        #expect(DeviceShares.numbers([["a"], ["b"], ["c"]]) == [0, 0, 0])
        #expect(DeviceShares.numbers([["a", "b"], ["c", "d"]]) == [0, 0])
        #expect(DeviceShares.numbers([["a", "b"], ["a", "b", "c"], ["c", "d"]]) == [0, 1, 0])
        // Too few.
        #expect(DeviceShares.numbers([["a"], ["a"]]) == [0, nil])
        #expect(DeviceShares.numbers([["a", "b"], ["a", "b"], ["a", "b"]]) == [0, 1, nil])
        #expect(DeviceShares.numbers([[]]) == [nil])
    }

    @Test func devicesOfOneKindAreCandidates() throws {
        let host: [(name: String, platform: String, kind: Device.Kind)] = [
            ("processor", "PoCL", .cpu), ("Mesa's GPU", "rusticl", .gpu), ("GPU 0", "vendor", .gpu),
            ("GPU 1", "vendor", .gpu),
        ]
        func names(_ spec: String) throws -> [String] {
            try shares(spec, host).candidates.map { $0.entry.name }
        }
        for spec in ["auto", "gpu", "vendor"] {
            #expect(try names(spec) == ["GPU 0", "GPU 1"])
            #expect(try !shares(spec, host).isShareable)
        }
        #expect(try names("gpu 1") == ["GPU 1"])
        #expect(try names("rusticl") == ["Mesa's GPU"])
        #expect(try names("opencl-cpu") == ["processor"])
        #expect(try shares("opencl-cpu", host).isShareable)
        // Drivers report no identities, so numbers are used.
        #expect(try shares("gpu", host).candidates.map(\.identity) == ["number 0", "number 1"])
    }

    @Test func theBuiltInPathServesAll() throws {
        for found in [try shares("auto", []), try shares("cpu", [("GPU", "vendor", .gpu)])] {
            #expect(found.candidates.isEmpty && found.isShareable)
        }
        #expect(throws: ComputeError.self) { try shares("gpu", []) }
    }
}
