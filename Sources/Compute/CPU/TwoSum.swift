/// Knuth's two-sum: `sum` plus `value`, and what the addition drops goes into the correction.
@inline(__always)
func addTwo(_ value: Float, to sum: inout Float, correction: inout Float) {
    let next = sum + value
    let part = next - sum
    correction += (sum - (next - part)) + (value - part)
    sum = next
}
