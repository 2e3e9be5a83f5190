import Foundation
import KernelChecks
import OpenCL
import Testing

@testable import Compute

/// An OpenCL device in one profile, with a backend that its cases share so that a kernel is compiled once.
/// Sendable unchecked: the suite is serialized, and the lock covers those who run it otherwise.
private final class Target: @unchecked Sendable, CustomTestStringConvertible {
    let device: Device
    let profile: DeviceProfile
    private let lock = NSLock()
    private var made: OpenCLBackend?

    init(device: Device, profile: DeviceProfile) {
        self.device = device
        self.profile = profile
    }

    var testDescription: String { "\(device.name) as \(profile.name)" }

    func run(_ kernelCase: any KernelCase) throws -> CaseResult {
        lock.lock()
        defer { lock.unlock() }
        let backend = try made ?? OpenCLBackend(device: device, profile: profile)
        made = backend
        return KernelChecks.run(kernelCase, on: backend, reference: CPUBackend())
    }

    /// Every device in its own profile and in the GPU's.
    static let all: [Target] = ((try? Device.all()) ?? []).flatMap { device in
        Set([DeviceProfile(for: device), .gpu]).sorted { $0.name < $1.name }
            .map { Target(device: device, profile: $0) }
    }
}

/// A case as a test's argument.
private struct CaseArgument: Sendable, CustomTestStringConvertible {
    let kernelCase: any KernelCase
    var testDescription: String { "\(kernelCase.kernel): \(kernelCase.name)" }

    static let all = KernelChecks.allCases(seeds: [1]).map(CaseArgument.init)
}

/// `COPPICE_REQUIRE_OPENCL=1` turns a host without OpenCL from a skipped suite into a failed one.
private let requiresOpenCL = ProcessInfo.processInfo.environment["COPPICE_REQUIRE_OPENCL"] == "1"

@Suite(.serialized) struct KernelTests {
    @Test(.enabled(if: !Target.all.isEmpty || requiresOpenCL, "this host has no OpenCL device"))
    func thereIsADevice() throws {
        let devices = try Device.all()
        #expect(!devices.isEmpty, "no OpenCL platform has a device")
    }

    @Test(.enabled(if: !Target.all.isEmpty, "this host has no OpenCL device"), arguments: Target.all, CaseArgument.all)
    fileprivate func agreesWithTheReference(_ target: Target, _ argument: CaseArgument) throws {
        let result = try target.run(argument.kernelCase)
        #expect(
            result.verdict == .right,
            "\(result.kernel), \(result.name): \(result.message) (error \(result.maxError), bound \(result.bound))")
    }

    /// The CPU path is its own reference, on each instruction set: this finds cases that fail by themselves, and loops
    /// that differ.
    @Test(arguments: CaseArgument.all)
    fileprivate func holdsForTheReferenceItself(_ argument: CaseArgument) throws {
        for loops in LaneLoops.all {
            let result = KernelChecks.run(
                argument.kernelCase, on: CPUBackend(loops: loops), reference: CPUBackend())
            #expect(result.verdict == .right, "\(loops.name): \(result.kernel), \(result.name): \(result.message)")
        }
    }

    @Test func casesHaveNamesOfTheirOwn() {
        let names = KernelChecks.allCases(seeds: [1]).map { "\($0.kernel): \($0.name)" }
        #expect(!names.isEmpty)
        #expect(Set(names).count == names.count)
    }
}
