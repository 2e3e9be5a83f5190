import Foundation
import Testing

@testable import OpenCL

@Suite struct ProgramTests {
    private static let source = """
        __kernel void twice(__global float *x, const float factor) { x[get_global_id(0)] *= factor; }
        """

    @Test(arguments: hostDevices())
    func aProgramRuns(_ device: Device) throws {
        let context = try Context(device: device)
        let queue = try CommandQueue(context: context)
        let program = try Program(context: context, label: "twice", source: Self.source, options: "-cl-std=CL1.2")
        let kernel = try Kernel(program: program, name: "twice")
        #expect(kernel.argumentCount == 2)
        #expect(kernel.maxWorkGroupSize >= 1)
        #expect(kernel.requiredWorkGroup == nil)
        let buffer = try Buffer(context: context, byteCount: 16, label: "x")
        var values: [Float] = [1, 2, 3, 4]
        try values.withUnsafeBytes { try queue.write($0, to: buffer, at: 0, waiting: true) }
        try kernel.setArgument(0, to: buffer)
        try kernel.setArgument(1, to: Float(2.5))
        try queue.launch(kernel, global: [4], local: nil)
        try values.withUnsafeMutableBytes { try queue.read(buffer, at: 0, into: $0) }
        #expect(values == [2.5, 5, 7.5, 10])
    }

    private static func assembled(_ name: String, _ text: String) throws(OpenCLError) -> String {
        try KernelSource.assemble(name: name, common: KernelSource.text(of: "common") ?? "", text: text)
    }

    private static func failure(
        _ device: Device, _ label: String, _ text: String, _ options: String = "-DVW=4 -DTILE=8 -DLANES=2"
    )
        throws -> OpenCLError.BuildFailure?
    {
        let context = try Context(device: device)
        do throws(OpenCLError) {
            _ = try Program(
                context: context, label: label, source: try assembled(label, text),
                options: options)
            return nil
        } catch {
            guard case .buildFailed(let failure) = error else { throw error }
            return failure
        }
    }

    @Test(arguments: hostDevices(), [1, 2, 9])
    func aBuildErrorHasFileAndLineOfTheKernel(_ device: Device, _ line: Int) throws {
        let text = String(repeating: "\n", count: line - 1) + "__kernel void planted(__global int *x) { *x = oops; }\n"
        let failure = try #require(try Self.failure(device, "planted", text))
        #expect(failure.location == "planted.cl:\(line)")
        #expect(failure.log.contains("oops"))
        #expect(failure.options == "-DVW=4 -DTILE=8 -DLANES=2")
        #expect(failure.device.contains(device.name) && failure.device.contains(device.driverVersion))
        let saved = try #require(failure.savedSource)
        defer { try? FileManager.default.removeItem(at: URL(fileURLWithPath: saved).deletingLastPathComponent()) }
        #expect(
            try String(contentsOfFile: saved, encoding: .utf8) == (try Self.assembled("planted", text)))
        for part in ["(planted.cl:\(line))", "oops", saved, failure.options, device.name, "CL_BUILD_PROGRAM_FAILURE"] {
            #expect(failure.description.contains(part), "\(part)")
        }
    }

    @Test(arguments: hostDevices())
    func anErrorInTheCommonPartNamesThatFile(_ device: Device) throws {
        let failure = try #require(try Self.failure(device, "planted", "", "-DVW=3 -DTILE=3 -DLANES=1"))
        let saved = try #require(failure.savedSource)
        try FileManager.default.removeItem(at: URL(fileURLWithPath: saved).deletingLastPathComponent())
        #expect(failure.location?.hasPrefix("common.clh:") == true)
    }

    @Test func locationsAreFoundInLogsOfAnyKind() {
        func location(_ log: String) -> String? {
            Program.location(
                in: log, label: "a", source: "#line 1 \"common.clh\"\nx\ny\n#line 1 \"a.cl\"\nz\nw\n")
        }
        #expect(location("error: a.cl:12:3: x") == "a.cl:12")
        #expect(location("In a.cl: 1 error\n<kernel>/a.cl:7: no") == "a.cl:7")
        #expect(location("common.clh:3:1: error") == "common.clh:3")
        #expect(location("common.clh:3:1: error, a.cl:9:1: error") == "a.cl:9")
        #expect(location("ptxas fatal") == nil)
        // Compilers that do not heed #line.
        #expect(location("input.cl:6:31: error: x") == "a.cl:2")
        #expect(location("input.cl:2:31: error: x\ninput.cl:5:1: error: y") == "a.cl:1")
        #expect(location("input.cl:3:31: fatal error: x") == "common.clh:2")
        #expect(location("input.cl:5:31: warning: x") == nil)
        #expect(location("input.cl:60:31: error: x") == nil)
    }

    @Test(arguments: hostDevices())
    func aMissingFunctionIsNamed(_ device: Device) throws {
        let context = try Context(device: device)
        let program = try Program(context: context, label: "twice", source: Self.source, options: "")
        do throws(OpenCLError) {
            _ = try Kernel(program: program, name: "thrice")
            Issue.record("a kernel that is not there was made")
        } catch {
            #expect(error.description == "clCreateKernel for thrice returned CL_INVALID_KERNEL_NAME (-46)")
        }
    }

    /// What is made in a context holds it; all of it must let go.
    @Test(arguments: hostDevices())
    func handlesAreReleased(_ device: Device) throws {
        let context = try Context(device: device)
        let before = try context.referenceCount()
        func use() throws -> Int {
            let queue = try CommandQueue(context: context)
            let program = try Program(context: context, label: "twice", source: Self.source, options: "")
            let kernel = try Kernel(program: program, name: "twice")
            let buffer = try Buffer(context: context, byteCount: 64, label: "x")
            return try withExtendedLifetime((queue, program, kernel, buffer)) { try context.referenceCount() }
        }
        #expect(try use() > before)
        #expect(try context.referenceCount() == before)
        // A failed build leaves nothing behind either.
        do throws(OpenCLError) {
            _ = try Program(context: context, label: "bad", source: "int", options: "")
            Issue.record("half a declaration was compiled")
        } catch {
            guard case .buildFailed(let failure) = error, let saved = failure.savedSource else { throw error }
            try FileManager.default.removeItem(at: URL(fileURLWithPath: saved).deletingLastPathComponent())
        }
        #expect(try context.referenceCount() == before)
    }

    @Test(arguments: hostDevices())
    func aBufferAboveTheLimitIsOutOfMemory(_ device: Device) throws {
        let context = try Context(device: device)
        do throws(OpenCLError) {
            _ = try Buffer(context: context, byteCount: device.maxAllocation + 4096, label: "huge")
            // An implementation may allow more than it promises.
        } catch {
            #expect(error.isOutOfMemory, "\(error)")
            #expect(error.description.contains("huge"))
        }
    }

    @Test(arguments: hostDevices())
    func devicesDescribeThemselves(_ device: Device) {
        #expect(!device.name.isEmpty && !device.driverVersion.isEmpty && !device.platform.name.isEmpty)
        #expect(device.version.hasPrefix("OpenCL "))
        #expect(device.computeUnits >= 1 && device.maxWorkGroupSize >= 1 && device.maxWorkItemSizes.count >= 3)
        #expect(device.localMemory > 0 && device.maxAllocation > 0 && device.globalMemory >= device.maxAllocation)
        #expect(device.alignment >= 64 && device.nativeFloatWidth >= 1)
    }
}
