import Foundation
import OpenCL
import Testing

@testable import Compute

@Suite struct DeviceSelectionTests {
    private static func entry(
        _ name: String, _ platform: String, _ kind: Device.Kind, obstacle: String? = nil
    ) -> DeviceInventory.DeviceEntry {
        .init(name: name, platform: platform, driver: "1.0", kind: kind, obstacle: obstacle, device: nil)
    }

    private static func inventory(_ devices: [DeviceInventory.DeviceEntry]) -> DeviceInventory {
        let platforms = Set(devices.map(\.platform)).sorted().map { name in
            DeviceInventory.PlatformEntry(
                name: name, version: "OpenCL 3.0", devices: devices.filter { $0.platform == name }, problem: nil)
        }
        return DeviceInventory(platforms: platforms, problem: nil)
    }

    private static let pocl = entry("pthread-zen4", "Portable Computing Language", .cpu)
    private static let nvidia = entry("NVIDIA H200", "NVIDIA CUDA", .gpu)
    private static let fpga = entry("board", "FPGA SDK", .accelerator)
    private static let mesaGPU = entry("NVIDIA H200 (nvk)", "A rusticl", .gpu)
    private static let llvmpipe = entry("llvmpipe (LLVM 15)", "rusticl", .cpu)

    private static func first(_ spec: String, _ devices: [DeviceInventory.DeviceEntry]) throws -> String? {
        try DeviceSelection.plan(for: spec, in: inventory(devices)).candidates.first?.name
    }

    @Test func autoPrefersGPUsThenAcceleratorsThenProcessors() throws {
        #expect(try Self.first("auto", [Self.pocl, Self.fpga, Self.nvidia]) == "NVIDIA H200")
        #expect(try Self.first("auto", [Self.pocl, Self.fpga]) == "board")
        #expect(try Self.first("AUTO", [Self.pocl]) == "pthread-zen4")
        #expect(try Self.first("auto", []) == nil)
    }

    @Test func autoPrefersAVendorsDriverToMesas() throws {
        #expect(try Self.first("auto", [Self.mesaGPU, Self.nvidia]) == "NVIDIA H200")
        #expect(try Self.first("auto", [Self.mesaGPU, Self.pocl]) == "NVIDIA H200 (nvk)")
    }

    @Test func autoNeverTakesARasteriserButItsNameDoes() throws {
        #expect(try Self.first("auto", [Self.llvmpipe]) == nil)
        #expect(try Self.first("llvmpipe", [Self.pocl, Self.llvmpipe]) == "llvmpipe (LLVM 15)")
    }

    @Test func autoPassesOverWhatCannotBeUsed() throws {
        let broken = Self.entry("old GPU", "Old", .gpu, obstacle: "it supports OpenCL 1.1, OpenCL 1.2 is needed")
        #expect(try Self.first("auto", [broken, Self.pocl]) == "pthread-zen4")
    }

    @Test func namesMatchDevicesAndPlatformsWithoutCase() throws {
        let all = [Self.pocl, Self.fpga, Self.nvidia]
        #expect(try Self.first("h200", all) == "NVIDIA H200")
        #expect(try Self.first("portable", all) == "pthread-zen4")
        #expect(try Self.first("PTHREAD", all) == "pthread-zen4")
    }

    @Test func kindsAreTakenAtTheirWord() throws {
        let all = [Self.pocl, Self.fpga, Self.nvidia]
        #expect(try Self.first("gpu", all) == "NVIDIA H200")
        #expect(try Self.first("opencl-cpu", all) == "pthread-zen4")
        #expect(try Self.first("cpu", all) == nil)
        #expect(try !DeviceSelection.plan(for: "gpu", in: Self.inventory(all)).fallsBack)
    }

    private static func refusal(_ spec: String, _ inventory: DeviceInventory) -> String? {
        do throws(ComputeError) {
            _ = try DeviceSelection.plan(for: spec, in: inventory)
            return nil
        } catch {
            guard case .noDevice(let reason) = error else { return nil }
            return reason
        }
    }

    @Test func refusalsSayWhatThereIs() throws {
        let pocl = Self.inventory([Self.pocl])
        let gpu = try #require(Self.refusal("gpu", pocl))
        #expect(gpu.hasPrefix("there is no GPU") && gpu.contains("pthread-zen4") && gpu.contains("--device cpu"))
        let name = try #require(Self.refusal("radeon", pocl))
        #expect(name.contains("'radeon'") && name.contains("pthread-zen4") && name.contains("opencl-cpu"))
        #expect(Self.refusal("opencl-cpu", Self.inventory([Self.nvidia]))?.contains("NVIDIA H200") == true)
        #expect(Self.refusal("", pocl)?.contains("empty") == true)
    }

