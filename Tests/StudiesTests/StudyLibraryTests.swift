import Studies
import Testing

@Suite struct StudyLibraryTests {
    @Test(arguments: [
        ("quickstart", 4, 7), ("article", 43, 5), ("article-large", 438, 5), ("half", 4, 40),
        ("scarce-or-plenty", 28, 10), ("methods", 89, 12), ("embeddings", 19, 12), ("architectures", 25, 12),
    ])
    func builtInStudiesPlan(name: String, experiments: Int, runs: Int) throws {
        let study = try StudyLibrary.load(name)
        #expect(study.notices.isEmpty)
        let plan = try StudyPlan(study, shapes: ["mnist": DatasetShape(count: 60_000, featureCount: 784)])
        #expect(plan.experiments.count == experiments && plan.runs.count == experiments * runs)
        #expect(plan.notices.isEmpty)
    }

    @Test(arguments: [(200, 4), (1_000_000, 2000)]) func theProbeFitsAnyFeatures(count: Int, width: Int) throws {
        let study = try StudyLibrary.load("probe")
        #expect(study.datasets == ["features"])
        let plan = try StudyPlan(
            study, shapes: ["features": DatasetShape(count: count, featureCount: width, classCount: 2)])
        #expect(plan.experiments.count == 19 && plan.runs.count == 19 * 12 && plan.notices.isEmpty)
        #expect(plan.experiments.allSatisfy { $0.recipe.duration == .epochs(10) && $0.recipe.model.name == "linear" })
    }

    @Test func cifar10IsTheArticlesComparisonOnItsImages() throws {
        let plan = try StudyPlan(
            StudyLibrary.load("cifar10"), shapes: ["cifar10": DatasetShape(count: 50_000, featureCount: 3072)])
        #expect(plan.experiments.count == 43 && plan.runs.count == 43 * 12 && plan.notices.isEmpty)
        #expect(Set(plan.experiments.map(\.size)) == [50, 500, 1000, 2500, 5000, 25_000, 50_000])
        #expect(plan.experiments.allSatisfy { $0.recipe.duration == .epochs(10) && $0.selection.quota == .exact })
    }

    @Test func everyNameHasItsText() {
        #expect(StudyLibrary.names.count == 10)
        for name in StudyLibrary.names {
            #expect(StudyLibrary.text(name)?.hasPrefix("# ") == true)
            #expect(StudyLibrary.summary(name)?.contains(/^[A-Z][^#]{20,}[.?]$/) == true)
        }
        #expect(StudyLibrary.summary("half") == "Is half of the data as good as all of it?")
    }

    @Test func scarceOrPlentyTrainsAllSizesForTheSameSteps() throws {
        let study = try StudyLibrary.load("scarce-or-plenty")
        #expect(study.groups.allSatisfy { $0.settings.recipe.duration == .steps(1000) })
    }
}
