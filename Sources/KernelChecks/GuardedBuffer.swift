import Compute

/// An element with a value that no kernel writes: it fills outputs before the kernel runs, and guards their ends.
package protocol CheckedElement: BufferElement {
    /// The value.
    static var poison: Self { get }
    /// Whether this is that value, bit for bit.
    var isPoison: Bool { get }
    /// Its bits, the same for every NaN.
    var fingerprintBits: UInt64 { get }
}

extension Float: CheckedElement {
    /// A signalling NaN: arithmetic gives quiet ones, also where it is done in place.
    package static var poison: Float { Float(bitPattern: 0x7F80_DEAD) }
    package var isPoison: Bool { bitPattern == Float.poison.bitPattern }
    package var fingerprintBits: UInt64 { UInt64((isNaN ? Float.nan : self).bitPattern) }
}

extension CheckedElement where Self: FixedWidthInteger {
    /// The bytes A5 A5 …
    package static var poison: Self { Self(truncatingIfNeeded: 0xA5A5_A5A5_A5A5_A5A5 as UInt64) }
    package var isPoison: Bool { self == Self.poison }
    package var fingerprintBits: UInt64 { UInt64(truncatingIfNeeded: self) }
}

extension Int32: CheckedElement {}
extension Int64: CheckedElement {}
extension UInt8: CheckedElement {}

extension BufferBackend {
    /// Whether the device itself reports every access behind a buffer's end.
    private var checksBounds: Bool { (self as? OpenCLBackend)?.has(.boundsChecked) ?? false }

    /// A new buffer that holds `values` and behind them `count` elements that no operation may use: not where the device
    /// itself checks for accesses behind a buffer's end, which they would hide.
    func makeBuffer<Element: BufferElement>(
        _ values: [Element], guarded element: Element, _ count: Int, label: String
    ) throws(ComputeError) -> DeviceBuffer<Element> {
        let guards = checksBounds ? [] : [Element](repeating: element, count: count)
        return try makeBuffer(values + guards, label: label)
    }
}

/// A buffer for an operation's output with guard elements behind its end.
package struct GuardedBuffer<Element: CheckedElement> {
    /// What is given to the operation; it is longer than the output by the guards.
    package let buffer: DeviceBuffer<Element>
    /// Elements of the output.
    package let count: Int
    private let backend: any BufferBackend
    private let expectsWrites: Bool

    /// An output of `count` elements, every one of which the operation has to write.
    package init(on backend: any BufferBackend, count: Int, label: String) throws(ComputeError) {
        try self.init(
            backend, values: [Element](repeating: .poison, count: count), label: label, expectsWrites: true)
    }

    /// A buffer that the operation updates, or writes in part, which holds `values` at first.
    package init(on backend: any BufferBackend, _ values: [Element], label: String) throws(ComputeError) {
        try self.init(backend, values: values, label: label, expectsWrites: false)
    }

    private init(_ backend: any BufferBackend, values: [Element], label: String, expectsWrites: Bool)
        throws(ComputeError)
    {
        self.backend = backend
        self.expectsWrites = expectsWrites
        count = values.count
        // More than any work-group's share of an output, so that whole vectors and tiles beyond the end are seen.
        buffer = try backend.makeBuffer(values, guarded: .poison, 1024, label: label)
    }

    /// What the buffer holds now.
    package func contents() throws(ComputeError) -> GuardedContents<Element> {
        let all = try backend.read(buffer)
        return GuardedContents(
            values: Array(all[..<count]), guards: Array(all[count...]), expectsWrites: expectsWrites)
    }
}

/// The contents of a guarded buffer after an operation.
package struct GuardedContents<Element: CheckedElement>: Sendable {
    /// The output.
    package let values: [Element]
    /// The first element that the operation left as it was, nil where it wrote all or did not have to.
    package let firstUnwritten: Int?
    /// How many it left.
    package let unwrittenCount: Int
    /// The first element behind the end that changed.
    package let firstOverrun: Int?

    init(values: [Element], guards: [Element], expectsWrites: Bool) {
        self.values = values
        firstUnwritten = expectsWrites ? values.firstIndex(where: \.isPoison) : nil
        unwrittenCount = expectsWrites ? values.count(where: \.isPoison) : 0
        firstOverrun = guards.firstIndex { !$0.isPoison }.map { values.count + $0 }
    }
}
