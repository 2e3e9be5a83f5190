import COpenCL

/// What programs, buffers and queues of one device live in.
package final class Context {
    let handle: cl_context
    /// The device it is for.
    package let device: Device

    /// A context of one device.
    package init(device: Device) throws(OpenCLError) {
        var created: cl_context?
        try check(cop_create_context(device.platform.id, device.id, &created), "clCreateContext", device.name)
        guard let created else {
            throw .callFailed(call: "clCreateContext", status: CL_INVALID_CONTEXT, subject: device.name)
        }
        handle = created
        self.device = device
    }

    deinit { _ = cop_release_context(handle) }

    /// How many owners OpenCL counts: this one, and what was made in the context and not released yet.
    func referenceCount() throws(OpenCLError) -> Int {
        let handle = handle
        return Int(
            try infoValue("clGetContextInfo", cl_uint(0)) {
                cop_get_context_info(handle, cl_context_info(CL_CONTEXT_REFERENCE_COUNT), $0, $1, $2)
            })
    }
}

/// Device memory.
package final class Buffer {
    let handle: cl_mem
    /// What it is for, as errors name it.
    package let label: String
    /// Size in bytes.
    package let byteCount: Int
    // Some drivers fail when a context goes before what was made in it.
    private let context: Context

    /// `byteCount` bytes (at least 1), readable and writable by kernels.
    /// - Throws: ``OpenCLError/callFailed(call:status:subject:)``; see ``OpenCLError/isOutOfMemory``.
    package convenience init(context: Context, byteCount: Int, label: String) throws(OpenCLError) {
        try self.init(context, CL_MEM_READ_WRITE, byteCount, nil, label)
    }

    /// Memory of the host (at least 1 byte), which kernels may read. It must stay as it is until every command that uses
    /// the buffer has run. A device that computes in the host's memory does not copy it, if the driver likes its place.
    /// - Throws: ``OpenCLError/callFailed(call:status:subject:)``; see ``OpenCLError/isOutOfMemory``.
    package convenience init(context: Context, over memory: UnsafeRawBufferPointer, label: String) throws(OpenCLError) {
        // OpenCL takes no pointer to const, and promises not to write with these flags.
        let start = UnsafeMutableRawPointer(mutating: memory.baseAddress)
        try self.init(context, CL_MEM_READ_ONLY | CL_MEM_USE_HOST_PTR, memory.count, start, label)
    }

    private init(
        _ context: Context, _ flags: Int32, _ byteCount: Int, _ hostMemory: UnsafeMutableRawPointer?, _ label: String
    ) throws(OpenCLError) {
        var created: cl_mem?
        let status = cop_create_buffer(context.handle, cl_mem_flags(flags), byteCount, hostMemory, &created)
        // A size above the largest allocation is the same event for a caller as memory that is used up.
        let tooLarge = status == CL_INVALID_BUFFER_SIZE && byteCount > 0
        try check(tooLarge ? CL_MEM_OBJECT_ALLOCATION_FAILURE : status, "clCreateBuffer", label)
        guard let created else {
            throw .callFailed(call: "clCreateBuffer", status: CL_INVALID_MEM_OBJECT, subject: label)
        }
        handle = created
        self.label = label
        self.byteCount = byteCount
        self.context = context
    }

    deinit { _ = cop_release_mem_object(handle) }
}
