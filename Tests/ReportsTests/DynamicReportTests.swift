import Testing

@testable import Reports
@testable import Studies

/// Tables, names and pictures of studies whose epochs leave samples out.
@Suite struct DynamicReportTests {
    private static let yaml = """
        runs: 7
        epochs: 4
        batch_size: 16
        experiments:
          - {pruning_method: none}
          - {pruning_method: none, dynamic: infobatch}
          - {pruning_method: random, sizes: 40}
          - {pruning_method: random, sizes: 40, dynamic: infobatch, prune_share: 0.25}
        """

    private func rows(_ csv: String) -> (names: [String], rows: [[String: String]]) {
        let lines = csv.split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        return (lines[0], lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(lines[0], $0)) })
    }

    @Test func tablesTellWhatWasTaken() throws {
        let results = try results(Self.yaml)
        let table = rows(StudyTables.resultsCSV(results))
        #expect(table.names.suffix(5) == ["dynamic", "prune_share", "anneal", "steps_taken", "images_trained"])
        for (index, row) in table.rows.prefix(14).enumerated() {
            #expect(row["steps_taken"] == (index < 7 ? "52" : "46"))
        }
        #expect(table.rows[7]["images_trained"] == "700" && table.rows[0]["images_trained"] == "800")
        #expect(table.rows[0]["dynamic"] == "none" && table.rows[0]["prune_share"] == "")
        #expect(table.rows[7]["dynamic"] == "infobatch" && table.rows[7]["anneal"] == "0.125")
        #expect(table.rows[21]["prune_share"] == "0.25" && table.rows[7]["distinct"] == "200")
        #expect(rows(StudyTables.summaryCSV(results)).names.suffix(3) == ["dynamic", "prune_share", "anneal"])
        let plain = try self.results("{runs: 2, experiments: [{pruning_method: none}]}")
        #expect(!StudyTables.resultsCSV(plain).contains("steps_taken"))
        #expect(!StudyTables.summaryCSV(plain).contains("dynamic"))
    }

    private func results(_ yaml: String) throws -> StudyResults {
        try ReportsTests.results(yaml) { experiment, run in 9000 + experiment * run }
    }

    /// They are cases of one section with the whole set, plotted against their steps.
    @Test func casesStandBesideThoseThatTakeAll() throws {
        let results = try results(Self.yaml)
        let sections = ReportSection.sections(of: results)
        try #require(sections.count == 1)
        let cases = sections[0].cases
        #expect(
            cases.map(\.name)
                == ["whole set", "whole set, infobatch", "random", "random, infobatch, prune share 0.25"],
            "\(cases.map(\.name))")
        #expect(cases.map(\.isWhole) == [true, false, false, false] && sections[0].whole?.name == "whole set")
        #expect(cases.map(\.arm.isBaseline) == [true, false, true, false])
        #expect(Set(cases.map(\.arm)).count == 4 && Set(cases.map(\.arm.method)).count == 4)
        #expect(cases.map(\.steps) == [52, 46, 12, 11])
        let charts = CostCharts.charts(sections[0], most: 30)
        #expect(charts.map(\.name) == ["accuracy-seconds", "accuracy-steps"])
        #expect(charts[1].commands.joined().contains("whole set, infobatch"))
        #expect(StudyText.plan(results.plan).contains("upper bounds: runs with dynamic infobatch leave some out"))
        #expect(StudyText.summary(results).contains("whole set, infobatch"))
    }

    /// If all cases have the same dynamic pruning, only the title names it.
    @Test func aStudyOfNothingElseReadsAsOthersDo() throws {
        let yaml = Self.yaml.split(separator: "\n").filter { !$0.contains("dynamic") }.joined(separator: "\n")
        let sections = ReportSection.sections(of: try results("dynamic: infobatch\n" + yaml))
        #expect(sections.count == 1 && sections[0].title.hasSuffix(", infobatch"))
        #expect(sections[0].cases.map(\.name) == ["whole set", "random"] && sections[0].whole != nil)
        #expect(sections[0].cases.allSatisfy { $0.arm.isBaseline && $0.arm.dynamic == nil })
    }
}
