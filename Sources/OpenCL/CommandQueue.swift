import COpenCL

/// An in-order queue: what is put in runs in that order, one after the other.
package final class CommandQueue {
    let handle: cl_command_queue
    private let context: Context
    /// Whether launches are timed by the device.
    package let isProfiling: Bool

    /// A queue on the context's device.
    package init(context: Context, profiling: Bool = false) throws(OpenCLError) {
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
        for command in pending { _ = cop_release_event(command.event) }
        // Commands may still read host memory that their owner frees next.
        _ = StallWatch.during("clFinish", context.device.name) { cop_finish(handle) }
        _ = cop_release_command_queue(handle)
    }

    // Every command has an event, since an event alone is sure to tell a command that ran from one that a driver gave
    // up after accepting it: not all drivers say so in clFinish.

    /// A command that was queued and whose end was not looked at yet; the queue owns the event.
    private struct Command {
        let event: cl_event
        /// The function that queued it, and the kernel or buffer it is about.
        let call: StaticString
        let subject: String
    }

    private var pending: [Command] = []
    /// So many events at most are held; half of them are waited for when there are more.
    private static let mostPending = 512

    /// Queues a command. It is `pending` from then on.
    private func submit(
        _ call: StaticString, _ subject: String, _ enqueue: (UnsafeMutablePointer<cl_event?>) -> Int32
    ) throws(OpenCLError) {
        if pending.count >= CommandQueue.mostPending { try settle(CommandQueue.mostPending / 2) }
        var event: cl_event?
        let status = StallWatch.during(call, subject) { enqueue(&event) }
        try check(status, "\(call)", subject)
        guard let event else { throw .callFailed(call: "\(call)", status: CL_INVALID_EVENT, subject: subject) }
        pending.append(Command(event: event, call: call, subject: subject))
    }

    /// Waits for the oldest `count` commands.
    /// - Throws: what became of the first that did not run. The others are waited for no longer.
    private func settle(_ count: Int) throws(OpenCLError) {
        guard count > 0 else { return }
        let commands = pending.prefix(count)
        defer {
            for command in commands { _ = cop_release_event(command.event) }
            pending.removeFirst(count)
        }
        try flush()
        // A queue runs its commands in order. To wake up for every one of them would take a core from the next one's work.
        for first in stride(from: commands.startIndex, to: commands.endIndex, by: CommandQueue.waitedTogether) {
            let group = commands[first..<min(first + CommandQueue.waitedTogether, commands.endIndex)]
            var waited = CL_SUCCESS
            if group.count > 1, let last = group.last {
                let subject = "\(last.subject) or one of the \(group.count - 1) commands before it"
                waited = StallWatch.during(last.call, subject) { cop_wait_for_event(last.event) }
            }
            // The command that went wrong says so best. Some drivers tell of it in the next wait alone, whichever it is.
            for command in group { try wait(for: command) }
            try check(waited, "clWaitForEvents", group.last?.subject ?? "")
        }
    }

    /// So few that they are slow together only on a device that hardly moves.
    private static let waitedTogether = 24

    private func wait(for command: Command) throws(OpenCLError) {
        let waited = StallWatch.during(command.call, command.subject) { cop_wait_for_event(command.event) }
        var status = Int32(CL_COMPLETE)
        let asked = withUnsafeMutableBytes(of: &status) {
            cop_get_event_info(
                command.event, cl_event_info(CL_EVENT_COMMAND_EXECUTION_STATUS), $0.count, $0.baseAddress, nil)
        }
        // The event's own status says more than the call's, which only tells that something went wrong.
        if asked == CL_SUCCESS, status < 0 {
            throw .commandFailed(call: "\(command.call)", status: status, subject: command.subject)
        }
        try check(waited, "clWaitForEvents", command.subject)
        try check(asked, "clGetEventInfo", command.subject)
        guard status == CL_COMPLETE else {
            throw .nonsense(call: "clWaitForEvents", answer: "\(command.subject) has ended, with status \(status)")
        }
    }

    /// Hands what is queued to the device without waiting.
    package func flush() throws(OpenCLError) { try check(cop_flush(handle), "clFlush") }

    /// Waits until everything queued has run.
    /// - Throws: also what became of a command that did not run: ``OpenCLError/commandFailed(call:status:subject:)``.
    package func finish() throws(OpenCLError) {
        try settle(pending.count)
        try check(StallWatch.during("clFinish", context.device.name) { cop_finish(handle) }, "clFinish")
    }

    /// Waits for everything queued, then copies `destination.count` bytes from byte `offset` of `buffer` on.
    /// - Throws: what ``finish()`` throws.
    package func read(_ buffer: Buffer, at offset: Int, into destination: UnsafeMutableRawBufferPointer)
        throws(OpenCLError)
    {
        try settle(pending.count)
        try submit("clEnqueueReadBuffer", buffer.label) {
            cop_enqueue_read_buffer(
                handle, buffer.handle, cl_bool(CL_TRUE), offset, destination.count, destination.baseAddress, $0)
        }
        try settle(pending.count)
    }

    /// Copies `source` to `buffer` from byte `offset` on. Unless `waiting`, `source` must stay as it is until the
    /// command has run.
    package func write(_ source: UnsafeRawBufferPointer, to buffer: Buffer, at offset: Int, waiting: Bool)
        throws(OpenCLError)
    {
        try submit("clEnqueueWriteBuffer", buffer.label) {
            cop_enqueue_write_buffer(
                handle, buffer.handle, cl_bool(waiting ? CL_TRUE : CL_FALSE), offset, source.count,
                source.baseAddress, $0)
        }
    }

    /// Repeats `pattern` (1, 2, 4, 8 or 16 bytes) over the first `byteCount` bytes of `buffer`.
    package func fill<Pattern: BitwiseCopyable>(_ buffer: Buffer, with pattern: Pattern, byteCount: Int)
        throws(OpenCLError)
    {
        try submit("clEnqueueFillBuffer", buffer.label) { event in
            withUnsafeBytes(of: pattern) {
                cop_enqueue_fill_buffer(handle, buffer.handle, $0.baseAddress, $0.count, 0, byteCount, event)
            }
        }
    }

    /// Makes the device find room for `buffer` now rather than when a kernel first uses it.
    package func makeResident(_ buffer: Buffer) throws(OpenCLError) {
        // Without an event: it is a hint, and what becomes of it shows at the buffer's first use.
        let status = StallWatch.during("clEnqueueMigrateMemObjects", buffer.label) {
            cop_enqueue_migrate_mem_object(
                handle, buffer.handle, cl_mem_migration_flags(CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED), nil)
        }
        try check(status, "clEnqueueMigrateMemObjects", buffer.label)
    }

    /// Queues a kernel over `global` work-items (1 to 3 dimensions) in work-groups of `local`, or of what the
    /// implementation likes.
    package func launch(_ kernel: Kernel, global: [Int], local: [Int]?) throws(OpenCLError) {
        try submit("clEnqueueNDRangeKernel", kernel.name) { event in
            let dimensions = cl_uint(global.count)
            return if let local {
                cop_enqueue_nd_range_kernel(handle, kernel.handle, dimensions, global, local, event)
            } else {
                cop_enqueue_nd_range_kernel(handle, kernel.handle, dimensions, global, nil, event)
            }
        }
    }

    /// As ``launch(_:global:local:)``, but waits, and returns the seconds that the device took.
    /// The queue must be profiling.
    package func timedLaunch(_ kernel: Kernel, global: [Int], local: [Int]?) throws(OpenCLError) -> Double {
        try settle(pending.count)
        try launch(kernel, global: global, local: local)
        guard let command = pending.last else { return 0 }
        defer {
            _ = cop_release_event(command.event)
            pending.removeLast()
        }
        try flush()
        try wait(for: command)
        func time(_ what: Int32) throws(OpenCLError) -> cl_ulong {
            try infoValue("clGetEventProfilingInfo", cl_ulong(0)) {
                cop_get_event_profiling_info(command.event, cl_profiling_info(what), $0, $1, $2)
            }
        }
        let start = try time(CL_PROFILING_COMMAND_START)
        let end = try time(CL_PROFILING_COMMAND_END)
        return end > start ? Double(end - start) * 1e-9 : 0
    }
}
