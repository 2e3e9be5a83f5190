/// The sum, or nil when it is beyond an `Int`.
func sum(_ terms: [Int]) -> Int? {
    var result = 0
    for term in terms {
        let (value, overflow) = result.addingReportingOverflow(term)
        guard !overflow else { return nil }
        result = value
    }
    return result
}

/// The product, or nil when it is beyond an `Int` or a factor is negative.
func product(_ factors: [Int]) -> Int? {
    var result = 1
    for factor in factors {
        let (value, overflow) = result.multipliedReportingOverflow(by: factor)
        guard !overflow, factor >= 0 else { return nil }
        result = value
    }
    return result
}
