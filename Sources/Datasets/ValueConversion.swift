/// A number as a file holds it.
protocol StoredNumber: BitwiseCopyable {
    /// Whether float32 holds every such number exactly.
    static var fitsFloat: Bool { get }
    /// The number in single precision, rounded once.
    var float: Float { get }
    /// The number in double precision, rounded once.
    var double: Double { get }
    /// The number less another one: exact before it is rounded to float32.
    func less(_ other: Double) -> Float
}

extension StoredNumber {
    @inline(__always) func less(_ other: Double) -> Float { Float(double - other) }
}

extension Float: StoredNumber {
    static var fitsFloat: Bool { true }
    @inline(__always) var float: Float { self }
    @inline(__always) var double: Double { Double(self) }
}

extension Double: StoredNumber {
    static var fitsFloat: Bool { false }
    @inline(__always) var float: Float { Float(self) }
    @inline(__always) var double: Double { self }
}

extension StoredNumber where Self: FixedWidthInteger {
    static var fitsFloat: Bool { bitWidth <= 16 }
    @inline(__always) var float: Float { Float(self) }
    @inline(__always) var double: Double { Double(self) }
}

extension Int8: StoredNumber {}
extension UInt8: StoredNumber {}
extension Int16: StoredNumber {}
extension Int32: StoredNumber {}

extension Int64: StoredNumber {
    /// Exact before the rounding, beyond 2^53 too.
    @inline(__always) func less(_ other: Double) -> Float {
        let whole = other.rounded(.towardZero)
        // What the largest numbers are rounded to in float64 is one more than fits.
        let isBeyond = whole == 0x1p63
        guard let subtrahend = isBeyond ? .max : Int64(exactly: whole) else { return Float(Double(self) - other) }
        let (difference, overflow) = subtractingReportingOverflow(subtrahend)
        if overflow { return Float(Double(self) - other) }
        return Float(Double(difference) - (isBeyond ? 1 : other - whole))
    }
}

/// A half-precision float (IEEE 754 binary16). Swift's own type is not on every processor.
struct HalfBits: StoredNumber {
    let bits: UInt16
    static var fitsFloat: Bool { true }
    @inline(__always) var float: Float { Float(halfBits: bits) }
    @inline(__always) var double: Double { Double(float) }
}

/// The upper half of a float32.
struct BrainFloatBits: StoredNumber {
    let bits: UInt16
    static var fitsFloat: Bool { true }
    @inline(__always) var float: Float { Float(bitPattern: UInt32(bits) << 16) }
    @inline(__always) var double: Double { Double(float) }
}

extension Float {
    /// The value of a half-precision float (IEEE 754 binary16), exactly. There is no branch, so that loops become vectors.
    @inline(__always) package init(halfBits bits: UInt16) {
        let magnitude = UInt32(bits & 0x7FFF)
        let exponent = magnitude & 0x7C00
        // The exponent's bias is 15 there and 127 here.
        let normal = magnitude << 13 &+ 112 << 23
        let infinite = normal &+ 112 << 23
        // The lowest bits of numbers between a half and one count 2^-24, as those of subnormal halves do.
        let subnormal = (Float(bitPattern: magnitude | 0x3F00_0000) - 0.5).bitPattern
        let value = exponent == 0 ? subnormal : exponent == 0x7C00 ? infinite : normal
        self.init(bitPattern: value | UInt32(bits & 0x8000) << 16)
    }
}

/// Work on numbers of any of the types.
private protocol NumberVisitor {
    func visit<Number: StoredNumber>(_ type: Number.Type)
}

extension ValueType {
    /// Each case names its type, so that the compiler makes loops for it.
    @inline(__always) private func visit(_ visitor: some NumberVisitor) {
        switch self {
        case .float16: visitor.visit(HalfBits.self)
        case .bfloat16: visitor.visit(BrainFloatBits.self)
        case .float32: visitor.visit(Float.self)
        case .float64: visitor.visit(Double.self)
        case .int8: visitor.visit(Int8.self)
        case .uint8: visitor.visit(UInt8.self)
        case .int16: visitor.visit(Int16.self)
        case .int32: visitor.visit(Int32.self)
        case .int64: visitor.visit(Int64.self)
        }
    }

    /// Converts as many values of this type at `source` as `destination` has room for to float32, each rounded once.
    package func convert(_ source: UnsafeRawPointer, to destination: UnsafeMutableBufferPointer<Float>) {
        guard let base = destination.baseAddress else { return }
        visit(FloatConversion(source: source, count: destination.count, destination: base))
    }

    /// Converts as many values of this type at `source` as `destination` has room for to float64, each rounded once.
    package func convert(_ source: UnsafeRawPointer, to destination: UnsafeMutableBufferPointer<Double>) {
        guard let base = destination.baseAddress else { return }
        visit(DoubleConversion(source: source, count: destination.count, destination: base))
    }

    /// Converts `rows` rows of values of this type at `source`, [rows][columns], to float32, less a number per column: exact
    /// before they are rounded.
    /// - Parameter shift: [columns].
    package func convert(
        _ source: UnsafeRawPointer, rows: Int, less shift: [Double], to destination: UnsafeMutablePointer<Float>
    ) {
        // A difference of two float32 numbers that was rounded to double precision first is the same float32 number: 53 bits
        // are more than twice 24 and 2.
        let short = fitsFloat ? shift.map { Float($0) } : []
        let isShort = fitsFloat && zip(short, shift).allSatisfy { Double($0) == $1 }
        shift.withUnsafeBufferPointer { shift in
            short.withUnsafeBufferPointer { short in
                guard let long = shift.baseAddress else { return }
                visit(
                    Difference(
                        source: source, rows: rows, columns: shift.count, shift: long,
                        short: isShort ? short.baseAddress : nil, destination: destination))
            }
        }
    }
}

private struct FloatConversion: NumberVisitor {
    let source: UnsafeRawPointer
    let count: Int
    let destination: UnsafeMutablePointer<Float>

    @inline(__always) func visit<Number: StoredNumber>(_ type: Number.Type) {
        let values = source.assumingMemoryBound(to: Number.self)
        for index in 0..<count { destination[index] = values[index].float }
    }
}

private struct DoubleConversion: NumberVisitor {
    let source: UnsafeRawPointer
    let count: Int
    let destination: UnsafeMutablePointer<Double>

    @inline(__always) func visit<Number: StoredNumber>(_ type: Number.Type) {
        let values = source.assumingMemoryBound(to: Number.self)
        for index in 0..<count { destination[index] = values[index].double }
    }
}

private struct Difference: NumberVisitor {
    let source: UnsafeRawPointer
    let rows: Int
    let columns: Int
    let shift: UnsafePointer<Double>
    /// The same in float32, where that is exact.
    let short: UnsafePointer<Float>?
    let destination: UnsafeMutablePointer<Float>

    @inline(__always) func visit<Number: StoredNumber>(_ type: Number.Type) {
        var values = source.assumingMemoryBound(to: Number.self)
        var target = destination
        for _ in 0..<rows {
            if Number.fitsFloat, let short {
                for column in 0..<columns { target[column] = values[column].float - short[column] }
            } else {
                for column in 0..<columns { target[column] = values[column].less(shift[column]) }
            }
            values += columns
            target += columns
        }
    }
}
