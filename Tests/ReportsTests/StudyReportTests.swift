import Datasets
import Foundation
import Studies
import Testing

@testable import Reports

/// How often `part` stands in a text.
private func count(_ part: String, in text: String) -> Int { text.components(separatedBy: part).count - 1 }

@Suite struct StudyReportTests {
    @Test(.enabled(if: hasGnuplot, "gnuplot is not installed (Debian: gnuplot-nox)"))
    func aPageHoldsAllItsPartsAndNeedsNoOtherFile() async throws {
        let study = try ToyStudy(ToyStudy.everything, correct: ToyStudy.plausible)
        let (page, notices) = try await study.report()
        #expect(notices.isEmpty)
        #expect(page.hasPrefix("<!doctype html>\n<html lang=\"en\">"))
        for part in ["src=\"http", "href=\"http", "url(", "@import", "<link rel=\"stylesheet"] {
            #expect(!page.contains(part), "\(part)")
        }
        // A case a row, each with its 18 other cells.
        let body = try #require(page.components(separatedBy: "<tbody>").last?.components(separatedBy: "</tbody>").first)
        #expect(count("<tr", in: body) == 19 && count("<td", in: body) == 19 * 18)
        #expect(count("<th scope=\"col\" aria-sort=\"none\">", in: page) == 19)
        let names = [
            "accuracy-k-3", "accuracy-k-7", "accuracy-seconds", "accuracy-steps", "bars-accuracy", "bars-seconds",
            "bubbles-closest",
            "bubbles-furthest", "bubbles-hybrid-1-1", "bubbles-random-in-cluster", "runs", "scree-mnist",
            "sensitivity-k-100-kept", "sensitivity-k-20-kept",
        ]
        let files = try study.names("plots")
        #expect(files.filter { $0.hasSuffix(".svg") } == names.map { $0 + ".svg" })
        #expect(Set(files).isSuperset(of: names.map { $0 + ".png" }))
        #expect(count("<svg class=\"chart\" role=\"img\"", in: page) == names.count)
        #expect(count("data:image/png;base64,", in: page) == files.count - 2 * names.count)
        #expect(count("<img ", in: page) == count(" alt=\"Cluster ", in: page))
        let ids = page.components(separatedBy: " id=\"").dropFirst().compactMap { $0.split(separator: "\"").first }
        #expect(Set(ids).count == ids.count)
        for text in [
            "toy device", "driver 7.1", "coppice 0.0.1", "2026-01-02T03:04:05Z", "coppice run toy.yaml --seed 1",
            "selection_strategies: [closest, furthest, random, hybrid]", "Classes kept", "Clusters of mnist",
            "12 runs each",
        ] { #expect(page.contains(text), "\(text)") }
        // The same results make the same page.
        #expect(try await study.report().page == page)
    }

    @Test func withoutGnuplotThePageIsMadeWithoutPlots() async throws {
        let study = try ToyStudy(ToyStudy.everything, correct: ToyStudy.plausible)
        let (page, notices) = try await study.report(gnuplot: false)
        #expect(notices.count == 1 && notices[0].contains("gnuplot-nox"))
        #expect(!page.contains("<svg") && page.contains("Plots are left out"))
        #expect(page.contains("<img ") && page.contains("All cases"))
    }

    @Test func namesCannotBecomeMarkup() async throws {
        let study = try ToyStudy(
            """
            runs: 2
            experiments:
              - pruning_method: none
              - {pruning_method: cluster, sizes: [20, 40], ks: [3, 5], use_pca: false, selection_strategies: closest}
            """, device: "<b>'\"`id`", correct: ToyStudy.plausible)
        let (page, notices) = try await study.report()
        #expect(notices.isEmpty)
        #expect(page.contains("&lt;b&gt;"))
        // The page's own <b> have a word after them, none of the device's name.
        #expect(!page.contains("<b>'") && !page.contains("<b>&#39;") && !page.contains("uid="))
    }

    @Test func whatIsMissingIsLeftOutWithAWord() async throws {
        let study = try ToyStudy(
            "{runs: 2, experiments: [{pruning_method: none}, {pruning_method: random, sizes: 20}]}",
            correct: ToyStudy.plausible)
        let (page, _) = try await study.report()
        #expect(page.contains("No case of this study uses PCA, so that there is no scree plot."))
        #expect(!page.contains("Clusters of"))
        let clustered = try ToyStudy(ToyStudy.everything, correct: ToyStudy.plausible)
        let other = try await clustered.report(images: ToyExecutor.images(first: 1))
        #expect(other.notices.count == 1 && other.notices[0].contains("not those that the study was run on"))
        #expect(!other.page.contains("<img ") && other.page.contains("not those that the study was run on"))
        let stored = try clustered.stored()
        let notices = try await StudyReport.write(stored, images: { _ in nil }, gnuplot: nil)
        #expect(notices.contains { $0.contains("data are not at hand") })
        #expect(try !clustered.names("plots").contains { $0.hasPrefix("cluster-") })
    }

    @Test func anUnfinishedStudyGetsAPageThatSaysHowFarItIs() async throws {
        let study = try ToyStudy(ToyStudy.everything, correct: ToyStudy.plausible)
        let log = study.directory + "/runs.jsonl"
        let lines = try study.text("runs.jsonl").split(separator: "\n")
        for kept in [50, 0] {
            try lines.prefix(kept).map { $0 + "\n" }.joined().write(toFile: log, atomically: true, encoding: .utf8)
            let (page, _) = try await study.report()
            #expect(page.contains("<progress value=\"\(kept)\" max=\"228\""))
            #expect(page.contains("Unfinished: \(kept) of 228 runs."))
            #expect(page.contains("So far: "))
        }
        // Plots of what is no longer there are gone.
        #expect(try study.names("plots").allSatisfy { $0.hasPrefix("scree-") || $0.hasPrefix("cluster-") })
    }

    @Test func sectionsHavePicturesOfTheirOwn() async throws {
        let study = try ToyStudy(
            """
            runs: 2
            experiments:
              - {pruning_method: none, steps: 5}
              - {pruning_method: random, sizes: [20, 40], steps: 5}
              - {pruning_method: none, epochs: 2}
              - {pruning_method: random, sizes: [20, 40], epochs: 2}
            """, correct: ToyStudy.plausible)
        let (page, _) = try await study.report()
        #expect(page.contains(">mnist, 5 steps</h2>") && page.contains(">mnist, 2 epochs</h2>"))
        #expect(page.contains("2 data sets or ways of training, each compared on its own"))
        if hasGnuplot {
            #expect(try study.names("plots").filter { $0.hasSuffix("-runs.svg") } == ["1-runs.svg", "2-runs.svg"])
        }
    }

    @Test func aLargeStudysPageSaysWhatItDoesNotPicture() throws {
        let results = try results(
            """
            runs: 1
            experiments:
              - pruning_method: none
              - {pruning_method: cluster, sizes: [20, 40], use_pca: false, ks: [2, 3, 4, 5, 6, 7, 8],
                 selection_strategies: [closest, furthest, random]}
            """
        ) { experiment, run in 9000 + experiment }
        let section = try #require(ReportSection.sections(of: results).first)
        let sizes = SizeCharts.accuracyAgainstSize(section, most: 4)
        #expect(sizes.charts.map(\.name) == ["accuracy-k-2", "accuracy-k-4", "accuracy-k-6", "accuracy-k-8"])
        #expect(sizes.leftOut == ["k 3", "k 5", "k 7"])
        let bars = CaseCharts.rows(section, most: 20)
        #expect(bars.rows.count == 21 && bars.leftOut == 22)
        #expect(bars.rows[0].isWhole && bars.rows[1].accuracy >= bars.rows[20].accuracy)
        #expect(CaseCharts.charts(section, most: 20)[0].caption.contains("20 most accurate cases of 42"))
        let seconds = try #require(CostCharts.charts(section, most: 10).first)
        #expect(seconds.caption.contains("Every 5th case of a strategy is drawn, 10 of 43."))
        #expect(ClassCounts(section, most: 12)?.leftOut == 30)
    }

    @Test func anOutputThatCannotBeMadeEndsIn73AndLeavesTheOldPage() async throws {
        let study = try ToyStudy(
            "{runs: 2, experiments: [{pruning_method: none}]}", correct: ToyStudy.plausible)
        let page = try await study.report(gnuplot: false).page
        let plots = study.directory + "/plots"
        try FileManager.default.removeItem(atPath: plots)
        try "a file".write(toFile: plots, atomically: true, encoding: .utf8)
        await #expect { try await study.report(gnuplot: false) } throws: { error in
            (error as? StudyError)?.category == .cannotCreate && "\(error)".contains("plots")
        }
        #expect(try study.text("report.html") == page)
        try FileManager.default.removeItem(atPath: plots)
        try FileManager.default.removeItem(atPath: study.directory + "/report.html")
        try FileManager.default.createDirectory(
            atPath: study.directory + "/report.html", withIntermediateDirectories: false)
        await #expect { try await study.report(gnuplot: false) } throws: { error in
            (error as? StudyError)?.category == .cannotCreate && "\(error)".contains("report.html")
        }
    }
}

