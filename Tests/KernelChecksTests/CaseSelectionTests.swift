import KernelChecks
import Testing

@Suite struct CaseSelectionTests {
    private static let all = KernelChecks.allCases(seeds: [1])
    private static func key(_ kernelCase: any KernelCase) -> String { "\(kernelCase.kernel): \(kernelCase.name)" }

    @Test(arguments: CaseSelection.allCases)
    func everyVarietyIsThereAndTheOrderStays(_ selection: CaseSelection) {
        let chosen = selection.choose(from: Self.all)
        #expect(Set(chosen.map(\.variety)) == Set(Self.all.map(\.variety)))
        let names = Set(chosen.map(Self.key))
        #expect(chosen.map(Self.key) == Self.all.map(Self.key).filter(names.contains))
    }

    @Test func quickTakesWholeForms() {
        let chosen = CaseSelection.quick.choose(from: Self.all)
        func form(_ kernelCase: any KernelCase) -> String { "\(kernelCase.kernel): \(kernelCase.form)" }
        let forms = Set(chosen.map(form))
        #expect(chosen.count == Self.all.count { forms.contains(form($0)) })
        for (variety, cases) in Dictionary(grouping: chosen, by: \.variety) {
            #expect(Set(cases.map(\.form)).count == 1, "\(variety)")
        }
    }

    @Test func tinyCasesAreCheap() {
        let chosen = CaseSelection.tiny.choose(from: Self.all)
        for (variety, cases) in Dictionary(grouping: chosen, by: \.variety) {
            #expect(cases.count <= 3)
            let cheapest = Self.all.filter { $0.variety == variety }.map(\.cost).min()
            for kernelCase in cases {
                #expect(kernelCase.cost == cheapest || kernelCase.cost <= 240_000, "\(Self.key(kernelCase))")
            }
        }
    }
}
