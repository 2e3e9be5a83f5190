import Foundation
import Testing

@testable import OpenCL

@Suite struct KernelSourceTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Kernels")

    @Test func everyKernelFileIsCarriedInside() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        let names = files.filter { $0.hasSuffix(".cl") || $0 == "common.clh" }
            .map { String($0.prefix { $0 != "." }) }.sorted()
        #expect(KernelSource.names == names)
        for name in names {
            let file = Self.folder.appendingPathComponent(name + (name == "common" ? ".clh" : ".cl"))
            #expect(KernelSource.text(of: name) == (try String(contentsOf: file, encoding: .utf8)), "\(name)")
        }
    }

    @Test func anUnknownKernelHasNoText() {
        #expect(KernelSource.text(of: "no_such_kernel") == nil)
    }
}
