import COpenCL

/// An OpenCL implementation installed on this host. The loader owns it; there is nothing to release.
public struct Platform: @unchecked Sendable {
    // Sendable unchecked: an id is a constant of the loader, and OpenCL allows these queries from any thread.
    let id: cl_platform_id
    /// The implementation's name, such as "Portable Computing Language".
    public let name: String
    /// Who made it.
    public let vendor: String
    /// Its version as it words it, such as "OpenCL 3.0 PoCL 3.1".
    public let version: String

    init(id: cl_platform_id) throws(OpenCLError) {
        func text(_ what: Int32) throws(OpenCLError) -> String {
            try infoText("clGetPlatformInfo") { cop_get_platform_info(id, cl_platform_info(what), $0, $1, $2) }
        }
        self.id = id
        name = try text(CL_PLATFORM_NAME)
        vendor = try text(CL_PLATFORM_VENDOR)
        version = try text(CL_PLATFORM_VERSION)
    }

    /// All platforms in the loader's order.
    /// - Throws: ``OpenCLError/noPlatform`` where there is none, and what ``OpenCLLibrary/load()`` throws.
    public static func all() throws(OpenCLError) -> [Platform] {
        try OpenCLLibrary.load()
        var count: cl_uint = 0
        let status = cop_get_platform_ids(0, nil, &count)
        if status == platformNotFound || (status == CL_SUCCESS && count == 0) { throw .noPlatform }
        try check(status, "clGetPlatformIDs")
        var ids = [cl_platform_id?](repeating: nil, count: Int(count))
        try check(cop_get_platform_ids(count, &ids, nil), "clGetPlatformIDs")
        var platforms: [Platform] = []
        for case let id? in ids { platforms.append(try Platform(id: id)) }
        return platforms
    }

    /// Its devices of every kind, in its own order. A platform may have none (Mesa's Clover is one): no error.
    public func devices() throws(OpenCLError) -> [Device] {
        var count: cl_uint = 0
        let status = cop_get_device_ids(id, allDevices, 0, nil, &count)
        if status == CL_DEVICE_NOT_FOUND || (status == CL_SUCCESS && count == 0) { return [] }
        try check(status, "clGetDeviceIDs", name)
        var ids = [cl_device_id?](repeating: nil, count: Int(count))
        try check(cop_get_device_ids(id, allDevices, count, &ids, nil), "clGetDeviceIDs", name)
        var devices: [Device] = []
        for case let id? in ids { devices.append(try Device(id: id, platform: self)) }
        return devices
    }
}

/// CL_PLATFORM_NOT_FOUND_KHR, from an extension header: the loader knows no implementation.
private let platformNotFound: Int32 = -1001
/// CL_DEVICE_TYPE_ALL.
private let allDevices = cl_device_type(0xFFFF_FFFF)
