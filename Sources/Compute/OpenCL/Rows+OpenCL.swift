extension Rows {
    /// The elements as a kernel's argument, whatever their type.
    var argument: KernelArgument {
        switch storage {
        case .bytes(let buffer): buffer.argument
        case .floats(let buffer): buffer.argument
        }
    }

    /// BYTES: 1 for 8-bit elements.
    var bytesDefine: Int {
        switch storage {
        case .bytes: 1
        case .floats: 0
        }
    }
}
