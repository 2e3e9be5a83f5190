import COpenCL
import Foundation
import RegexBuilder

/// A compiled source.
package final class Program {
    /// Where a program came from.
    package enum Origin: Sendable {
        case source
        case cache
    }

    let handle: cl_program
    let context: Context
    /// The kernel file's name without ".cl".
    package let label: String
    /// Where it came from.
    package let origin: Origin
    /// What the compiler said though it succeeded: warnings, or nothing.
    package let log: String

    /// Builds `source` for the context's device, or takes the binary that `cache` kept of an earlier build.
    /// - Throws: ``OpenCLError/buildFailed(_:)`` with options, device, log and the place where the source was saved;
    ///   ``OpenCLError/cacheUnwritable(reason:)`` where PoCL had no room to compile.
    package init(context: Context, label: String, source: String, options: String, cache: ProgramCache? = nil)
        throws(OpenCLError)
    {
        self.context = context
        self.label = label
        let key = cache.map { _ in ProgramCache.Key(source: source, options: options, device: context.device) }
        if let cache, let key, let binary = cache.binary(for: key),
            let kept = Program.build(context: context, label: label, binary: binary, options: options)
        {
            handle = kept
            origin = .cache
            log = ""
            return
        }
        handle = try Program.build(context: context, label: label, source: source, options: options)
        origin = .source
        log = Program.buildLog(handle, context.device)
        if let cache, let key, let binary = try? Program.binary(handle, label) { cache.store(binary, for: key) }
    }

    deinit { _ = cop_release_program(handle) }

    /// The compiled form as the driver gives it away.
    package func binary() throws(OpenCLError) -> [UInt8] { try Program.binary(handle, label) }

    private static func build(context: Context, label: String, source: String, options: String) throws(OpenCLError)
        -> cl_program
    {
        var created: cl_program?
        var text = source
        let status = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                cop_create_program_with_source(context.handle, $0.baseAddress, $0.count, &created)
            }
        }
        try check(status, "clCreateProgramWithSource", label)
        guard let created else {
            throw .callFailed(call: "clCreateProgramWithSource", status: CL_INVALID_PROGRAM, subject: label)
        }
        let built = StallWatch.during("clBuildProgram", label) {
            cop_build_program(created, context.device.id, options)
        }
        if built == CL_SUCCESS { return created }
        defer { _ = cop_release_program(created) }
        // The compiler does not say that it could not write.
        if PoCLCache.isOf(platform: context.device.platform.name), let fault = PoCLCache.currentFault {
            throw .cacheUnwritable(reason: "kernel \(label) does not compile: \(fault)")
        }
        let log = buildLog(created, context.device)
        throw .buildFailed(
            .init(
                label: label, status: built, options: options,
                device:
                    "\(context.device.name) (\(context.device.platform.name), driver \(context.device.driverVersion))",
                log: log, savedSource: save(source, label: label),
                location: location(in: log, label: label, source: source)))
    }

    /// Nil where the driver does not take the binary: then the source is compiled.
    private static func build(context: Context, label: String, binary: [UInt8], options: String) -> cl_program? {
        var created: cl_program?
        let status = cop_create_program_with_binary(
            context.handle, context.device.id, binary, binary.count, &created)
        guard status == CL_SUCCESS, let created else { return nil }
        let built = StallWatch.during("clBuildProgram", label) {
            cop_build_program(created, context.device.id, options)
        }
        if built == CL_SUCCESS { return created }
        _ = cop_release_program(created)
        return nil
    }

    private static func binary(_ handle: cl_program, _ label: String) throws(OpenCLError) -> [UInt8] {
        let size = try infoValue("clGetProgramInfo", 0) {
            cop_get_program_info(handle, cl_program_info(CL_PROGRAM_BINARY_SIZES), $0, $1, $2)
        }
        guard (1...mostBinary).contains(size) else {
            throw .nonsense(call: "clGetProgramInfo", answer: "\(size) bytes for the binary of \(label)")
        }
        var binary = [UInt8](repeating: 0, count: size)
        let status = binary.withUnsafeMutableBufferPointer { bytes in
            var destination = bytes.baseAddress
            return cop_get_program_info(
                handle, cl_program_info(CL_PROGRAM_BINARIES), MemoryLayout<UnsafeMutablePointer<UInt8>?>.size,
                &destination, nil)
        }
        try check(status, "clGetProgramInfo", label)
        return binary
    }

    /// Bytes of a compiled program above which a driver's answer is taken for nonsense.
    private static let mostBinary = 1 << 30

    /// The log of a build, empty where the driver has none: what it is for never depends on it.
    private static func buildLog(_ handle: cl_program, _ device: Device) -> String {
        let log = try? infoText("clGetProgramBuildInfo") {
            cop_get_program_build_info(
                handle, device.id, cl_program_build_info(CL_PROGRAM_BUILD_LOG), $0, $1, $2)
        }
        return log ?? ""
    }

    /// The first place in the kernel's own file, else in the common one, that a compiler's log names.
    static func location(in log: String, label: String, source: String) -> String? {
        for file in ["\(label).cl", "common.clh"] {
            if let match = log.firstMatch(
                of: Regex {
                    file; ":"; Capture(OneOrMore(.digit))
                })
            {
                return "\(file):\(match.1)"
            }
        }
        // Some compilers count the lines of the whole source, whatever #line says.
        let places = log.matches(of: /:(\d+):\d+: (?:fatal )?error/).compactMap { Int($0.1) }
            .compactMap { place(ofLine: $0, in: source) }
        return places.first { $0.hasPrefix("\(label).cl") } ?? places.first
    }

    /// File and line that `#line` directives give to a line of the whole source.
    private static func place(ofLine line: Int, in source: String) -> String? {
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.indices.contains(line - 1) else { return nil }
        for index in (0..<line).reversed() {
            if let directive = lines[index].wholeMatch(of: /#line 1 "(.*)"/) {
                return "\(directive.1):\(line - 1 - index)"
            }
        }
        return nil
    }

    /// Saves a source that does not compile into a new folder of its own.
    private static func save(_ source: String, label: String) -> String? {
        var template = Array(NSTemporaryDirectory().utf8CString.dropLast())
        template += Array("/coppice-build-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { return nil }
        let folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        let file = URL(fileURLWithPath: folder).appendingPathComponent("\(label).cl")
        do {
            try Data(source.utf8).write(to: file)
            return file.path
        } catch {
            return nil
        }
    }
}

