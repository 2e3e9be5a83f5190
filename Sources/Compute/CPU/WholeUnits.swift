/// The whole number nearest to `value` times `unitsPerOne`, with ties to even, as kernels compute it by
/// `convert_long(rint(…))`. The magnitude of the product must be below 2^63; for any other value the result is some number.
///
/// A number below 2^51 is rounded to a whole one by adding 1.5 x 2^52, whose last bits then are that number. This is done for
/// the upper and the lower 32 bits; the rest for the lower ones is exact. There is no call and no branch, so loops are
/// vectorised, and it cannot trap.
@inline(__always)
func wholeUnits(_ value: Float, unitsPerOne: Double) -> Int64 {
    let magic = 0x1.8p52
    let scaled = Double(value) * unitsPerOne
    let upper = scaled * 0x1p-32 + magic
    let lower = (scaled - (upper - magic) * 0x1p32) + magic
    let offset = Int64(bitPattern: magic.bitPattern)
    return (Int64(bitPattern: upper.bitPattern) &- offset) << 32 &+ (Int64(bitPattern: lower.bitPattern) &- offset)
}
