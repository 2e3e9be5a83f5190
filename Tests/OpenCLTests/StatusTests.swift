import COpenCL
import Foundation
import Testing

@testable import OpenCL

@Suite struct StatusTests {
    private static let header = "/usr/include/CL/cl.h"

    /// Negative numbers of another kind: what clGetProgramBuildInfo says of a build under way.
    private static let buildStates: Set<Substring> = ["CL_BUILD_NONE", "CL_BUILD_ERROR", "CL_BUILD_IN_PROGRESS"]

    /// Every status of the system's own header has its name.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: header), "the OpenCL headers stand elsewhere"))
    func everyStatusHasItsName() throws {
        var count = 0
        for line in try String(contentsOfFile: Self.header, encoding: .utf8).split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count == 3, words[0] == "#define", words[1].hasPrefix("CL_"),
                !Self.buildStates.contains(words[1]), let status = Int32(words[2]),
                status < 0
            else { continue }
            #expect(statusName(status) == words[1])
            count += 1
        }
        #expect(count >= 60)
        #expect(statusName(0) == "CL_SUCCESS")
        #expect(statusName(-1001) == "CL_PLATFORM_NOT_FOUND_KHR")
        #expect(statusName(-12345) == "unknown status")
    }

    @Test func errorsNameCallStatusAndSubject() {
        let error = OpenCLError.callFailed(call: "clEnqueueNDRangeKernel", status: -54, subject: "conv2d_block_forward")
        #expect(
            error.description
                == "clEnqueueNDRangeKernel for conv2d_block_forward returned CL_INVALID_WORK_GROUP_SIZE (-54)")
        let bare = OpenCLError.callFailed(call: "clFinish", status: -36, subject: "")
        #expect(bare.description == "clFinish returned CL_INVALID_COMMAND_QUEUE (-36)")
    }

    @Test(arguments: [(-4, true), (-5, true), (-6, true), (-61, false), (-54, false), (-11, false)])
    func memoryCodesAreToldApart(_ status: Int, _ isMemory: Bool) {
        let error = OpenCLError.callFailed(call: "x", status: Int32(status), subject: "")
        #expect(error.isOutOfMemory == isMemory)
    }
}