/// One function of a program, with its arguments as they were last set.
package final class Kernel {
    let handle: cl_kernel
    private let program: Program
    /// The function's name.
    package let name: String
    /// How many arguments it takes.
    package let argumentCount: Int
    /// Most work-items in a work-group of this kernel.
    package let maxWorkGroupSize: Int
    /// The work-group size that its source demands, nil where it leaves that to the launch.
    package let requiredWorkGroup: [Int]?
    /// Bytes of local memory declared in its source.
    package let localMemory: Int

    /// The function `name` of `program`.
    package init(program: Program, name: String) throws(OpenCLError) {
        var created: cl_kernel?
        try check(cop_create_kernel(program.handle, name, &created), "clCreateKernel", name)
        guard let created else { throw .callFailed(call: "clCreateKernel", status: CL_INVALID_KERNEL, subject: name) }
        handle = created
        self.program = program
        self.name = name
        do throws(OpenCLError) {
            let device = program.context.device.id
            func value<Value: BitwiseCopyable>(_ what: Int32, _ initial: Value) throws(OpenCLError) -> Value {
                try infoValue("clGetKernelWorkGroupInfo", initial) {
                    cop_get_kernel_work_group_info(created, device, cl_kernel_work_group_info(what), $0, $1, $2)
                }
            }
            argumentCount = Int(
                try infoValue("clGetKernelInfo", cl_uint(0)) {
                    cop_get_kernel_info(created, cl_kernel_info(CL_KERNEL_NUM_ARGS), $0, $1, $2)
                })
            maxWorkGroupSize = try value(CL_KERNEL_WORK_GROUP_SIZE, 0)
            let required = try value(CL_KERNEL_COMPILE_WORK_GROUP_SIZE, ThreeSizes())
            requiredWorkGroup = required.x == 0 ? nil : [required.x, required.y, required.z]
            localMemory = Int(clamping: try value(CL_KERNEL_LOCAL_MEM_SIZE, cl_ulong(0)))
        } catch {
            _ = cop_release_kernel(created)
            throw error
        }
    }

    deinit { _ = cop_release_kernel(handle) }

    /// Sets argument `index` to a buffer.
    package func setArgument(_ index: Int, to buffer: Buffer) throws(OpenCLError) {
        var memory: cl_mem? = buffer.handle
        try check(
            cop_set_kernel_arg(handle, cl_uint(index), MemoryLayout<cl_mem?>.size, &memory), "clSetKernelArg",
            "argument \(index) of \(name)")
    }

    /// Sets argument `index` to a value, whose size must be that of the kernel's parameter.
    package func setArgument<Value: BitwiseCopyable>(_ index: Int, to value: Value) throws(OpenCLError) {
        let status = withUnsafeBytes(of: value) { cop_set_kernel_arg(handle, cl_uint(index), $0.count, $0.baseAddress) }
        try check(status, "clSetKernelArg", "argument \(index) of \(name)")
    }

    /// Gives argument `index`, a pointer to local memory, `byteCount` bytes.
    package func setArgument(_ index: Int, toLocalBytes byteCount: Int) throws(OpenCLError) {
        try check(
            cop_set_kernel_arg(handle, cl_uint(index), byteCount, nil), "clSetKernelArg",
            "argument \(index) of \(name)")
    }
}

/// Three sizes as clGetKernelWorkGroupInfo returns them.
private struct ThreeSizes: BitwiseCopyable {
    var x = 0
    var y = 0
    var z = 0
}