    @Test func refusalsNameTheObstacle() throws {
        let old = Self.entry("old GPU", "Old", .gpu, obstacle: "its driver has no compiler")
        #expect(Self.refusal("gpu", Self.inventory([old]))?.contains("its driver has no compiler") == true)
        #expect(Self.refusal("old", Self.inventory([old]))?.contains("its driver has no compiler") == true)
    }

    @Test func aPlatformWithoutDevicesIsListed() throws {
        let clover = DeviceInventory(
            platforms: [.init(name: "Clover", version: "OpenCL 1.1 Mesa", devices: [], problem: nil)], problem: nil)
        #expect(Self.refusal("gpu", clover)?.contains("platform Clover with no device") == true)
        #expect(DeviceSelection.automatic(in: clover).device == nil)
    }

    @Test func withoutOpenCLAutoSaysWhy() throws {
        let none = DeviceInventory(platforms: [], problem: "libOpenCL.so.1 cannot be loaded")
        let plan = try DeviceSelection.plan(for: "auto", in: none)
        #expect(plan.candidates.isEmpty && plan.fallsBack)
        #expect(plan.reason.contains("libOpenCL.so.1 cannot be loaded"))
        #expect(Self.refusal("gpu", none)?.contains("libOpenCL.so.1 cannot be loaded") == true)
    }

    @Test func theBuiltInPathNeedsNoOpenCL() throws {
        for spec in ["cpu", "auto"] {
            let made = try DeviceSelection.make(spec: spec, environment: [OpenCLLibrary.environmentKey: "none"])
            #expect(made.backend.device.backend == "cpu")
            #expect(made.reason.hasPrefix("built-in CPU path: "))
        }
        #expect(throws: ComputeError.self) {
            try DeviceSelection.make(spec: "gpu", environment: [OpenCLLibrary.environmentKey: "none"])
        }
    }

    @Test func aProfileCanBeForced() throws {
        #expect(try DeviceProfile.requested(in: [:]) == nil)
        #expect(try DeviceProfile.requested(in: ["COPPICE_PROFILE": "gpu"]) == .gpu)
        #expect(throws: ComputeError.self) { try DeviceProfile.requested(in: ["COPPICE_PROFILE": "tpu"]) }
        for device in try OpenCLBackendTests.devices() {
            let made = try DeviceSelection.make(spec: device.name, environment: ["COPPICE_PROFILE": "gpu"])
            let backend = try #require(made.backend as? OpenCLBackend)
            #expect(backend.profile == .gpu && backend.tile == 32)
            #expect(made.reason.contains("asked for by --device"))
        }
    }

    @Test(arguments: [
        ("OpenCL 1.2 x", true), ("OpenCL 3.0 PoCL", true), ("OpenCL 1.1 Mesa", false), ("OpenCL 1.0", false),
        ("OpenCL 2.0 ", true), ("nonsense", false), ("", false),
    ])
    func versionsBelow12AreRefused(_ version: String, _ isUsable: Bool) {
        #expect((DeviceInventory.obstacle(version: version, true, true) == nil) == isUsable)
    }

    @Test func aDeviceMustBeAvailableAndHaveACompiler() {
        #expect(DeviceInventory.obstacle(version: "OpenCL 3.0", false, true) != nil)
        #expect(DeviceInventory.obstacle(version: "OpenCL 3.0", true, false) != nil)
    }

    @Test func theInventoryListsEveryDevice() throws {
        let inventory = DeviceInventory.current(environment: [:])
        #expect(inventory.devices.count == (try OpenCLBackendTests.devices().count))
    }

    /// In a process of its own, since the loader reads its folder once.
    @Test func withoutAPlatformAutoFallsBackAndGPUFails() async {
        await #expect(processExitsWith: .success) {
            setenv("OCL_ICD_VENDORS", "/var/empty/no-such-folder/", 1)
            setenv("OPENCL_VENDOR_PATH", "/var/empty/no-such-folder/", 1)
            let made = try DeviceSelection.make(spec: "auto")
            #expect(made.backend.device.backend == "cpu")
            #expect(made.reason.contains("no OpenCL platform") || made.reason.contains("cannot be loaded"))
            #expect(throws: ComputeError.self) { try DeviceSelection.make(spec: "gpu") }
        }
    }
}
