import OpenCL

extension OpenCLBackend {
    /// Which limit keeps the device from running the kernels in `profile`, nil where none does.
    package func obstacle(to profile: DeviceProfile) -> String? { profile.obstacle(on: clDevice) }

    /// What kind of device it is.
    package var kind: Device.Kind { clDevice.kind }

    /// A backend of its own on the same device in another profile.
    /// - Throws: ``ComputeError/openCL(_:)`` when the driver refuses a context or a queue.
    package func inProfile(_ profile: DeviceProfile) throws(ComputeError) -> OpenCLBackend {
        let sizes = BlockSizeCache().sizes(for: clDevice, profile: profile)
        return try OpenCLBackend(device: clDevice, profile: profile, sizes: sizes)
    }

    /// A backend of its own on the same device, in the same profile, with other block sizes.
    /// - Throws: ``ComputeError/openCL(_:)`` when the driver refuses a context or a queue.
    package func with(_ sizes: BlockSizes, profiling: Bool) throws(ComputeError) -> OpenCLBackend {
        try OpenCLBackend(device: clDevice, profile: profile, sizes: sizes, profiling: profiling)
    }

    /// Keeps block sizes for the device and profile, and says whether it could.
    package func store(_ sizes: BlockSizes, in cache: BlockSizeCache) -> Bool {
        cache.store(sizes, for: clDevice)
    }

    /// Removes the block sizes that are kept for the device and profile, and says whether there were any.
    package func forgetSizes(in cache: BlockSizeCache) -> Bool { cache.forget(clDevice, profile: profile) }
}
