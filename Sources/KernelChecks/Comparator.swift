/// How far a float may be from the reference: `absolute + relative * |expected| + ofLargest * max |expected|`.
package struct Tolerance: Sendable, Hashable {
    /// Whatever the values are.
    package var absolute: Double
    /// Times the expected value.
    package var relative: Double
    /// Times the largest finite expected value: the natural measure of a gradient.
    package var ofLargest: Double

    /// A tolerance of these parts.
    package init(absolute: Double = 0, relative: Double = 0, ofLargest: Double = 0) {
        self.absolute = absolute
        self.relative = relative
        self.ofLargest = ofLargest
    }

    /// The same value (0 and -0 are the same).
    package static let exact = Tolerance()
}

/// The outcome of a comparison: its worst element.
package struct CaseComparison: Sendable {
    /// |actual - expected| of the element that is worst against its own bound; infinite where there is no distance
    /// (NaN against a number, another infinity, another count).
    package var maxError: Double
    /// That element's bound.
    package var bound: Double
    /// Where it is, nil when there is nothing to point at.
    package var index: Int?
    /// What is wrong, beginning with the index; nil when every element is within its bound.
    package var complaint: String?

    /// maxError / bound, where an error of zero is always 0.
    package var ratio: Double { maxError == 0 ? 0 : maxError / bound }
}

/// Compares element by element. NaN is equal to NaN alone, an infinity to the same infinity alone.
package func compare(_ actual: [Float], _ expected: [Float], within tolerance: Tolerance) -> CaseComparison {
    var largest = 0.0
    for value in expected where value.isFinite { largest = max(largest, Double(value.magnitude)) }
    return compare(actual, count: expected.count) { index in
        let size = expected[index].isFinite ? Double(expected[index].magnitude) : 0
        return Bounded(
            Double(expected[index]),
            error: tolerance.absolute + tolerance.relative * size + tolerance.ofLargest * largest)
    }
}

/// Compares each element with a number and its own bound. NaN is equal to NaN alone, an infinity to the same infinity
/// alone; a bound that is not finite allows no error at all.
package func compare(_ actual: [Float], _ expected: [Bounded]) -> CaseComparison {
    compare(actual, count: expected.count) { expected[$0] }
}

private func compare(_ actual: [Float], count: Int, _ expected: (Int) -> Bounded) -> CaseComparison {
    guard actual.count == count else {
        return CaseComparison(
            maxError: .infinity, bound: 0, index: nil,
            complaint: " has \(actual.count) elements where \(count) are expected")
    }
    var worst = CaseComparison(maxError: 0, bound: 0, index: nil)
    var wrong = 0
    var firstWrong: Int?
    for index in 0..<count {
        let due = expected(index)
        let error = distance(Double(actual[index]), due.value)
        let bound = due.error.isFinite ? due.error : 0
        if index == 0 { worst.bound = bound }
        // An error that is not a number must not pass for a small one.
        if !(error <= bound) {
            wrong += 1
            firstWrong = firstWrong ?? index
        }
        let candidate = CaseComparison(maxError: error, bound: bound, index: index)
        if candidate.ratio > worst.ratio { worst = candidate }
    }
    if wrong > 0, let firstWrong, let index = worst.index {
        worst.complaint =
            "[\(index)] is \(actual[index]), expected \(expected(index).value) within \(worst.bound); "
            + "\(wrong) of \(count) elements are wrong, the first is [\(firstWrong)]"
    }
    return worst
}

/// What is wrong with values that must be the same, nil when they are.
package func differences<Element: Equatable>(_ actual: [Element], _ expected: [Element]) -> String? {
    guard actual.count == expected.count else {
        return " has \(actual.count) elements where \(expected.count) are expected"
    }
    let wrong = expected.indices.filter { actual[$0] != expected[$0] }
    guard let first = wrong.first else { return nil }
    return "[\(first)] is \(actual[first]), expected \(expected[first]); "
        + "\(wrong.count) of \(expected.count) elements are wrong"
}

/// A centroid's squared distance to a point in double precision, and how far rounding can bring a device from it.
package struct Candidate: Sendable {
    /// The squared distance.
    package var distance: Double
    /// The bound of its error on a device; 0 where the arithmetic is exact.
    package var slack: Double

    /// A candidate of these values.
    package init(distance: Double, slack: Double) {
        self.distance = distance
        self.slack = slack
    }
}

/// What is wrong with `label` as the nearest of `candidates`, nil when nothing is: another one may be nearer by no more
/// than rounding explains, and of those that are the same without any rounding the lowest index is due.
package func nearestComplaint(_ label: Int, among candidates: [Candidate]) -> String? {
    guard candidates.indices.contains(label) else { return " is \(label), there are \(candidates.count) centroids" }
    let mine = candidates[label]
    for (index, other) in candidates.enumerated() where index != label {
        // A square that overflows on the device is nobody's, and has no slack.
        if other.distance > 1e40 { continue }
        let gap = mine.distance - other.distance
        let bound = mine.slack + other.slack
        // An error that is not a number must not pass for a small one.
        if !(gap <= bound) || (bound == 0 && gap == 0 && index < label) {
            return " is \(label) at \(mine.distance), \(index) is at \(other.distance), rounding explains \(bound)"
        }
    }
    return nil
}

private func distance(_ actual: Double, _ expected: Double) -> Double {
    if actual.isNaN && expected.isNaN { return 0 }
    if actual.isFinite && expected.isFinite { return (actual - expected).magnitude }
    return actual == expected ? 0 : .infinity
}
