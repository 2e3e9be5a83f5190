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
