import Foundation
import OpenCL
import Testing

@testable import Compute

@Suite struct OpenCLBackendTests {
    private static let kernels = [
        "scale_add": """
        __kernel void scale_add(__global const float *x, __global float *y, const float factor, const int step) {
            const int i = get_global_id(0);
            store_floatv(y, i, factor * load_floatv(x, i) + convert_floatv(lane_numbers() + i * VW) * STEP * step);
        }
        """,
        "lanes": """
        __kernel void lanes(__global const float *x, __global float *sums, __global float *chosen) {
            const int i = get_global_id(0);
            const floatv value = load_floatv(x, i);
            sums[i] = lane_sum(value);
            store_floatv(chosen, i, choose(value > 3.0f, value, (floatv)(-1.0f)));
        }
        """,
        "shape": """
        __kernel void shape(__global int *out) {
            out[0] = TILE;
            out[1] = VW;
            out[2] = LANES;
            out[3] = COUNT_CEIL(17, 8);
        }
        """,
        "reverse": """
        __kernel void reverse(__global float *x, __local float *part) {
            const int i = get_local_id(0);
            const int n = get_local_size(0);
            part[i] = x[get_group_id(0) * n + i];
            barrier(CLK_LOCAL_MEM_FENCE);
            x[get_group_id(0) * n + i] = part[n - 1 - i];
        }
        """,
        "fixed": """
        __attribute__((reqd_work_group_size(4, 1, 1)))
        __kernel void fixed(__global int *out) { out[get_global_id(0)] = get_local_id(0); }
        """,
        "broken": """
        __kernel void broken(__global int *out) {
            out[0] = missing_name;
        }
        """,
    ]

    /// The host's devices; none where there is no OpenCL, which the tests of the kernels report.
    static func devices() throws -> [Device] { (try? Device.all()) ?? [] }

    private static func backends(_ profiles: [DeviceProfile] = DeviceProfile.all) throws -> [OpenCLBackend] {
        var backends: [OpenCLBackend] = []
        for device in try devices() {
            for profile in profiles {
                backends.append(try OpenCLBackend(device: device, profile: profile) { kernels[$0] })
            }
        }
        return backends
    }

    @Test func launchesASpecialisedKernelInEveryProfile() throws {
        for backend in try Self.backends() {
            let count = backend.profile.tile * 5
            let x = try backend.makeBuffer((0..<count).map { Float($0) }, label: "x")
            let y = try backend.makeBuffer(of: Float.self, count: count, label: "y")
            for (factor, step) in [(Float(2), 3), (0.5, 7), (0.5, 3)] {
                try backend.launch(
                    "scale_add", ["STEP": step], [x.argument, y.argument, .float(factor), .int(10)],
                    global: [count / backend.profile.vectorWidth])
                let expected = (0..<count).map { factor * Float($0) + Float($0 * step * 10) }
                #expect(try backend.read(y) == expected)
            }
        }
    }

