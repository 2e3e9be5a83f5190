import OpenCL

/// What is known to be odd about an implementation: when it applies, where it is described, what is done about it.
package struct DeviceQuirk: Sendable {
    /// What a quirk is recognised by: the names that a platform and its device give themselves.
    package struct Description: Sendable {
        var platform: String
        var version: String
        /// Nil for a platform without any device.
        var device: String?
        var driver: String

        /// A description of `device`, or of the platform alone where it has none.
        package init(platform: String, version: String = "", device: String?, driver: String = "") {
            self.platform = platform
            self.version = version
            self.device = device
            self.driver = driver
        }
    }

    /// What the program does because of a quirk, apart from telling of it.
    package enum Effect: Sendable {
        /// The device's largest work-group is taken for every kernel's.
        case kernelLimitIgnored
        /// Buffers are written instead of filled.
        case fillsWritten
        /// Guards behind buffers are left out.
        case boundsChecked
        /// Whoever computes there is warned: results may be wrong.
        case warning
    }

    /// What is odd and what is done about it, as a sentence.
    package let text: String
    /// Where it is described.
    package let link: String
    /// What the program does about it, nil where it only tells of it.
    package var effect: Effect?
    let applies: @Sendable (Description) -> Bool

    /// The quirks that apply to `description`.
    package static func all(of description: Description) -> [DeviceQuirk] { known.filter { $0.applies(description) } }

    /// Every quirk that is known here.
    ///
    /// One has no place among them, since it ends the process before there is a name to ask for: a driver that hands out a
    /// platform that is NULL, beside another driver, crashes ocl-icd 2.3.1 in its own clGetPlatformIDs, in a C program as
    /// well. `COPPICE_OPENCL_LIBRARY=none`, or OCL_ICD_VENDORS without that driver, is the way around.
    static let known: [DeviceQuirk] = [
        DeviceQuirk(
            text:
                "a platform without a device answers the question for devices with an error (-1): it counts as empty, "
                + "and the next platform is asked",
            link: "https://github.com/fahbench/fahbench/pull/97"
        ) { $0.device == nil },
        DeviceQuirk(
            text: "Clover supports OpenCL 1.1 and lacks what the kernels need: its devices are passed over; Rusticl is "
                + "its successor",
            link: "https://docs.mesa3d.org/rusticl.html"
        ) { $0.platform == "Clover" },
        DeviceQuirk(
            text: "Rusticl shows a device only when RUSTICL_ENABLE names its Mesa driver, such as radeonsi or iris",
            link: "https://github.com/CachyOS/chwd/pull/146"
        ) { $0.platform.lowercased() == "rusticl" && $0.device == nil },
        DeviceQuirk(
            text:
                "llvmpipe draws and computes on the processor, hundreds of times slower than PoCL: auto never takes it",
            link: "https://docs.mesa3d.org/drivers/llvmpipe.html"
        ) { $0.device?.contains("llvmpipe") == true },
        DeviceQuirk(
            text: "llvmpipe ends the loops of a work-item after 65,535 iterations in all, without an error: results of "
                + "all but small work are wrong there",
            link: "https://gitlab.freedesktop.org/mesa/mesa/-/blob/mesa-22.3.6/"
                + "src/gallium/auxiliary/gallivm/lp_bld_limits.h",
            effect: .warning
        ) { $0.device?.contains("llvmpipe") == true },
        DeviceQuirk(
            text: "Rusticl of Mesa 22 gives the size of a subgroup as the largest work-group of a kernel: the device's "
                + "largest work-group is taken instead",
            link: "https://gitlab.freedesktop.org/mesa/mesa/-/blob/mesa-22.3.6/"
                + "src/gallium/frontends/rusticl/api/kernel.rs",
            effect: .kernelLimitIgnored
        ) { $0.platform.lowercased() == "rusticl" && $0.device != nil && $0.driver.hasPrefix("22.") },
        DeviceQuirk(
            text: "Oclgrind takes filled buffers for memory that was never written: buffers are written instead",
            link: "https://github.com/jrprice/Oclgrind/blob/master/src/plugins/Uninitialized.cpp",
            effect: .fillsWritten
        ) { $0.platform.lowercased() == "oclgrind" },
        DeviceQuirk(
            text: "Oclgrind reports every access behind a buffer's end: verify leaves out the guards, which would hide "
                + "it",
            link: "https://github.com/jrprice/Oclgrind/blob/master/src/plugins/MemCheck.cpp",
            effect: .boundsChecked
        ) { $0.platform.lowercased() == "oclgrind" },
        DeviceQuirk(
            text: "Oclgrind is a simulator, and its versions before 22 end a kernel without a word where LLVM made a "
                + "`freeze` instruction: verify it with --tiny, and believe no result where nothing was written",
            link: "https://github.com/jrprice/Oclgrind/issues/194"
        ) { $0.platform.lowercased() == "oclgrind" },
        DeviceQuirk(
            text: "the driver keeps compiled programs itself: the program cache stands back",
            link: "https://github.com/inducer/pyopencl/issues/731"
        ) { ProgramCache.findsFast(platform: $0.platform) && $0.device != nil },
    ]
}
