import OpenCL
import Support
import Testing

@testable import Compute

@Suite struct DeviceRequestTests {
    private static func entry(
        _ name: String, _ platform: String, _ kind: Device.Kind, obstacle: String? = nil
    ) -> DeviceInventory.DeviceEntry {
        .init(name: name, platform: platform, driver: "1.0", kind: kind, obstacle: obstacle, device: nil)
    }

    private static func inventory(_ devices: [DeviceInventory.DeviceEntry]) -> DeviceInventory {
        let platform = DeviceInventory.PlatformEntry(name: "all", version: "OpenCL 3.0", devices: devices, problem: nil)
        return DeviceInventory(platforms: [platform], problem: nil)
    }

    private static let pocl = entry("pthread", "Portable Computing Language", .cpu)
    private static let h200 = entry("NVIDIA H200", "NVIDIA CUDA", .gpu)
    private static let l4 = entry("NVIDIA L4", "NVIDIA CUDA", .gpu)
    private static let mesas = entry("NVIDIA H200 (nvk)", "rusticl", .gpu)
    private static let old = entry("old GPU", "Old", .gpu, obstacle: "it supports OpenCL 1.1, OpenCL 1.2 is needed")

    private static func names(
        _ spec: String, _ count: Int? = nil, mixes: Bool = false, of devices: [DeviceInventory.DeviceEntry]
    ) throws -> [String] {
        let request = try DeviceRequest(spec, count: count, mixes: mixes)
        return try DeviceSelection.devices(for: request, in: inventory(devices)).map(\.name)
    }

    @Test func allNumbersAndCountsAreTaken() throws {
        let host = [Self.pocl, Self.h200, Self.h200, Self.h200]
        #expect(try Self.names("gpu:all", of: host) == ["NVIDIA H200", "NVIDIA H200", "NVIDIA H200"])
        #expect(try Self.names("GPU:ALL", of: host).count == 3)
        #expect(try Self.names("gpu:2,0", of: host).count == 2)
        #expect(try Self.names("gpu", 2, of: host).count == 2)
        #expect(try Self.names("h200:1", of: host).count == 1)
        #expect(try Self.names("auto:all", of: host).count == 3)
        #expect(try Self.names("auto", 2, of: [Self.pocl, Self.pocl]) == ["pthread", "pthread"])
        #expect(try Self.names("opencl-cpu:all", of: host) == ["pthread"])
    }

    @Test func numbersFollowTheOrderOfChoice() throws {
        let host = [Self.mesas, Self.old, Self.h200, Self.l4]
        #expect(try Self.names("gpu:0", of: host) == ["NVIDIA H200"])
        #expect(try Self.names("gpu:1", of: host) == ["NVIDIA L4"])
        #expect(try Self.names("gpu:2", of: host) == ["NVIDIA H200 (nvk)"])
        // Mesa offers the same device again.
        #expect(try Self.names("gpu:all", of: [Self.mesas, Self.h200]) == ["NVIDIA H200"])
        #expect(try Self.names("rusticl:all", of: host) == ["NVIDIA H200 (nvk)"])
    }

    @Test func differentDevicesShareOnlyIfAsked() throws {
        let host = [Self.h200, Self.l4, Self.h200]
        #expect(try Self.names("gpu:all", mixes: true, of: host) == ["NVIDIA H200", "NVIDIA L4", "NVIDIA H200"])
        #expect(try Self.names("gpu:0,2", of: host) == ["NVIDIA H200", "NVIDIA H200"])
        let reason = Self.refusal("gpu:all", of: host)
        #expect(reason?.contains("--mix-devices accepts that") == true)
        #expect(reason?.contains("0 (NVIDIA H200 (NVIDIA CUDA, driver 1.0)), 1 (NVIDIA L4") == true, "\(reason ?? "")")
    }

