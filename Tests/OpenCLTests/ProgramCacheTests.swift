import Foundation
import Support
import Testing

@testable import OpenCL
import TestSupport

@Suite struct ProgramCacheTests {
    private static let source = "__kernel void one(__global int *x) { *x = 1; }"

    private static func key(
        source: String = source, options: String = "-DA=1", device: String = "card", driver: String = "1.0",
        platform: String = "P 3.0"
    ) -> ProgramCache.Key {
        .init(source: source, options: options, device: device, driver: driver, platform: platform)
    }

    @Test func whatIsStoredIsFound() throws {
        let folder = try TemporaryFolder()
        let cache = ProgramCache(directory: folder.url.appendingPathComponent("a/b"))
        #expect(cache.binary(for: Self.key()) == nil)
        cache.store([1, 2, 3], for: Self.key())
        #expect(cache.binary(for: Self.key()) == [1, 2, 3])
        cache.store([4], for: Self.key())
        #expect(cache.binary(for: Self.key()) == [4])
        // Nothing is left of writing aside.
        let files = try FileManager.default.contentsOfDirectory(atPath: cache.directory.path)
        #expect(files == [Self.key().fileName])
    }

    @Test func everyPartOfTheKeyCounts() throws {
        let folder = try TemporaryFolder()
        let cache = ProgramCache(directory: folder.url)
        cache.store([1, 2, 3], for: Self.key())
        let others = [
            Self.key(source: "x"), Self.key(options: "-DA=2"), Self.key(device: "other"), Self.key(driver: "1.1"),
            Self.key(platform: "P 3.1"),
        ]
        for other in others { #expect(cache.binary(for: other) == nil) }
        #expect(Set(others.map(\.fileName)).count == others.count)
    }

    @Test func aFileOfAnotherKeyIsRefused() throws {
        let folder = try TemporaryFolder()
        let cache = ProgramCache(directory: folder.url)
        let foreign = Self.key(driver: "1.1")
        cache.store([1, 2, 3], for: foreign)
        try FileManager.default.moveItem(
            at: folder.url.appendingPathComponent(foreign.fileName),
            to: folder.url.appendingPathComponent(Self.key().fileName))
        #expect(cache.binary(for: Self.key()) == nil)
    }

    @Test func anyDamageIsNoticed() throws {
        let key = Self.key()
        let whole = ProgramCache.encode([9, 8, 7, 6], key: key)
        #expect(ProgramCache.decode(whole, key: key) == [9, 8, 7, 6])
        for length in 0..<whole.count { #expect(ProgramCache.decode(Array(whole[..<length]), key: key) == nil) }
        for index in whole.indices {
            var damaged = whole
            damaged[index] ^= 0x20
            #expect(ProgramCache.decode(damaged, key: key) == nil, "byte \(index)")
        }
        #expect(ProgramCache.decode(whole + [0], key: key) == nil)
        #expect(ProgramCache.decode(ProgramCache.encode([], key: key), key: key) == nil)
    }

    @Test func aFolderThatCannotBeWrittenIsNoError() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appendingPathComponent("file")
        try Data([1]).write(to: file)
        // Below a file nobody can make a folder, whoever runs the test.
        let cache = ProgramCache(directory: file.appendingPathComponent("below"))
        cache.store([1], for: Self.key())
        #expect(cache.binary(for: Self.key()) == nil)
    }

    @Test func aFileThatCannotBeReplacedLeavesNothingBehind() throws {
        let folder = try TemporaryFolder()
        let cache = ProgramCache(directory: folder.url)
        let taken = folder.url.appendingPathComponent(Self.key().fileName)
        try FileManager.default.createDirectory(at: taken, withIntermediateDirectories: true)
        cache.store([1], for: Self.key())
        #expect(cache.binary(for: Self.key()) == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == [Self.key().fileName])
    }

    @Test func theFolderFollowsTheEnvironment() {
        func path(_ environment: EnvironmentVariables) -> String {
            ProgramCache.standardDirectory(environment: environment).path
        }
        #expect(path(["COPPICE_CACHE": "/c", "XDG_CACHE_HOME": "/x", "HOME": "/h"]) == "/c")
        #expect(path(["XDG_CACHE_HOME": "/x", "HOME": "/h"]) == "/x/coppice/programs")
        #expect(path(["XDG_CACHE_HOME": "relative", "HOME": "/h"]) == "/h/.cache/coppice/programs")
        #expect(path(["COPPICE_CACHE": "", "HOME": "/h"]) == "/h/.cache/coppice/programs")
    }

    @Test(arguments: [
        ("Portable Computing Language", true, false), ("NVIDIA CUDA", true, true),
        ("AMD Accelerated Parallel Processing", false, false), ("Intel(R) OpenCL", false, false),
        ("rusticl", false, false),
    ])
    func standsBackWhereTheDriverCaches(_ platform: String, _ standsBack: Bool, _ findsFast: Bool) {
        #expect(ProgramCache.cachesByItself(platform: platform) == standsBack)
        #expect(ProgramCache.findsFast(platform: platform) == findsFast)
    }

    // With a real driver, whose own cache does not matter here.

    private static func build(_ device: Device, _ cache: ProgramCache) throws -> Program {
        try Program(context: try Context(device: device), label: "one", source: source, options: "", cache: cache)
    }

    private static func run(_ program: Program) throws -> Int32 {
        let queue = try CommandQueue(context: program.context)
        let kernel = try Kernel(program: program, name: "one")
        let buffer = try Buffer(context: program.context, byteCount: 4, label: "x")
        try kernel.setArgument(0, to: buffer)
        try queue.launch(kernel, global: [1], local: nil)
        var value: Int32 = 0
        try withUnsafeMutableBytes(of: &value) { try queue.read(buffer, at: 0, into: $0) }
        return value
    }

    @Test(arguments: hostDevices())
    func theSecondBuildComesFromTheCache(_ device: Device) throws {
        let folder = try TemporaryFolder()
        let cache = ProgramCache(directory: folder.url)
        let first = try Self.build(device, cache)
        #expect(first.origin == .source)
        let second = try Self.build(device, cache)
        #expect(second.origin == .cache)
        #expect(try Self.run(first) == 1)
        #expect(try Self.run(second) == 1)
    }

    @Test(arguments: hostDevices(), [0, 1, 2])
    func aBinaryThatTheDriverRefusesIsBuiltAgain(_ device: Device, _ damage: Int) throws {
        // Rusticl of Mesa 22.3 aborts the process over a foreign binary; damage that a file can take is found before.
        if damage == 0 && device.platform.name == "rusticl" { return }
        let folder = try TemporaryFolder()
        let cache = ProgramCache(directory: folder.url)
        _ = try Self.build(device, cache)
        let key = ProgramCache.Key(source: Self.source, options: "", device: device)
        switch damage {
        case 0: cache.store(Array("no program".utf8), for: key)
        case 1: try Data().write(to: folder.url.appendingPathComponent(key.fileName))
        default:
            let file = folder.url.appendingPathComponent(key.fileName)
            var bytes = [UInt8](try Data(contentsOf: file))
            bytes[bytes.count - 1] ^= 1
            try Data(bytes).write(to: file)
        }
        let program = try Self.build(device, cache)
        #expect(program.origin == .source)
        #expect(try Self.run(program) == 1)
        #expect(try Self.build(device, cache).origin == .cache)
    }

    @Test(arguments: hostDevices())
    func buildingWorksWithoutAWritableFolder(_ device: Device) throws {
        let cache = ProgramCache(directory: URL(fileURLWithPath: "/dev/null/below"))
        #expect(try Self.run(try Self.build(device, cache)) == 1)
        #expect(try Self.build(device, cache).origin == .source)
    }
}
