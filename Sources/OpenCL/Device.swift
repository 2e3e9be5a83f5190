import COpenCL

/// A device and what it says about itself. The platform owns it; there is nothing to release.
package struct Device: @unchecked Sendable {
    /// What a device is.
    package enum Kind: String, Sendable {
        case gpu
        case accelerator
        case cpu
        case other
    }

    // Sendable unchecked: an id is a constant of the platform, and OpenCL allows these queries from any thread.
    let id: cl_device_id
    /// Where it comes from.
    package let platform: Platform
    /// Its name.
    package let name: String
    /// Who made it.
    package let vendor: String
    /// The driver's version.
    package let driverVersion: String
    /// The OpenCL version it supports, as it words it.
    package let version: String
    /// What it is.
    package let kind: Kind
    /// Whether it can be used now.
    package let isAvailable: Bool
    /// Whether it can compile kernels.
    package let hasCompiler: Bool
    /// Cores, as OpenCL counts them.
    package let computeUnits: Int
    /// Most work-items in a work-group.
    package let maxWorkGroupSize: Int
    /// Most work-items in a work-group, for each dimension.
    package let maxWorkItemSizes: [Int]
    /// Bytes of local memory that a work-group can have.
    package let localMemory: Int
    /// Bytes of the largest buffer.
    package let maxAllocation: Int
    /// Bytes of memory in all.
    package let globalMemory: Int
    /// Floats in a vector register; 1 on GPUs.
    package let nativeFloatWidth: Int
    /// Bytes to which buffers are aligned.
    package let alignment: Int
    /// Work-items that run in step, nil where the driver does not tell.
    package let wavefront: Int?

    init(id: cl_device_id, platform: Platform) throws(OpenCLError) {
        func text(_ what: Int32) throws(OpenCLError) -> String {
            try infoText("clGetDeviceInfo") { cop_get_device_info(id, cl_device_info(what), $0, $1, $2) }
        }
        func value<Value: BitwiseCopyable>(_ what: Int32, _ initial: Value) throws(OpenCLError) -> Value {
            try infoValue("clGetDeviceInfo", initial) { cop_get_device_info(id, cl_device_info(what), $0, $1, $2) }
        }
        self.id = id
        self.platform = platform
        name = try text(CL_DEVICE_NAME)
        vendor = try text(CL_DEVICE_VENDOR)
        driverVersion = try text(CL_DRIVER_VERSION)
        version = try text(CL_DEVICE_VERSION)
        kind = Kind(bits: try value(CL_DEVICE_TYPE, cl_device_type(0)))
        isAvailable = try value(CL_DEVICE_AVAILABLE, cl_bool(0)) != 0
        hasCompiler = try value(CL_DEVICE_COMPILER_AVAILABLE, cl_bool(0)) != 0
        computeUnits = Int(try value(CL_DEVICE_MAX_COMPUTE_UNITS, cl_uint(0)))
        maxWorkGroupSize = try value(CL_DEVICE_MAX_WORK_GROUP_SIZE, 0)
        let sizes = try infoBytes("clGetDeviceInfo") {
            cop_get_device_info(id, cl_device_info(CL_DEVICE_MAX_WORK_ITEM_SIZES), $0, $1, $2)
        }
        maxWorkItemSizes = sizes.withUnsafeBytes { Array($0.bindMemory(to: Int.self)) }
        guard maxWorkItemSizes.count >= 3, maxWorkGroupSize > 0, maxWorkItemSizes.allSatisfy({ $0 > 0 }) else {
            throw .nonsense(
                call: "clGetDeviceInfo",
                answer: "work-groups of at most \(maxWorkGroupSize) work-items, \(maxWorkItemSizes) by dimension")
        }
        localMemory = Int(clamping: try value(CL_DEVICE_LOCAL_MEM_SIZE, cl_ulong(0)))
        maxAllocation = Int(clamping: try value(CL_DEVICE_MAX_MEM_ALLOC_SIZE, cl_ulong(0)))
        globalMemory = Int(clamping: try value(CL_DEVICE_GLOBAL_MEM_SIZE, cl_ulong(0)))
        nativeFloatWidth = Int(try value(CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, cl_uint(0)))
        alignment = Int(try value(CL_DEVICE_MEM_BASE_ADDR_ALIGN, cl_uint(0))) / 8
        // Other vendors' drivers, and Mesa's for AMD, know nothing of the question.
        wavefront =
            vendor.contains("Advanced Micro Devices") || vendor.contains("AMD")
            ? (try? value(wavefrontWidth, cl_uint(0))).map { Int($0) } : nil
    }

    /// A text that no other device of the host has, the same in every process: its UUID and its place on the PCI bus, in
    /// hexadecimal. Nil if the driver reports neither, as with drivers of processors.
    package var identity: String? {
        let answers = [deviceUUID, busPlace].compactMap { what in
            try? infoBytes("clGetDeviceInfo") { cop_get_device_info(id, cl_device_info(what), $0, $1, $2) }
        }
        let known = answers.filter { $0.count == 16 && $0.contains { $0 != 0 } }
        guard !known.isEmpty else { return nil }
        return known.joined().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Every device of every platform that can list its own.
    /// - Throws: what ``Platform/all()`` throws.
    package static func all() throws(OpenCLError) -> [Device] {
        try Platform.all().flatMap { (try? $0.devices()) ?? [] }
    }
}

/// CL_DEVICE_UUID_KHR of the extension cl_khr_device_uuid: 16 bytes.
private let deviceUUID: Int32 = 0x106A
/// CL_DEVICE_PCI_BUS_INFO_KHR of the extension cl_khr_pci_bus_info: domain, bus, device and function, 4 bytes each.
private let busPlace: Int32 = 0x410F
/// CL_DEVICE_WAVEFRONT_WIDTH_AMD of the extension cl_amd_device_attribute_query.
private let wavefrontWidth: Int32 = 0x4043

extension Device.Kind {
    init(bits: cl_device_type) {
        if bits & cl_device_type(CL_DEVICE_TYPE_GPU) != 0 {
            self = .gpu
        } else if bits & cl_device_type(CL_DEVICE_TYPE_ACCELERATOR) != 0 {
            self = .accelerator
        } else if bits & cl_device_type(CL_DEVICE_TYPE_CPU) != 0 {
            self = .cpu
        } else {
            self = .other
        }
    }
}
