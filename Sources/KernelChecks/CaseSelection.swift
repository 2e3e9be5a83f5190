/// How many of the cases to run.
public enum CaseSelection: String, Sendable, CaseIterable {
    /// All of them.
    case full
    /// What compiles fastest and still has every kernel and its edges: of each kernel, the cases of the two forms with
    /// the most cases, of equals the dearest.
    case quick
    /// What a simulator can run that is thousands of times slower than a processor: of each kernel, the cheapest case
    /// and the two dearest of those that cost little.
    case tiny

    /// Forms of a kernel among the quick cases.
    private static let quickForms = 2
    /// What a tiny case may cost in multiply-adds.
    private static let tinyCost = 5_000
    /// Tiny cases a kernel besides the cheapest.
    private static let tinyCount = 2

    /// The cases of `all` that are chosen, in their order.
    public func choose(from all: [any KernelCase]) -> [any KernelCase] {
        guard self != .full else { return all }
        let kernels = Dictionary(grouping: all.indices) { all[$0].kernel }
        let chosen = kernels.values.map { self == .quick ? quick($0, of: all) : tiny($0, of: all) }
        return chosen.flatMap { $0 }.sorted().map { all[$0] }
    }

    private func quick(_ indices: [Int], of all: [any KernelCase]) -> [Int] {
        let forms = Dictionary(grouping: indices) { all[$0].form }.values.map { cases in
            (cases: cases, cost: cases.map { all[$0].cost }.max() ?? 0)
        }
        // The place in the list settles what is left, so that the choice is always the same.
        let ranked = forms.sorted {
            ($0.cases.count, $0.cost, $1.cases[0]) > ($1.cases.count, $1.cost, $0.cases[0])
        }
        return ranked.prefix(Self.quickForms).flatMap(\.cases)
    }

    private func tiny(_ indices: [Int], of all: [any KernelCase]) -> [Int] {
        let ranked = indices.sorted { (all[$0].cost, $0) < (all[$1].cost, $1) }
        let affordable = ranked.dropFirst().filter { all[$0].cost <= Self.tinyCost }
        return Array(ranked.prefix(1)) + affordable.suffix(Self.tinyCount)
    }
}
