import Foundation
import Testing

@testable import OpenCL

/// The host's devices; none where there is no OpenCL.
func hostDevices() -> [Device] { (try? Device.all()) ?? [] }

extension Device: CustomTestStringConvertible {
    public var testDescription: String { "\(name) (\(platform.name))" }
}
