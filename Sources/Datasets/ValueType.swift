/// The types of the numbers that matrices and arrays are read from.
package enum ValueType: Sendable, CaseIterable {
    case float16, bfloat16, float32, float64, int8, uint8, int16, int32, int64

    /// Bytes per value.
    package var byteCount: Int {
        switch self {
        case .int8, .uint8: 1
        case .float16, .bfloat16, .int16: 2
        case .float32, .int32: 4
        case .float64, .int64: 8
        }
    }

    /// Whether float32 holds every value exactly.
    package var fitsFloat: Bool {
        switch self {
        case .float16, .bfloat16, .float32, .int8, .uint8, .int16: true
        case .float64, .int32, .int64: false
        }
    }

    /// The type in NumPy's notation, little-endian; nil for bfloat16, which NumPy does not have.
    var numPyDescriptor: String? {
        switch self {
        case .float16: "<f2"
        case .bfloat16: nil
        case .float32: "<f4"
        case .float64: "<f8"
        case .int8: "|i1"
        case .uint8: "|u1"
        case .int16: "<i2"
        case .int32: "<i4"
        case .int64: "<i8"
        }
    }

    /// The type that both can be read as: float32 where that holds every value of either, else float64. Whole numbers beyond
    /// 2^53 are rounded.
    func joined(with other: ValueType) -> ValueType {
        if self == other { return self }
        return fitsFloat && other.fitsFloat ? .float32 : .float64
    }
}
