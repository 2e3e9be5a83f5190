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
        """
    ]

    static func backends() throws -> [OpenCLBackend] {
        var backends: [OpenCLBackend] = []
        for device in try Device.all() {
            for profile in DeviceProfile.all {
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
            for (factor, step) in [(Float(2), 3), (0.5, 7)] {
                try backend.launch(
                    "scale_add", ["STEP": step], [x.argument, y.argument, .float(factor), .int(10)],
                    global: [count / backend.profile.vectorWidth])
                let expected = (0..<count).map { factor * Float($0) + Float($0 * step * 10) }
                #expect(try backend.read(y) == expected)
            }
        }
    }
}
