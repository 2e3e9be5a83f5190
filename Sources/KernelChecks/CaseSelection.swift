/// How many of the cases to run.
package enum CaseSelection: String, Sendable, CaseIterable {
    /// All of them.
    case full
    /// What compiles fastest and still has every kernel and its edges: of each variety of a kernel, the cases of
    /// the form with the most cases, of equals the dearest.
    case quick
    /// What a simulator can run that is thousands of times slower than a processor: of each variety of a
    /// kernel, the dearest three of the cases that cost little, all of one form, or else the cheapest case.
    case tiny

    /// What a tiny case may cost in multiply-adds.
    private static let tinyCost = 240_000
    /// Tiny cases a variety.
    private static let tinyCount = 3

    /// The cases of `all` that are chosen, in their order.
    package func choose(from all: [any KernelCase]) -> [any KernelCase] {
        guard self != .full else { return all }
        let varieties = Dictionary(grouping: all.indices) { all[$0].variety }
        return varieties.values.flatMap { choose($0, of: all) }.sorted().map { all[$0] }
    }

    private func choose(_ indices: [Int], of all: [any KernelCase]) -> [Int] {
        if self == .quick { return largestForm(indices, of: all) }
        let affordable = largestForm(indices.filter { all[$0].cost <= Self.tinyCost }, of: all)
        if affordable.isEmpty { return Array(indices.sorted { (all[$0].cost, $0) < (all[$1].cost, $1) }.prefix(1)) }
        return affordable.sorted { (all[$0].cost, $0) < (all[$1].cost, $1) }.suffix(Self.tinyCount)
    }

    private func largestForm(_ indices: [Int], of all: [any KernelCase]) -> [Int] {
        let forms = Dictionary(grouping: indices) { all[$0].form }.values.map { cases in
            (cases: cases, cost: cases.map { all[$0].cost }.max() ?? 0)
        }
        // The place in the list settles what is left, so that the choice is always the same.
        return forms.max { ($0.cases.count, $0.cost, $1.cases[0]) < ($1.cases.count, $1.cost, $0.cases[0]) }?.cases
            ?? []
    }
}