    /// What is prepared compiles and does not run, so that a clock started afterwards shows the work alone.
    @Test func whatIsPreparedCompilesAndDoesNotRun() throws {
        for backend in try Self.backends() {
            let x = try backend.makeBuffer([Float](repeating: 1, count: backend.tile), label: "x")
            let y = try backend.makeBuffer([Float](repeating: -7, count: backend.tile), label: "y")
            func scale() throws {
                try backend.launch(
                    "scale_add", ["STEP": 1], [x.argument, y.argument, .float(2), .int(0)],
                    global: [backend.tile / backend.profile.vectorWidth])
            }
            try backend.preparing(scale)
            #expect(try backend.read(y).allSatisfy { $0 == -7 })
            #expect(backend.kernels.count == 1)
            try scale()
            #expect(try backend.read(y).allSatisfy { $0 == 2 } && backend.kernels.count == 1)
            // After a preparation that failed launches run again.
            #expect(throws: ComputeError.self) {
                try backend.preparing { try backend.launch("missing", [:], [], global: [1]) }
            }
            try backend.write([Float](repeating: 5, count: backend.tile), to: x)
            try scale()
            #expect(try backend.read(y).allSatisfy { $0 == 10 })
        }
    }

    @Test func lanesAreSummedAndChosen() throws {
        for backend in try Self.backends() {
            let width = backend.profile.vectorWidth
            let values = (0..<backend.tile * 3).map { Float(($0 * 7) % 11) }
            let x = try backend.makeBuffer(values, label: "x")
            let sums = try backend.makeBuffer(of: Float.self, count: values.count / width, label: "sums")
            let chosen = try backend.makeBuffer(of: Float.self, count: values.count, label: "chosen")
            try backend.launch(
                "lanes", [:], [x.argument, sums.argument, chosen.argument], global: [values.count / width])
            var expected: [Float] = []
            for start in stride(from: 0, to: values.count, by: width) {
                expected.append(values[start..<(start + width)].reduce(0, +))
            }
            #expect(try backend.read(sums) == expected)
            let large: [Float] = values.map { $0 > 3 ? $0 : -1 }
            #expect(try backend.read(chosen) == large)
        }
    }

    @Test func theProfilesShapeReachesTheKernel() throws {
        for backend in try Self.backends() {
            let out = try backend.makeBuffer(of: Int32.self, count: 4, label: "out")
            try backend.launch("shape", [:], [out.argument], global: [1])
            let profile = backend.profile
            let expected = [profile.tile, profile.vectorWidth, profile.lanes, 3].map(Int32.init)
            #expect(try backend.read(out) == expected)
        }
    }

    @Test func profilesSuitTheirDevices() throws {
        for device in try Self.devices() where device.kind == .cpu {
            let profile = DeviceProfile(for: device)
            #expect(profile.vectorWidth == min(max(device.nativeFloatWidth, 4), 16))
        }
        for profile in DeviceProfile.all { #expect(profile.tile % profile.vectorWidth == 0) }
    }

    @Test func localMemoryAndWorkGroupsArePassedOn() throws {
        for backend in try Self.backends([.gpu]) {
            let values: [Float] = (0..<64).map { Float($0) }
            let x = try backend.makeBuffer(values, label: "x")
            try backend.launch("reverse", [:], [x.argument, .local(16 * 4)], global: [64], local: [16])
            var expected: [Float] = []
            for start in [0, 16, 32, 48] { expected += values[start..<(start + 16)].reversed() }
            #expect(try backend.read(x) == expected)
        }
    }

    // Mistakes that a driver would answer with a number, or worse.

    private static func refusal(_ body: () throws(ComputeError) -> Void) -> String {
        do throws(ComputeError) {
            try body()
            return ""
        } catch {
            return error.description
        }
    }

    @Test func impossibleLaunchesAreRefusedByName() throws {
        for backend in try Self.backends([.gpu]) {
            let x = try backend.makeBuffer(of: Float.self, count: 64, label: "x")
            func reverse(_ global: [Int], _ local: [Int]?, localBytes: Int = 64, extra: [KernelArgument] = []) -> String
            {
                Self.refusal { () throws(ComputeError) in
                    try backend.launch(
                        "reverse", [:], [x.argument, .local(localBytes)] + extra, global: global, local: local)
                }
            }
            let limit = backend.clDevice.maxWorkGroupSize
            #expect(reverse([64], [16]) == "")
            let refused: [(message: String, part: String)] = [
                (reverse([60], [16]), "no multiple"),
                (reverse([limit * 2], [limit * 2]), "exceeds"),
                (reverse([64], [16], localBytes: backend.clDevice.localMemory + 4), "bytes of local memory"),
                (reverse([64], [16], extra: [.int(1)]), "3 arguments given, the kernel takes 2"),
                (reverse([64], [16, 1]), "does not fit"),
                (reverse([0], nil), "not 1 to 3 positive numbers"),
                (reverse([], nil), "not 1 to 3 positive numbers"),
            ]
            for (message, part) in refused {
                #expect(message.hasPrefix("reverse: ") && message.contains(part), "\(message)")
            }
        }
    }

    @Test func aDemandedWorkGroupSizeIsKept() throws {
        for backend in try Self.backends([.gpu]) {
            let out = try backend.makeBuffer(of: Int32.self, count: 8, label: "out")
            func fixed(_ local: [Int]?) -> String {
                Self.refusal { () throws(ComputeError) in
                    try backend.launch("fixed", [:], [out.argument], global: [8], local: local)
                }
            }
            #expect(fixed([4]) == "")
            #expect(try backend.read(out) == [0, 1, 2, 3, 0, 1, 2, 3])
            #expect(fixed([8]).contains("demands"))
            #expect(fixed(nil).contains("must be launched"))
        }
    }

    @Test func aBufferOfAnotherBackendIsRefused() throws {
        let foreign = try CPUBackend().makeBuffer([Int32(1)], label: "foreign")
        for backend in try Self.backends([.gpu]) {
            let launch = Self.refusal { () throws(ComputeError) in
                try backend.launch("shape", [:], [foreign.argument], global: [1])
            }
            #expect(launch.contains("argument 0 is a buffer of another backend"))
            let fill = Self.refusal { () throws(ComputeError) in try backend.fill(foreign, with: 1) }
            #expect(fill.contains("foreign is a buffer of another backend"))
        }
    }

    @Test func anUnknownKernelAndABrokenOneSaySo() throws {
        for backend in try Self.backends([.gpu]) {
            let out = try backend.makeBuffer(of: Int32.self, count: 1, label: "out")
            let unknown = Self.refusal { () throws(ComputeError) in
                try backend.launch("no_such", [:], [out.argument], global: [1])
            }
            #expect(unknown == "the program carries no kernel named no_such")
            var broken = ""
            do throws(ComputeError) {
                try backend.launch("broken", ["BLOCK": 3], [out.argument], global: [1])
            } catch {
                broken = error.description
                guard case .openCL(.buildFailed(let failure)) = error, let saved = failure.savedSource else {
                    throw error
                }
                try FileManager.default.removeItem(at: URL(fileURLWithPath: saved).deletingLastPathComponent())
            }
            #expect(broken.contains("(broken.cl:2)") && broken.contains("missing_name"), "\(broken)")
            #expect(broken.contains("-D BLOCK=3") && broken.contains("-D TILE=32"))
        }
    }

    // Memory.

    @Test func writesKeepTheirOrderAndTheirValues() throws {
        for backend in try Self.backends([.gpu]) {
            let count = 300_000
            let buffer = try backend.makeBuffer(of: Float.self, count: count, label: "large")
            try backend.fill(buffer, with: -1)
            // Larger than a piece that is copied aside, then many small ones over it.
            try backend.write((0..<count).map { Float($0) }, to: buffer)
            var piece: [Float] = [0, 0, 0]
            for index in stride(from: 0, to: 3000, by: 3) {
                piece = [Float(-index), Float(-index - 1), Float(-index - 2)]
                try backend.write(piece, to: buffer, at: index)
            }
            let result = try backend.read(buffer)
            let expected = (0..<count).map { $0 < 3000 ? -Float($0) : Float($0) }
            #expect(result == expected)
            #expect(try backend.read(buffer, at: 2999, count: 2) == [-2999, 3000])
        }
    }

    @Test func moreCopiesThanThereIsRoomForAreWrittenAtOnce() throws {
        for backend in try Self.backends([.gpu]) {
            let count = 1 << 18
            let buffer = try backend.makeBuffer(of: Float.self, count: count, label: "buffer")
            for round in 0..<20 { try backend.write([Float](repeating: Float(round), count: count), to: buffer) }
            #expect(try backend.read(buffer, at: count - 1, count: 1) == [19])
        }
    }

    @Test func rangesOutsideABufferAreRefused() throws {
        for backend in try Self.backends([.gpu]) {
            let buffer = try backend.makeBuffer(of: Int32.self, count: 4, label: "four")
            let write = Self.refusal { () throws(ComputeError) in try backend.write([1, 2], to: buffer, at: 3) }
            #expect(write == "write: elements 3..<5 are outside four (4 elements)")
            #expect(throws: ComputeError.self) { try backend.read(buffer, at: -1, count: 2) }
        }
    }

    @Test func aBufferLargerThanTheDeviceIsOutOfMemory() throws {
        for backend in try Self.backends([.gpu]) {
            let count = backend.clDevice.maxAllocation / 4 + 1
            do throws(ComputeError) {
                _ = try backend.makeBuffer(of: Float.self, count: count, label: "activations")
                Issue.record("a buffer above the largest allocation was made")
            } catch {
                guard case .outOfMemory(let label, let byteCount, let device) = error else {
                    Issue.record(error)
                    continue
                }
                #expect(label == "activations" && byteCount == count * 4 && device == backend.device.name)
                #expect(error.description.contains("activations"))
            }
        }
    }

    @Test func memoryIsCountedAndGivenBack() throws {
        for backend in try Self.backends([.gpu]) {
            // Nothing is written, so that the pages are promised and never taken.
            let count = backend.clDevice.maxAllocation / 8
            for _ in 0..<8 {
                var kept: [DeviceBuffer<UInt8>] = []
                while kept.count * count < backend.clDevice.globalMemory {
                    do {
                        kept.append(try backend.makeBuffer(of: UInt8.self, count: count, label: "part"))
                    } catch {
                        break
                    }
                }
                #expect(!kept.isEmpty)
                #expect(kept.count * count <= backend.clDevice.globalMemory)
            }
        }
    }

    @Test func profilingCountsLaunches() throws {
        for device in try Self.devices() {
            let backend = try OpenCLBackend(device: device, profiling: true) { Self.kernels[$0] }
            let out = try backend.makeBuffer(of: Int32.self, count: 4, label: "out")
            for _ in 0..<3 { try backend.launch("shape", [:], [out.argument], global: [1]) }
            #expect(backend.kernelTimes["shape"]?.launches == 3)
            #expect((backend.kernelTimes["shape"]?.seconds ?? -1) >= 0)
        }
    }
}