    private static func refusal(
        _ spec: String, _ count: Int? = nil, of devices: [DeviceInventory.DeviceEntry]
    ) -> String? {
        do {
            _ = try names(spec, count, of: devices)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func refusalsSayWhatThereIs() {
        let host = [Self.pocl, Self.h200, Self.h200]
        #expect(Self.refusal("gpu:0,2", of: host)?.contains("there is no number 2; there are 0 (NVIDIA H200") == true)
        #expect(
            Self.refusal("gpu", 3, of: host)?.hasPrefix("--devices 3 are too many for --device gpu: there are 2")
                == true)
        #expect(Self.refusal("opencl-cpu", 2, of: host)?.contains("there is 1, 0 (pthread") == true)
        #expect(Self.refusal("gpu:all", of: [Self.pocl])?.hasPrefix("there is no GPU") == true)
        #expect(Self.refusal("gpu:all", of: [Self.old])?.contains("OpenCL 1.2 is needed") == true)
        #expect(Self.refusal("auto:all", of: [])?.contains("--devices count OpenCL devices, and ") == true)
    }

    @Test(
        arguments: [
            ("gpu:0,0", nil, false, "names device 0 twice"), ("gpu:", nil, false, "all is accepted, or numbers"),
            ("gpu:x", nil, false, "all is accepted, or numbers"), ("gpu:1,", nil, false, "numbers from 0 to 1023"),
            ("gpu:99999999999999999999", nil, false, "numbers from 0 to 1023"),
            ("gpu", 0, false, "a number from 1 to 1024"),
            ("gpu:all", 2, false, "leave out --devices or :all"),
            ("cpu", 2, false, "the built-in CPU path is one device"),
            ("cpu:all", nil, false, "the built-in CPU path is one device"),
            ("gpu", nil, true, "--mix-devices is for several"),
        ] as [(String, Int?, Bool, String)])
    func requestsThatMeanNothingAreRefused(spec: String, count: Int?, mixes: Bool, words: String) {
        do throws(Sentence) {
            _ = try DeviceRequest(spec, count: count, mixes: mixes)
            Issue.record("\(spec) was accepted")
        } catch {
            #expect(error.description.contains(words), "\(error)")
        }
    }

    @Test func oneOfSeveralIsTakenByItsNumber() throws {
        let host = Self.inventory([Self.h200, Self.l4])
        func name(_ spec: String) throws -> String {
            try DeviceSelection.device(for: DeviceRequest(spec), in: host).name
        }
        #expect(try name("gpu:1") == "NVIDIA L4" && name("l4:all") == "NVIDIA L4")
        #expect(try DeviceRequest("gpu:0,1").namesSeveral && !DeviceRequest("gpu:1").namesSeveral)
        for (spec, count, isAny) in [
            ("gpu", nil, false), ("gpu", 1, false), ("gpu", 2, true), ("gpu:all", nil, true), ("gpu:1", nil, false),
            ("gpu:1,0", nil, true),
        ] as [(String, Int?, Bool)] {
            #expect(try DeviceRequest(spec, count: count).mayMeanSeveral == isAny, "\(spec)")
        }
        #expect {
            try name("gpu:all")
        } throws: {
            "\($0)".hasPrefix("--device gpu:all means 2 devices, and this command takes one")
        }
        #expect(throws: ComputeError.self) { try DeviceSelection.make(spec: "cpu:1") }
    }

    @Test func namesMayHaveColons() throws {
        let device = Self.entry("board: rev 2", "Maker", .accelerator)
        #expect(try DeviceRequest("board: rev").isPlain)
        #expect(try Self.names("board: rev 2", 1, of: [device]) == ["board: rev 2"])
    }

    @Test func oneDeviceNeedsNoList() throws {
        for spec in ["auto", "gpu", "cpu", "opencl-cpu", "H200"] { #expect(try DeviceRequest(spec).isPlain) }
        #expect(try DeviceRequest("cpu", count: 1).isPlain)
        #expect(try !DeviceRequest("gpu:0").isPlain)
        #expect(try !DeviceRequest("gpu", count: 2).isPlain)
    }
}