@Suite struct ClassCountTests {
    @Test func theMostUnevenCasesComeFirst() throws {
        // The whole set keeps a quarter of class 0; so does every case of the same shares.
        let base = try results(
            "{runs: 2, experiments: [{pruning_method: none}, {pruning_method: random, sizes: [20, 40, 80]}]}"
        ) { experiment, run in 9000 + run }
        let records = base.records.map { record in
            var record = record
            if record.experimentID == 3 { record.perClass = [record.runID == 1 ? 0 : 4, record.runID == 1 ? 40 : 36] }
            return record
        }
        let results = StudyResults(plan: base.plan, records: records)
        let section = try #require(ReportSection.sections(of: results).first)
        let counts = try #require(ClassCounts(section, most: 2))
        #expect(counts.classes == ["0", "1"] && counts.leftOut == 1)
        #expect(counts.rows.map(\.label) == ["whole set, 200", "random, 40", "random, 20"])
        #expect(counts.rows[1].cells.map(\.count) == ["2", "38"])
        #expect(counts.rows[1].cells.map(\.style) == ["few2", "many1"])
        #expect(counts.rows[0].cells.map(\.style) == ["", ""])
        #expect(counts.rows.map(\.ratio) == ["3.0", "19.0", "3.0"])
    }
}

@Suite struct AccuracyAxisTests {
    @Test func wideRangesAreSpacedByTheErrorRate() {
        let axis = AccuracyAxis([50, 99])
        #expect(axis.isLogarithmic && axis.place(99) == 1 && axis.place(50) == 50)
        // An accuracy of 100% has a place too.
        #expect(axis.place(100) > 0)
        #expect(axis.commands("y").joined().contains("'95' 5"))
        #expect(!AccuracyAxis([98, 98.5]).isLogarithmic)
    }

    @Test func linearAxesHaveFewRoundLabels() {
        #expect(
            Plot.linear("x", 0...17.5) == [
                "set xrange [0.0:17.5]", "set xtics ('0' 0.0, '5' 5.0, '10' 10.0, '15' 15.0)",
            ])
        #expect(
            Plot.linear("x", 97.31...98.22)[1]
                == "set xtics ('97.4' 97.4, '97.6' 97.6, '97.8' 97.8, '98' 98.0, '98.2' 98.2)")
    }

    @Test func labelsDoNotTouch() throws {
        for low in stride(from: 0.0, to: 96, by: 1.7) {
            let tics = try #require(AccuracyAxis([low, 99.3]).commands("y").last)
            let errors = tics.split(separator: "(")[1].split(separator: ",").compactMap {
                Double($0.split(separator: " ")[1].replacing(")", with: ""))
            }
            #expect(errors.count >= 3, "\(low)")
            for (one, next) in zip(errors, errors.dropFirst()) {
                // The axis is at least as long as from the lowest accuracy to the highest.
                #expect(next / one > 1.15, "\(tics)")
            }
        }
    }
}
