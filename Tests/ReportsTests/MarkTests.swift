import Pruning
import Studies
import Testing

@testable import Reports

@Suite struct MarkTests {
    @Test func noTwoMethodsAreDrawnAlike() {
        for fixed in [[], ["whole set", "random"], ["whole set", "random", "closest", "furthest", "hybrid"]] {
            let names = fixed + (1...40).map { "score \($0)" }
            let marks = Marks(names + names.reversed())
            let drawn = names.map { marks[$0] }
            #expect(Set(drawn).count == names.count)
            // A black and white print has the point shapes and dashes alone; colour and shape tell these 40 apart.
            #expect(Set(drawn.map { "\($0.colour) \($0.point)" }).count == names.count)
            // Pictures hold neighbours.
            let others = Array(drawn.dropFirst(fixed.count))
            for start in 0..<32 { #expect(Set(others[start..<start + 9].map(\.colour)).count == 9) }
            #expect(Set(others.prefix(4).map(\.colour)).isDisjoint(with: drawn.prefix(fixed.count).map(\.colour)))
        }
    }

    @Test func theArticlesMethodsLookTheSameInEveryReport() {
        let names = ["whole set", "random", "closest", "furthest", "random in cluster", "hybrid"]
        let marks = Marks(["el2n", "k-center"] + names)
        #expect(names.map { marks[$0].point } == [13, 7, 9, 5, 11, 3])
        #expect(names.map { marks[$0].colour } == names.map { Marks([$0])[$0].colour })
    }

    @Test func methodsThatDifferInASettingAreToldApart() throws {
        let results = try results(
            """
            runs: 2
            pca_components: 4
            experiments:
              - pruning_method: none
              - {pruning_method: random, sizes: [20, 40]}
              - {pruning_method: random, sizes: [20, 40], balance: class}
              - {pruning_method: score, sizes: [20, 40], scores: [k-center, herding], use_pca: [true, false]}
              - {pruning_method: score, sizes: [20, 40], scores: el2n, networks: 2}
              - {pruning_method: score, sizes: [20, 40], scores: el2n, networks: 3}
            """
        ) { experiment, run in 9000 + 10 * experiment + run }
        let section = try #require(ReportSection.sections(of: results).first)
        let arms = section.arms
        #expect(
            arms.map(\.method) == [
                "whole set", "random", "random, balance class", "k-center, PCA 4", "k-center, pixels",
                "herding, PCA 4", "herding, pixels", "el2n, 2 networks", "el2n, 3 networks",
            ])
        #expect(Set(arms.map { section.marks[$0] }).count == arms.count)
        // One line a method with its two sizes, and the balance is told once.
        let chart = try #require(SizeCharts.accuracyAgainstSize(section, most: 4).charts.first)
        let commands = chart.commands.joined(separator: "\n")
        #expect(commands.components(separatedBy: "with linespoints").count == arms.count)
        #expect(commands.contains("title 'random, balance class'") && commands.contains("title 'el2n, 3 networks'"))
    }
}

@Suite struct CostChartTests {
    private func section(_ settings: String, scores: [String]) throws -> ReportSection {
        let results = try results(
            """
            runs: 3
            pca_components: 4
            \(settings)
            experiments:
              - pruning_method: none
              - {pruning_method: random, sizes: [20, 140]}
              - {pruning_method: score, sizes: [20, 140], use_pca: true, scores: [\(scores.joined(separator: ", "))]}
            """
        ) { experiment, run in 9000 + 10 * experiment + run }
        return try #require(ReportSection.sections(of: results).first)
    }

    @Test func stepsAreDrawnWhereTheyDiffer() throws {
        let epochs = CostCharts.charts(try section("epochs: 2", scores: ["k-center"]), most: 600)
        #expect(epochs.map(\.name) == ["accuracy-seconds", "accuracy-steps"])
        let steps = CostCharts.charts(try section("steps: 9", scores: ["k-center"]), most: 600)
        #expect(steps.map(\.name) == ["accuracy-seconds"])
        let one = try results("{runs: 2, experiments: [{pruning_method: none}]}") { _, run in 9000 + run }
        #expect(CostCharts.charts(try #require(ReportSection.sections(of: one).first), most: 600).isEmpty)
    }

