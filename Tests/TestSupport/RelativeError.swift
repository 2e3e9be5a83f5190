/// The largest difference of two tensors, as a share of the second one's largest magnitude; infinite where something is no
/// number, or they differ in length.
package func relativeError(_ actual: [Float], _ expected: [Float]) -> Double {
    guard actual.count == expected.count else { return .infinity }
    let scale = expected.map { Double(abs($0)) }.max() ?? 0
    var worst = 0.0
    for (a, e) in zip(actual, expected) {
        let difference = abs(Double(a) - Double(e))
        guard difference.isFinite else { return .infinity }
        worst = max(worst, difference)
    }
    return scale > 0 ? worst / scale : worst
}
