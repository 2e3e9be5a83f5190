import Studies
import Testing

@testable import Reports

@Suite struct ProvenanceTextTests {
    @Test func aStudyByScoresThroughPCAHasNoScreePlot() async throws {
        let study = try ToyStudy(
            "{runs: 1, experiments: [{pruning_method: score, sizes: 20, scores: k-center, use_pca: true,"
                + " pca_components: 4}]}", correct: ToyStudy.plausible)
        let page = try await study.report(gnuplot: false).page
        #expect(page.contains("This study uses PCA for scores alone, whose spectra are not stored"))
        #expect(!page.contains("No case of this study uses PCA"))
    }

    @Test func repeatingNamesTheFilesOfScores() throws {
        func preparation(_ experiments: String) throws -> String {
            ReportPlan.preparation(try results("{runs: 1, experiments: [\(experiments)]}") { _, _ in nil }.plan)
        }
        let two = try preparation(
            "{pruning_method: score, sizes: [20, 40], scores: [my scores.npy, k-center], use_pca: false},"
                + " {pruning_method: score, sizes: 20, scores: /data/other.npy}")
        #expect(
            two.contains(
                "It reads scores from the files \u{201C}my scores.npy\u{201D} and \u{201C}/data/other.npy\u{201D}: a path"
            ))
        #expect(two.hasSuffix("; then"))
        #expect(
            try preparation("{pruning_method: score, sizes: 20, scores: a.npy}").contains(
                "the file \u{201C}a.npy\u{201D}"))
        #expect(try preparation("{pruning_method: none}") == "Save the study below as study.yaml; then")
    }
}
