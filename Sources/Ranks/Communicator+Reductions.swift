import CMPI

// Sums, minima and maxima over all ranks. They are integers for MPI: what it does with NaN, with zeros of both signs and with
// the order of floating-point sums is left to each implementation.
extension Communicator {
    /// Replaces the values by their sums over all ranks, modulo 2^64.
    package func sum(_ values: inout [UInt64]) throws(RanksError) {
        try values.withUnsafeMutableBufferPointer { buffer throws(RanksError) in
            try reduce(UnsafeMutableRawBufferPointer(buffer), COP_MPI_SUM)
        }
    }

    /// Replaces the values by their sums over all ranks, modulo 2^64.
    package func sum(_ values: UnsafeMutableBufferPointer<Int64>) throws(RanksError) {
        // The sum of two's complements is the two's complement of the sum.
        try reduce(UnsafeMutableRawBufferPointer(values), COP_MPI_SUM)
    }

    /// Replaces the values by their sums over all ranks, modulo 2^64.
    package func sum(_ values: inout [Int64]) throws(RanksError) {
        try values.withUnsafeMutableBufferPointer { buffer throws(RanksError) in try sum(buffer) }
    }

    /// Replaces the values by the least over all ranks.
    package func minimum(_ values: inout [UInt64]) throws(RanksError) { try extreme(&values, COP_MPI_MINIMUM) }

    /// Replaces the values by the greatest over all ranks.
    package func maximum(_ values: inout [UInt64]) throws(RanksError) { try extreme(&values, COP_MPI_MAXIMUM) }

    /// Replaces the values by the least over all ranks. A NaN on any rank makes the result NaN; -0 is less than 0.
    package func minimum(_ values: inout [Double]) throws(RanksError) {
        var keys = values.map { $0.isNaN ? 0 : orderedKey($0) }
        try minimum(&keys)
        for index in values.indices { values[index] = orderedValue(keys[index]) }
    }

    /// Replaces the values by the greatest over all ranks. A NaN on any rank makes the result NaN; 0 is greater than -0.
    package func maximum(_ values: inout [Double]) throws(RanksError) {
        var keys = values.map { $0.isNaN ? UInt64.max : orderedKey($0) }
        try maximum(&keys)
        for index in values.indices { values[index] = orderedValue(keys[index]) }
    }

    /// MPI finds the extremes of signed integers: unsigned ones less 2^63 have the same order.
    private func extreme(_ values: inout [UInt64], _ operation: Int) throws(RanksError) {
        for index in values.indices { values[index] ^= 1 << 63 }
        try values.withUnsafeMutableBufferPointer { buffer throws(RanksError) in
            try reduce(UnsafeMutableRawBufferPointer(buffer), operation)
        }
        for index in values.indices { values[index] ^= 1 << 63 }
    }
}

/// A number whose order among integers is that of `value` among values: from 0x000f…f for minus infinity to 0xfff0…0 for
/// infinity. Not for NaN, which has the numbers outside.
private func orderedKey(_ value: Double) -> UInt64 {
    let bits = value.bitPattern
    return value.sign == .minus ? ~bits : bits | 1 << 63
}

/// The value of ``orderedKey(_:)``, NaN for a number outside.
private func orderedValue(_ key: UInt64) -> Double {
    let value = Double(bitPattern: key >> 63 == 1 ? key ^ 1 << 63 : ~key)
    return value.isNaN ? .nan : value
}
