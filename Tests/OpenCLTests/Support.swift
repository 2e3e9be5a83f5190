import Foundation
import Testing

@testable import OpenCL

/// The host's devices; none where there is no OpenCL.
func hostDevices() -> [Device] { (try? Device.all()) ?? [] }

extension Device: CustomTestStringConvertible {
    public var testDescription: String { "\(name) (\(platform.name))" }
}

/// A folder that goes with the value.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("coppice-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}
