import COpenCL

/// An in-order queue: what is put in runs in that order, one after the other.
public final class CommandQueue {
    let handle: cl_command_queue
    private let context: Context
    /// Whether launches are timed by the device.
    public let isProfiling: Bool

    /// A queue on the context's device.
    public init(context: Context, profiling: Bool = false) throws(OpenCLError) {
        let properties = profiling ? cl_command_queue_properties(CL_QUEUE_PROFILING_ENABLE) : 0
        var created: cl_command_queue?
        try check(
            cop_create_command_queue(context.handle, context.device.id, properties, &created), "clCreateCommandQueue",
            context.device.name)
        guard let created else {
            throw .callFailed(
                call: "clCreateCommandQueue", status: CL_INVALID_COMMAND_QUEUE, subject: context.device.name)
        }
        handle = created
        self.context = context
        isProfiling = profiling
    }

    deinit {
        // Commands may still read host memory that their owner frees next.
        _ = cop_finish(handle)
        _ = cop_release_command_queue(handle)
    }

    /// Hands what is queued to the device without waiting.
    public func flush() throws(OpenCLError) { try check(cop_flush(handle), "clFlush") }

    /// Waits until everything queued has run.
    public func finish() throws(OpenCLError) { try check(cop_finish(handle), "clFinish") }

    /// Waits for everything queued, then copies `destination.count` bytes from byte `offset` of `buffer` on.
    public func read(_ buffer: Buffer, at offset: Int, into destination: UnsafeMutableRawBufferPointer)
        throws(OpenCLError)
    {
        try check(
            cop_enqueue_read_buffer(
                handle, buffer.handle, cl_bool(CL_TRUE), offset, destination.count, destination.baseAddress),
            "clEnqueueReadBuffer", buffer.label)
    }

    /// Copies `source` to `buffer` from byte `offset` on. Unless `waiting`, `source` must stay as it is until the
    /// command has run.
    public func write(_ source: UnsafeRawBufferPointer, to buffer: Buffer, at offset: Int, waiting: Bool)
        throws(OpenCLError)
    {
        try check(
            cop_enqueue_write_buffer(
                handle, buffer.handle, cl_bool(waiting ? CL_TRUE : CL_FALSE), offset, source.count, source.baseAddress),
            "clEnqueueWriteBuffer", buffer.label)
    }

    /// Repeats `pattern` (1, 2, 4, 8 or 16 bytes) over the first `byteCount` bytes of `buffer`.
    public func fill<Pattern: BitwiseCopyable>(_ buffer: Buffer, with pattern: Pattern, byteCount: Int)
        throws(OpenCLError)
    {
        let status = withUnsafeBytes(of: pattern) {
            cop_enqueue_fill_buffer(handle, buffer.handle, $0.baseAddress, $0.count, 0, byteCount)
        }
        try check(status, "clEnqueueFillBuffer", buffer.label)
    }

    /// Makes the device find room for `buffer` now rather than when a kernel first uses it.
    public func makeResident(_ buffer: Buffer) throws(OpenCLError) {
        try check(
            cop_enqueue_migrate_mem_object(
                handle, buffer.handle, cl_mem_migration_flags(CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED)),
            "clEnqueueMigrateMemObjects", buffer.label)
    }

    /// Queues a kernel over `global` work-items (1 to 3 dimensions) in work-groups of `local`, or of what the
    /// implementation likes.
    public func launch(_ kernel: Kernel, global: [Int], local: [Int]?) throws(OpenCLError) {
        try check(enqueue(kernel, global, local, nil), "clEnqueueNDRangeKernel", kernel.name)
    }

    /// As ``launch(_:global:local:)``, but waits, and returns the seconds that the device took.
    /// The queue must be profiling.
    public func timedLaunch(_ kernel: Kernel, global: [Int], local: [Int]?) throws(OpenCLError) -> Double {
        var event: cl_event?
        try check(enqueue(kernel, global, local, &event), "clEnqueueNDRangeKernel", kernel.name)
        guard let event else {
            throw .callFailed(call: "clEnqueueNDRangeKernel", status: CL_INVALID_EVENT, subject: kernel.name)
        }
        defer { _ = cop_release_event(event) }
        try check(cop_wait_for_event(event), "clWaitForEvents", kernel.name)
        func time(_ what: Int32) throws(OpenCLError) -> cl_ulong {
            try infoValue("clGetEventProfilingInfo", cl_ulong(0)) {
                cop_get_event_profiling_info(event, cl_profiling_info(what), $0, $1, $2)
            }
        }
        let start = try time(CL_PROFILING_COMMAND_START)
        let end = try time(CL_PROFILING_COMMAND_END)
        return end > start ? Double(end - start) * 1e-9 : 0
    }

    private func enqueue(
        _ kernel: Kernel, _ global: [Int], _ local: [Int]?, _ event: UnsafeMutablePointer<cl_event?>?
    ) -> Int32 {
        if let local {
            cop_enqueue_nd_range_kernel(handle, kernel.handle, cl_uint(global.count), global, local, event)
        } else {
            cop_enqueue_nd_range_kernel(handle, kernel.handle, cl_uint(global.count), global, nil, event)
        }
    }
}
