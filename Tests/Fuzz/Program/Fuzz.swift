import CLibFuzzer
import Foundation
import FuzzTargets

/// Fuzzes the reader that $COPPICE_FUZZ_TARGET names; everything on the command line is libFuzzer's.
@main enum Fuzz {
    /// From the environment, which processes that libFuzzer starts for itself inherit.
    private static let target = ProcessInfo.processInfo.environment["COPPICE_FUZZ_TARGET"].flatMap(FuzzTarget.init)

    private static let folder: String? = {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-\(getpid())")
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder.path
    }()

    static func main() {
        guard target != nil else {
            complain(
                "COPPICE_FUZZ_TARGET must be one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
            exit(64)
        }
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        exit(LLVMFuzzerRunDriver(&count, &arguments) { start, count in Fuzz.test(start, count) })
    }

    /// One execution. libFuzzer is told of a violation by the end of the process, and then saves the file.
    private static func test(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
        guard let target, let folder else { return 0 }
        do throws(Violation) {
            _ = try target.accepts(Array(UnsafeBufferPointer(start: start, count: count)), folder: folder)
        } catch {
            complain("violation: \(error)")
            abort()
        }
        return 0
    }

    private static func complain(_ sentence: String) { FileHandle.standardError.write(Data("\(sentence)\n".utf8)) }
}
