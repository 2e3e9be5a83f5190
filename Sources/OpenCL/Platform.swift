import COpenCL

/// An OpenCL implementation installed on this host. The loader owns it; there is nothing to release.
package struct Platform: @unchecked Sendable {
    // Sendable unchecked: an id is a constant of the loader, and OpenCL allows these queries from any thread.
    let id: cl_platform_id
    /// The implementation's name, such as "Portable Computing Language".
    package let name: String
    /// Who made it.
    package let vendor: String
    /// Its version as it words it, such as "OpenCL 3.0 PoCL 3.1".
    package let version: String

    init(id: cl_platform_id) throws(OpenCLError) {
        func text(_ what: Int32) throws(OpenCLError) -> String {
            try infoText("clGetPlatformInfo") { cop_get_platform_info(id, cl_platform_info(what), $0, $1, $2) }
        }
        self.id = id
        name = try text(CL_PLATFORM_NAME)
        vendor = try text(CL_PLATFORM_VENDOR)
        version = try text(CL_PLATFORM_VERSION)
    }

    /// All platforms in the loader's order, but for those that do not even say who they are.
    /// - Throws: ``OpenCLError/noPlatform`` where there is none, and what ``OpenCLLibrary/load()`` throws.
    package static func all() throws(OpenCLError) -> [Platform] {
        var platforms: [Platform] = []
        for case .success(let platform) in try listing() { platforms.append(platform) }
        return platforms
    }

    /// All platforms in the loader's order; in place of one that does not say who it is, why.
    /// - Throws: as ``all()``.
    package static func listing() throws(OpenCLError) -> [Result<Platform, OpenCLError>] {
        try OpenCLLibrary.load()
        PoCLCache.prepare()
        var hasPoCL = false
        defer { if !hasPoCL { PoCLCache.withdraw() } }
        let listing = try knownPlatforms()
        hasPoCL = listing.contains(where: isPoCL)
        return listing
    }

    private static func isPoCL(_ answer: Result<Platform, OpenCLError>) -> Bool {
        if case .success(let platform) = answer { PoCLCache.isOf(platform: platform.name) } else { false }
    }

    private static func knownPlatforms() throws(OpenCLError) -> [Result<Platform, OpenCLError>] {
        var count: cl_uint = 0
        let status = cop_get_platform_ids(0, nil, &count)
        if status == platformNotFound || (status == CL_SUCCESS && count == 0) { throw .noPlatform }
        try check(status, "clGetPlatformIDs")
        try checkCount(count, "clGetPlatformIDs", "platforms")
        var ids = [cl_platform_id?](repeating: nil, count: Int(count))
        try check(cop_get_platform_ids(count, &ids, nil), "clGetPlatformIDs")
        return ids.compactMap { id in
            id.map { id in Result { () throws(OpenCLError) in try Platform(id: id) } }
        }
    }

    /// Its devices of every kind, in its own order, but for those that do not say what they are. A platform may have none
    /// (Mesa's Clover is one): no error.
    package func devices() throws(OpenCLError) -> [Device] {
        var devices: [Device] = []
        for case .success(let device) in try deviceListing() { devices.append(device) }
        return devices
    }

    /// Its devices; in place of one that does not say what it is, why.
    /// - Throws: what the driver reports, and ``OpenCLError/cacheUnwritable(reason:)``.
    package func deviceListing() throws(OpenCLError) -> [Result<Device, OpenCLError>] {
        if PoCLCache.isOf(platform: name) { try PoCLCache.requireFolder() }
        var count: cl_uint = 0
        let status = cop_get_device_ids(id, allDevices, 0, nil, &count)
        if status == CL_DEVICE_NOT_FOUND || (status == CL_SUCCESS && count == 0) { return [] }
        try check(status, "clGetDeviceIDs", name)
        try checkCount(count, "clGetDeviceIDs", "devices")
        var ids = [cl_device_id?](repeating: nil, count: Int(count))
        try check(cop_get_device_ids(id, allDevices, count, &ids, nil), "clGetDeviceIDs", name)
        return ids.compactMap { id in
            id.map { id in Result { () throws(OpenCLError) in try Device(id: id, platform: self) } }
        }
    }
}

/// A broken driver may answer any number, and room for so many would be asked for.
private func checkCount(_ count: cl_uint, _ call: String, _ what: String) throws(OpenCLError) {
    if count > 4096 { throw .nonsense(call: call, answer: "\(count) \(what)") }
}

/// CL_PLATFORM_NOT_FOUND_KHR, from an extension header: the loader knows no implementation.
private let platformNotFound: Int32 = -1001
/// CL_DEVICE_TYPE_ALL.
private let allDevices = cl_device_type(0xFFFF_FFFF)
