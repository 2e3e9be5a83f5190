import OpenCL

/// What a kernel's parameter receives.
enum KernelArgument {
    /// A `__global` pointer.
    case buffer(any DeviceStorage)
    /// An `int`.
    case int(Int)
    /// A `float`.
    case float(Float)
    /// A `__local` pointer to so many bytes.
    case local(Int)
}

extension DeviceBuffer {
    /// The buffer as a kernel's argument.
    var argument: KernelArgument { .buffer(storage) }
}

extension ReplicaTensor {
    /// The whole buffer as a kernel's argument; offset and stride go separately.
    var argument: KernelArgument { .buffer(buffer.storage) }
}

/// What tells one specialised kernel from another. Names of macros are compared and not hashed: a kernel has
/// always the same ones.
struct KernelKey: Hashable {
    let kernel: String
    let defines: [(name: String, value: Int)]

    static func == (left: KernelKey, right: KernelKey) -> Bool {
        guard left.kernel == right.kernel, left.defines.count == right.defines.count else { return false }
        for index in left.defines.indices {
            let (a, b) = (left.defines[index], right.defines[index])
            guard a.value == b.value, a.name == b.name else { return false }
        }
        return true
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(kernel)
        for define in defines { hasher.combine(define.value) }
    }
}

extension OpenCLBackend {
    /// Queues a kernel and returns at once.
    ///
    /// - Parameters:
    ///   - kernel: the name of its file in Kernels without ".cl", which is its function's name too.
    ///   - defines: the macros that specialise it; `TILE`, `VW` and `LANES` are defined besides. Each combination is
    ///     compiled once, when first launched.
    ///   - arguments: one for each parameter of the function.
    ///   - global: work-items in 1 to 3 dimensions, each a multiple of `local`.
    ///   - local: work-items a work-group, or nil to let the implementation choose.
    /// - Throws: ``ComputeError/invalidShape(operation:reason:)`` for a launch that the device cannot run,
    ///   ``ComputeError/outOfMemory(label:byteCount:device:)``, or what OpenCL reports.
    func launch(
        _ kernel: String, _ defines: KeyValuePairs<String, Int>, _ arguments: [KernelArgument], global: [Int],
        local: [Int]? = nil
    ) throws(ComputeError) {
        let key = KernelKey(kernel: kernel, defines: defines.map { (name: $0.key, value: $0.value) })
        try launch(key, arguments, global, local)
    }

    /// The same with macros that were put together at run time.
    func launch(
        _ kernel: String, _ defines: [(String, Int)], _ arguments: [KernelArgument], global: [Int],
        local: [Int]? = nil
    ) throws(ComputeError) {
        let key = KernelKey(kernel: kernel, defines: defines.map { (name: $0.0, value: $0.1) })
        try launch(key, arguments, global, local)
    }

    /// The same for a key.
    func launch(_ key: KernelKey, _ arguments: [KernelArgument], _ global: [Int], _ local: [Int]?)
        throws(ComputeError)
    {
        let kernel = try preparedKernel(key)
        if isPreparing { return }
        var localBytes = kernel.localMemory
        for case .local(let byteCount) in arguments { localBytes += byteCount }
        if let reason = launchObstacle(kernel, arguments.count, global, local, localBytes) {
            throw .invalidShape(operation: kernel.name, reason: reason)
        }
        try note(key, global: global, local: local)
        for index in arguments.indices { try setArgument(index, of: kernel, to: arguments[index]) }
        do throws(OpenCLError) {
            if queue.isProfiling {
                record(try queue.timedLaunch(kernel, global: global, local: local), of: kernel.name)
            } else {
                try queue.launch(kernel, global: global, local: local)
            }
        } catch {
            guard error.isOutOfMemory else { throw .openCL(error) }
            throw .outOfMemory(
                label: "the buffers of kernel \(kernel.name)", byteCount: byteCount(of: arguments), device: device.name)
        }
    }

    private func setArgument(_ index: Int, of kernel: Kernel, to argument: KernelArgument) throws(ComputeError) {
        if case .buffer(let storage) = argument, !(storage is OpenCLStorage) {
            throw .invalidShape(operation: kernel.name, reason: "argument \(index) is a buffer of another backend")
        }
        if case .int(let value) = argument, Int32(exactly: value) == nil {
            throw .invalidShape(operation: kernel.name, reason: "argument \(index) is \(value), beyond an int")
        }
        do throws(OpenCLError) {
            switch argument {
            case .buffer(let storage):
                try kernel.setArgument(index, to: unsafeDowncast(storage, to: OpenCLStorage.self).buffer)
            case .int(let value): try kernel.setArgument(index, to: Int32(truncatingIfNeeded: value))
            case .float(let value): try kernel.setArgument(index, to: value)
            case .local(let byteCount): try kernel.setArgument(index, toLocalBytes: byteCount)
            }
        } catch {
            throw .openCL(error)
        }
    }

    private func byteCount(of arguments: [KernelArgument]) -> Int {
        var total = 0
        for case .buffer(let storage) in arguments { total += storage.byteCount }
        return total
    }

    /// Why the device cannot run a launch, or nil. Drivers answer the same mistakes with a bare number, or crash.
    private func launchObstacle(
        _ kernel: Kernel, _ argumentCount: Int, _ global: [Int], _ local: [Int]?, _ localBytes: Int
    ) -> String? {
        let limits = clDevice
        if argumentCount != kernel.argumentCount {
            return "\(argumentCount) arguments given, the kernel takes \(kernel.argumentCount)"
        }
        if !(1...3).contains(global.count) || global.contains(where: { $0 < 1 }) {
            return "the global size \(global) is not 1 to 3 positive numbers"
        }
        if localBytes > limits.localMemory {
            return "\(localBytes) bytes of local memory are needed, \(limits.name) has \(limits.localMemory)"
        }
        guard let local else {
            return kernel.requiredWorkGroup.map { "it must be launched in work-groups of \($0)" }
        }
        if local.count != global.count || local.contains(where: { $0 < 1 }) {
            return "the work-group size \(local) does not fit the global size \(global)"
        }
        var workItems = 1
        for dimension in local.indices {
            workItems *= local[dimension]
            if global[dimension] % local[dimension] != 0 {
                return "the global size \(global) is no multiple of the work-group size \(local)"
            }
            if local[dimension] > limits.maxWorkItemSizes[dimension] {
                return "the work-group size \(local) exceeds \(limits.name)'s \(limits.maxWorkItemSizes)"
            }
            if let required = kernel.requiredWorkGroup, required[dimension] != local[dimension] {
                return "the work-group size is \(local), the kernel demands \(required)"
            }
        }
        let most = has(.kernelLimitIgnored) ? limits.maxWorkGroupSize : kernel.maxWorkGroupSize
        if workItems > most {
            return "a work-group of \(workItems) work-items exceeds the \(most) that "
                + "\(limits.name) can run of this kernel"
        }
        return nil
    }
}