    @Test func aPointIsAMedianAgainstAllThatARunTakes() throws {
        let section = try section("epochs: 2", scores: ["k-center", "herding"])
        let charts = CostCharts.charts(section, most: 600)
        // 0.1 s a training sample and 0.5 s a test in these results; 2 epochs of 1, 3 and 4 batches of 64.
        let seconds = charts[0].commands.joined(separator: "\n")
        let steps = charts[1].commands.joined(separator: "\n")
        #expect(section.cases[1].accuracy == 90.21)
        #expect(seconds.contains("$kind1 << END\n2.5 90.21 90.2 90.22\n14.5 90.31 90.3 90.32\nEND"))
        #expect(steps.contains("$kind1 << END\n2.0 90.21 90.2 90.22\n6.0 90.31 90.3 90.32\nEND"))
        #expect(steps.contains("$kind0 << END\n8.0 "))
        #expect(charts[0].caption.contains("the networks trained for them"))
        #expect(charts.allSatisfy { $0.caption.contains("a line joins the sizes of a method. Upright lines are 95%") })
        #expect(
            charts[1].description.contains("from 2 steps to 8 steps per run. The whole set takes 8 steps for 90.11%."))
        for method in ["random", "k-center", "herding"] {
            let mark = section.marks[method]
            for commands in [seconds, steps] {
                #expect(commands.contains("lc rgb '\(mark.colour)' lw 1.5 pt \(mark.point) ps 0.9 dt \(mark.dash)"))
            }
        }
    }

    @Test func manyMethodsAreDrawnInSeveralPictures() throws {
        let scores = [
            "k-center", "herding", "moderate", "el2n", "grand", "forgetting", "aum", "entropy", "margin", "dyn-unc",
        ]
        let section = try section("epochs: 2", scores: scores)
        let sizes = SizeCharts.accuracyAgainstSize(section, most: 4)
        #expect(sizes.charts.map(\.name) == ["accuracy-part-1-of-2", "accuracy-part-2-of-2"] && sizes.leftOut.isEmpty)
        let costs = CostCharts.charts(section, most: 600)
        #expect(
            costs.map(\.name) == ["accuracy-seconds-1", "accuracy-seconds-2", "accuracy-steps-1", "accuracy-steps-2"])
        for (charts, title) in [(sizes.charts, "whole set"), (Array(costs.prefix(2)), "random")] {
            let commands = charts.map { $0.commands.joined(separator: "\n") }
            for score in scores {
                #expect(commands.count { $0.contains("title '\(score)'") } == 1, "\(score)")
            }
            #expect(commands.allSatisfy { $0.contains("title '\(title)'") })
            // Parts of one picture have the same axes.
            #expect(Set(charts.map { $0.commands.filter { $0.hasPrefix("set yrange") } }).count == 1)
        }
        #expect(SizeCharts.accuracyAgainstSize(section, most: 1).leftOut == Array(scores.suffix(5)))
    }

    @Test func aMethodThatNeedsTheWholeSetIsMarked() throws {
        let study = try StudyReader(file: "test.yaml").read(
            "experiments: [{pruning_method: random, sizes: 5}, {pruning_method: random, sizes: 5, resample: epoch}]")
        let plan = try StudyPlan(study, shapes: ["mnist": DatasetShape(count: 200, featureCount: 16)])
        let names = CaseNames(plan)
        for (experiment, isMarked) in zip(plan.experiments, [false, true]) {
            #expect(names.name(experiment).contains("(needs the whole set)") == isMarked)
            #expect(Arm(experiment, names).name.contains("(needs the whole set)") == isMarked)
        }
    }
}
