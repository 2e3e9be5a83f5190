import COpenCL
import Foundation
import Testing

@testable import OpenCL

@Suite struct LibraryTests {
    @Test func aMissingLibraryIsNamed() throws {
        let error = try #require(OpenCLLibrary.load("/no/such/libOpenCL.so.1"))
        guard case .libraryMissing(let path, let reason) = error else {
            Issue.record(error)
            return
        }
        #expect(path == "/no/such/libOpenCL.so.1" && !reason.isEmpty)
        #expect(error.description.contains("ocl-icd-libopencl1"))
    }

    @Test func aHiddenLibraryIsMissing() throws {
        let error = try #require(OpenCLLibrary.load("none"))
        #expect(error.description.contains("COPPICE_OPENCL_LIBRARY=none"))
    }

    @Test func aLibraryWithoutOpenCLLacksAFunction() throws {
        let error = try #require(OpenCLLibrary.load("libm.so.6"))
        guard case .entryPointMissing(let name, let path) = error else {
            Issue.record(error)
            return
        }
        #expect(name == "clGetPlatformIDs" && path == "libm.so.6")
    }

    /// In a process of its own, whose table is still empty.
    @Test func callsBeforeLoadingReturnAStatus() async {
        await #expect(processExitsWith: .success) {
            var count: cl_uint = 0
            #expect(cop_get_platform_ids(0, nil, &count) == COP_LIBRARY_MISSING)
            var context: cl_context?
            #expect(cop_create_buffer(OpaquePointer(bitPattern: 8), 0, 4, nil, &context) == COP_LIBRARY_MISSING)
            #expect(context == nil)
        }
    }

    @Test func hiddenByTheEnvironmentNothingIsListed() async {
        await #expect(processExitsWith: .success) {
            setenv("COPPICE_OPENCL_LIBRARY", "none", 1)
            #expect(throws: OpenCLError.self) { try Platform.all() }
            #expect(throws: OpenCLError.self) { try Device.all() }
        }
    }

    @Test func anotherLibraryCanBeNamed() async {
        await #expect(processExitsWith: .success) {
            setenv("COPPICE_OPENCL_LIBRARY", "/no/such/library.so", 1)
            do throws(OpenCLError) {
                _ = try Platform.all()
                Issue.record("a library that is not there was loaded")
            } catch {
                #expect(error.description.hasPrefix("/no/such/library.so cannot be loaded"))
            }
        }
    }

    /// In a process of its own, since the loader reads its folder once.
    @Test(.enabled(if: OpenCLLibrary.load(OpenCLLibrary.defaultPath) == nil, "this host has no OpenCL loader"))
    func withoutAPlatformThePackageIsNamed() async {
        await #expect(processExitsWith: .success) {
            setenv("OCL_ICD_VENDORS", "/var/empty/no-such-folder/", 1)
            do throws(OpenCLError) {
                let platforms = try Platform.all()
                Issue.record("\(platforms.count) platforms in an empty folder")
            } catch {
                guard case .noPlatform = error else {
                    Issue.record(error)
                    return
                }
                #expect(error.description.contains("pocl-opencl-icd"))
            }
        }
    }
}
