import KernelChecks
import Testing

@Suite struct CaseSelectionTests {
    private static let all = KernelChecks.allCases(seeds: [1])
    private static func key(_ kernelCase: any KernelCase) -> String { "\(kernelCase.kernel): \(kernelCase.name)" }

    @Test(arguments: CaseSelection.allCases)
    func everyKernelIsThereAndTheOrderStays(_ selection: CaseSelection) {
        let chosen = selection.choose(from: Self.all)
        #expect(Set(chosen.map(\.kernel)) == Set(Self.all.map(\.kernel)))
        let names = Set(chosen.map(Self.key))
        #expect(chosen.map(Self.key) == Self.all.map(Self.key).filter(names.contains))
    }

    @Test func quickTakesWholeForms() {
        let chosen = CaseSelection.quick.choose(from: Self.all)
        func form(_ kernelCase: any KernelCase) -> String { "\(kernelCase.kernel): \(kernelCase.form)" }
        let forms = Set(chosen.map(form))
        #expect(chosen.count == Self.all.count { forms.contains(form($0)) })
        for (kernel, cases) in Dictionary(grouping: chosen, by: \.kernel) {
            #expect(Set(cases.map(\.form)).count == 1, "\(kernel)")
        }
    }

    @Test func tinyCasesAreCheap() {
        let chosen = CaseSelection.tiny.choose(from: Self.all)
        for (kernel, cases) in Dictionary(grouping: chosen, by: \.kernel) {
            #expect(cases.count <= 3)
            let cheapest = Self.all.filter { $0.kernel == kernel }.map(\.cost).min()
            for kernelCase in cases {
                #expect(kernelCase.cost == cheapest || kernelCase.cost <= 5000, "\(Self.key(kernelCase))")
            }
        }
    }
}
