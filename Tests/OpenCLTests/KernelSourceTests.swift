import Foundation
import Support
import TestSupport
import Testing

@testable import OpenCL

@Suite struct KernelSourceTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Kernels")

    @Test func everyKernelFileIsCarriedInside() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        let names = files.filter { $0.hasSuffix(".cl") || $0.hasSuffix(".clh") }
            .map { String($0.prefix { $0 != "." }) }.sorted()
        #expect(KernelSource.names == names)
        for name in names {
            let file = Self.folder.appendingPathComponent(name + (KernelSource.headers.contains(name) ? ".clh" : ".cl"))
            #expect(KernelSource.text(of: name) == (try String(contentsOf: file, encoding: .utf8)), "\(name)")
        }
    }

    @Test func anUnknownKernelHasNoText() {
        #expect(KernelSource.text(of: "no_such_kernel") == nil)
    }

    @Test func aFolderTakesThePlaceOfWhatIsInside() throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("copy.cl", Array("changed".utf8))
        _ = try folder.file("common.clh", Array("shared".utf8))
        let environment: EnvironmentVariables = [KernelSource.environmentKey: folder.path]
        #expect(try KernelSource.chosenText(of: "copy", environment: environment) == "changed")
        #expect(try KernelSource.chosenText(of: "common", environment: environment) == "shared")
        #expect(try KernelSource.chosenText(of: "copy", environment: [:]) == KernelSource.text(of: "copy"))
        // A file that is missing there must not be made up for in silence.
        let error = #expect(throws: OpenCLError.self) {
            try KernelSource.chosenText(of: "adam_step", environment: environment)
        }
        #expect("\(error!)".contains("adam_step.cl") && "\(error!)".contains("COPPICE_KERNELS"))
    }
}
