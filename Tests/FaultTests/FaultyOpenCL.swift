import Foundation
import OpenCL
import Testing

/// The double of the OpenCL library, loaded into this process: what Tests/FaultyOpenCL/include describes.
struct FaultyOpenCL {
    private let configured: @convention(c) (UnsafePointer<CChar>) -> Int32
    private let counts: [String: @convention(c) () -> Int]
    private let functionName: @convention(c) (Int) -> UnsafePointer<CChar>

    /// Has this process use the double from its first OpenCL call on: for processes that are made for it.
    init() throws {
        let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("libFaultyOpenCL.so").path
        setenv(OpenCLLibrary.environmentKey, path, 1)
        let library = try #require(dlopen(path, RTLD_NOW), "\(path) was not built")
        func symbol<Function>(_ name: String, _ type: Function.Type) throws -> Function {
            unsafeBitCast(try #require(dlsym(library, name), "\(path) has no \(name)"), to: type)
        }
        configured = try symbol("faulty_configure", (@convention(c) (UnsafePointer<CChar>) -> Int32).self)
        functionName = try symbol("faulty_function", (@convention(c) (Int) -> UnsafePointer<CChar>).self)
        var counts: [String: @convention(c) () -> Int] = [:]
        for name in ["calls", "commands", "live", "misuses"] {
            counts[name] = try symbol("faulty_" + name, (@convention(c) () -> Int).self)
        }
        self.counts = counts
    }

    /// Starts over, misbehaving as `specification` says.
    func configure(_ specification: String) { #expect(configured(specification) == 0, "\(specification)") }

    /// Calls so far.
    var calls: Int { counts["calls"]?() ?? 0 }
    /// Commands so far.
    var commands: Int { counts["commands"]?() ?? 0 }
    /// Handles created and not released.
    var live: Int { counts["live"]?() ?? 0 }
    /// Calls with handles that were none.
    var misuses: Int { counts["misuses"]?() ?? 0 }
    /// The function that call `number` was to, counted from 1.
    func function(_ number: Int) -> String { String(cString: functionName(number)) }
}
