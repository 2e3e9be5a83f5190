import Foundation

/// The standard normal distribution.
enum Normal {
    /// P(Z > z).
    static func upperTail(_ z: Double) -> Double { erfc(z / 2.0.squareRoot()) / 2 }
}

/// Student's t distribution ("The probable error of a mean", 1908).
struct StudentT {
    /// Degrees of freedom, at least 1.
    let degrees: Int

    /// P(T > t) for t of at least 0: half the regularised incomplete beta function (DLMF 8.17) of degrees / 2 and 1/2.
    func upperTail(_ t: Double) -> Double {
        let degrees = Double(degrees)
        return incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5) / 2
    }

    /// The t with P(T > t) = `tail`, for a tail above 0 and up to one half.
    func quantile(upperTail tail: Double) -> Double {
        if tail >= 0.5 { return 0 }
        var low = 0.0
        var high = 1.0
        while upperTail(high) > tail, high < 1e300 {
            low = high
            high *= 2
        }
        // Halves the bracket until it holds no further number.
        while true {
            let middle = low + (high - low) / 2
            if middle <= low || middle >= high { return high }
            if upperTail(middle) > tail { low = middle } else { high = middle }
        }
    }
}

/// The regularised incomplete beta function I_x(a, b), by the continued fraction of DLMF 8.17.22 where it converges
/// fast, and by I_x(a, b) = 1 - I_{1-x}(b, a) elsewhere.
func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
    let logFront = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)
    // Lentz's method, as modified by Thompson and Barnett (1986): c and d are ratios of successive convergents.
    let tiny = 1e-300
    var c = 1.0
    var d = 1 - (a + b) * x / (a + 1)
    d = 1 / (d.magnitude < tiny ? tiny : d)
    var fraction = d
    for m in 1...10_000 {
        let m = Double(m)
        for coefficient in [
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ] {
            d = 1 + coefficient * d
            d = 1 / (d.magnitude < tiny ? tiny : d)
            c = 1 + coefficient / c
            if c.magnitude < tiny { c = tiny }
            fraction *= c * d
        }
        if (c * d - 1).magnitude < 1e-15 { break }
    }
    return exp(logFront) * fraction / a
}
