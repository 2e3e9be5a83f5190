import Foundation
import Testing

@testable import Datasets
import TestSupport

@Suite struct ValueConversionTests {
    /// Values at `source` in double precision, in single precision, and in single precision less `shift`.
    private func convert<Number: BitwiseCopyable>(
        _ type: ValueType, _ numbers: [Number], less shift: [Double]
    ) -> (doubles: [Double], floats: [Float], differences: [Float]) {
        var doubles = [Double](repeating: -1, count: numbers.count)
        var floats = [Float](repeating: -1, count: numbers.count)
        var differences = floats
        numbers.withUnsafeBytes { source in
            guard let base = source.baseAddress else { return }
            doubles.withUnsafeMutableBufferPointer { type.convert(base, to: $0) }
            floats.withUnsafeMutableBufferPointer { type.convert(base, to: $0) }
            differences.withUnsafeMutableBufferPointer { room in
                guard let room = room.baseAddress else { return }
                type.convert(base, rows: numbers.count / shift.count, less: shift, to: room)
            }
        }
        return (doubles, floats, differences)
    }

    private func expect<Number: BitwiseCopyable>(
        _ type: ValueType, _ numbers: [Number], _ values: [Double], less shift: [Double],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let found = convert(type, numbers, less: shift)
        #expect(type.byteCount == MemoryLayout<Number>.stride, sourceLocation: sourceLocation)
        #expect(found.doubles == values, sourceLocation: sourceLocation)
        #expect(found.floats == values.map { Float($0) }, sourceLocation: sourceLocation)
        let differences = values.indices.map { Float(values[$0] - shift[$0 % shift.count]) }
        #expect(found.differences == differences, sourceLocation: sourceLocation)
    }

    @Test(arguments: [1, 2, 7, 33]) func everyTypeIsConverted(columns: Int) {
        var noise = Noise(columns)
        let count = 5 * columns
        // Numbers that float32 holds, and others.
        for shift in [(0..<columns).map { Double($0) - 3.5 }, (0..<columns).map { Double($0) / 3 }] {
            let whole = (0..<count).map { _ in Int64(truncatingIfNeeded: noise.next()) }
            let int8 = whole.map { Int8(truncatingIfNeeded: $0) }
            expect(.int8, int8, int8.map { Double($0) }, less: shift)
            let uint8 = whole.map { UInt8(truncatingIfNeeded: $0) }
            expect(.uint8, uint8, uint8.map { Double($0) }, less: shift)
            let int16 = whole.map { Int16(truncatingIfNeeded: $0) }
            expect(.int16, int16, int16.map { Double($0) }, less: shift)
            let int32 = whole.map { Int32(truncatingIfNeeded: $0) }
            expect(.int32, int32, int32.map { Double($0) }, less: shift)
            let int64 = whole.map { $0 >> 20 }
            expect(.int64, int64, int64.map { Double($0) }, less: shift)
            let float32 = (0..<count).map { _ in Float.random(in: -9...9, using: &noise) }
            expect(.float32, float32, float32.map { Double($0) }, less: shift)
            let float64 = (0..<count).map { _ in Double.random(in: -9...9, using: &noise) }
            expect(.float64, float64, float64, less: shift)
            let brain = float32.map { UInt16($0.bitPattern >> 16) }
            expect(
                .bfloat16, brain, brain.map { Double(Float(bitPattern: UInt32($0) << 16)) }, less: shift)
            let half = (0..<count).map { _ in UInt16.random(in: 0..<0x7C00, using: &noise) }
            expect(.float16, half, half.map { Double(Float(halfBits: $0)) }, less: shift)
        }
    }

    /// Against the definition: sign, 5 bits of exponent, 10 of significand.
    @Test func everyHalfIsExact() {
        let wrong = (UInt16.min...UInt16.max).filter { bits in
            let (exponent, significand) = (Int(bits >> 10 & 31), Double(bits & 1023))
            let magnitude =
                exponent == 0
                ? significand * 0x1p-24
                : exponent == 31
                    ? (significand == 0 ? Double.infinity : .nan)
                    : (1024 + significand) * pow(2, Double(exponent - 25))
            let value = Float(halfBits: bits)
            let isEqual = magnitude.isNaN ? value.isNaN : Double(value.magnitude) == magnitude
            return !isEqual || value.sign != (bits >> 15 == 0 ? .plus : .minus)
        }
        #expect(wrong.isEmpty)
    }

    @Test func wholeNumbersBeyondDoublePrecisionKeepTheirDifferences() {
        #expect(Int64.max.less(-0x1p63) == 0x1p64 && Int64.min.less(0.5) == -0x1p63)
        #expect(((1 << 60) + 3 as Int64).less(0x1p60) == 3 && (5 as Int64).less(2.5) == 2.5)
    }

    @Test func typesAreJoinedWithoutLoss() {
        #expect(ValueType.float16.joined(with: .float16) == .float16)
        #expect(ValueType.float16.joined(with: .bfloat16) == .float32)
        #expect(ValueType.uint8.joined(with: .float32) == .float32)
        #expect(ValueType.int32.joined(with: .float32) == .float64)
        #expect(ValueType.float64.joined(with: .int8) == .float64)
    }
}
