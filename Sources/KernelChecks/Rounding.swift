import Foundation

/// How far float32 arithmetic may be from exact arithmetic: where every bound of the cases comes from.
///
/// An operation is off by at most u = 2^-24 times its result, a function by so many units in the last place, one of
/// which is at most 2u. What passes through n operations is off by at most gamma(n) (Higham, Accuracy and Stability of
/// Numerical Algorithms, 2002, lemma 3.1). A sum of products is off by gamma(n) times the sum of their magnitudes, where
/// no product passes through more than n roundings, in whatever order it is added up. Multiply-adds may be fused, which
/// rounds less.
package enum Rounding {
    /// u.
    package static let unit = 0x1p-24
    /// Below this a device may have 0 in place of a number (OpenCL 1.2, section 7.5.3).
    package static let least = Double(Float.leastNormalMagnitude)
    /// Roundings that the functions of OpenCL 1.2, table 7.1, count for: 2.5 ulp, 3 ulp, 3 ulp, 3 ulp.
    package static let (division, squareRoot, exponential, logarithm) = (5.0, 6.0, 6.0, 6.0)

    /// nu / (1 - nu).
    package static func gamma(_ roundings: Double) -> Double { roundings * unit / (1 - roundings * unit) }

    /// nu / (1 - nu).
    package static func gamma(_ roundings: Int) -> Double { gamma(Double(roundings)) }
}

/// A number in double precision, and how far its computation in float32 may be from it: each operation passes on the
/// errors of its operands and adds its own rounding (running error analysis; Higham 2002, section 3.3).
package struct Bounded: Sendable {
    /// The number.
    package var value: Double
    /// The bound of its error.
    package var error: Double

    /// A number that is `error` off at most.
    package init(_ value: Double, error: Double = 0) {
        self.value = value
        self.error = error
    }

    /// A number that is there in float32.
    package init(_ value: Float) { self.init(Double(value)) }

    /// What is `value` within `error` before it is rounded so many times.
    private init(rounding value: Double, error: Double, times: Double = 1) {
        self.init(value, error: error + Rounding.gamma(times) * (value.magnitude + error) + Rounding.least)
    }

    package static func + (a: Bounded, b: Bounded) -> Bounded {
        Bounded(rounding: a.value + b.value, error: a.error + b.error)
    }

    package static func - (a: Bounded, b: Bounded) -> Bounded {
        Bounded(rounding: a.value - b.value, error: a.error + b.error)
    }

    package static func * (a: Bounded, b: Bounded) -> Bounded {
        Bounded(
            rounding: a.value * b.value,
            error: a.value.magnitude * b.error + b.value.magnitude * a.error + a.error * b.error)
    }

    package static func / (a: Bounded, b: Bounded) -> Bounded {
        let quotient = a.value / b.value
        return Bounded(
            rounding: quotient,
            error: (a.error + quotient.magnitude * b.error) / max(b.value.magnitude - b.error, 0),
            times: Rounding.division)
    }

    /// The square root.
    package var squareRoot: Bounded {
        let root = value.squareRoot()
        return Bounded(
            rounding: root, error: root - max(value - error, 0).squareRoot(), times: Rounding.squareRoot)
    }

    /// e to the power of this.
    package var exponential: Bounded {
        let power = exp(value)
        return Bounded(rounding: power, error: power * expm1(error), times: Rounding.exponential)
    }

    /// The natural logarithm.
    package var logarithm: Bounded {
        Bounded(rounding: log(value), error: -log1p(-error / value), times: Rounding.logarithm)
    }

    /// Nothing where this is not positive; a NaN passes.
    package var rectified: Bounded { value <= 0 ? Bounded(0, error: max(value + error, 0)) : self }

    /// A sum, in any order in which no term passes through more than so many additions.
    package static func sum(_ terms: some Sequence<Bounded>, additions: Int) -> Bounded {
        var (value, size, error) = (0.0, 0.0, 0.0)
        for term in terms {
            value += term.value
            size += term.value.magnitude + term.error
            error += term.error
        }
        return Bounded(value, error: error + Rounding.gamma(additions) * size)
    }
}

/// Sums of products in double precision, and of the products' magnitudes.
struct ProductSums {
    private var values: [Double]
    private var sizes: [Double]

    /// Sums that start at these numbers.
    init(from start: [Double]) {
        values = start
        sizes = start.map(\.magnitude)
    }

    /// So many sums that start at 0.
    init(count: Int) { self.init(from: [Double](repeating: 0, count: count)) }

    /// Adds `factor` times `count` numbers of `x` from `start` on to as many sums from `target` on.
    @inline(__always)
    mutating func add(_ x: [Double], _ start: Int, times factor: Double, at target: Int, count: Int) {
        values.withUnsafeMutableBufferPointer { values in
            sizes.withUnsafeMutableBufferPointer { sizes in
                x.withUnsafeBufferPointer { x in
                    for index in 0..<count {
                        let product = x[start + index] * factor
                        values[target + index] += product
                        sizes[target + index] += product.magnitude
                    }
                }
            }
        }
    }

    /// The sums, where no product passes through more than so many roundings, its own among them.
    func bounded(roundings: Int) -> [Bounded] {
        let gamma = Rounding.gamma(roundings)
        return values.indices.map { Bounded(values[$0], error: gamma * sizes[$0] + Rounding.least) }
    }
}
