/// A failed OpenCL call.
public struct OpenCLError: Error, CustomStringConvertible {
    public var description: String { "OpenCL failed" }
}
