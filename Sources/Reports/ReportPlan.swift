import Datasets
import Foundation
import Studies

/// What a report shows: its sections, and the charts to draw for each.
struct ReportPlan: Sendable {
    /// The charts of a section under one heading.
    struct Group: Sendable {
        let heading: String
        let charts: [Chart]
        /// What was left out.
        let note: String?
    }

    let sections: [ReportSection]
    /// The groups of each section; none for sections beyond those that have pictures.
    let groups: [[Group]]
    /// How the answer of each section changes with k and d, and the pictures of it for those that have pictures.
    let sensitivities: [(all: [Sensitivity], charts: [Chart])]
    let scree: [Chart]
    /// The comparison of the models.
    let models: ModelSection
    /// What a file of a chart or sheet begins with, after the number of its section where there are several.
    static let kinds = [
        "accuracy", "bars-", "runs", "bubbles-", "sensitivity-", "scree-", "cluster-", "embedding-", "models",
    ]

    /// Every chart of the page.
    var charts: [Chart] {
        models.charts + groups.flatMap { $0.flatMap(\.charts) } + sensitivities.flatMap(\.charts) + scree
    }

    init(_ stored: StoredStudy) {
        sections = ReportSection.sections(of: stored.results)
        models = ModelSection(sections)
        let isSingle = sections.count == 1
        groups = sections.prefix(StudyReport.Limits.sections).enumerated().map { index, section in
            Self.groups(
                section, prefix: isSingle ? "" : "\(index + 1)-", panels: StudyReport.Limits.panels / (isSingle ? 1 : 2)
            )
        }
        sensitivities = sections.enumerated().map { index, section in
            let all = Sensitivity.all(section)
            let most = index < StudyReport.Limits.sections ? StudyReport.Limits.panels / (isSingle ? 1 : 2) : 0
            let charts = all.flatMap { $0.charts(most: most) }
            return (all, isSingle ? charts : charts.map { $0.named("\(index + 1)-\($0.name)") })
        }
        var components: [TrainingSet: Int] = [:]
        for experiment in stored.results.plan.experiments {
            // Spectra of scores are not stored, and the one for comparison with an autoencoder belongs to no case.
            guard let count = experiment.clustering?.pcaComponents else { continue }
            components[experiment.recipe.trainingSet] = max(components[experiment.recipe.trainingSet] ?? 0, count)
        }
        let sets = components.sorted { $0.key.title < $1.key.title }.prefix(StudyReport.Limits.datasets)
        scree = sets.compactMap { set, count in
            stored.spectrum(of: set, components: count).flatMap {
                ScreeChart.chart(dataset: set.title, variances: $0.variances, total: $0.totalVariance)
            }
        }
    }

    private static func groups(_ section: ReportSection, prefix: String, panels: Int) -> [Group] {
        guard !section.cases.isEmpty else { return [] }
        let limits = StudyReport.Limits.self
        let lost = section.cases.filter { $0.summary.accuracies.isEmpty }.map(\.label)
        let section = section.pictured
        let sizes = SizeCharts.accuracyAgainstSize(section, most: panels)
        let costs = CostCharts.charts(section, most: limits.points)
        let bubbles = BubbleCharts.charts(section, most: panels)
        let cases = CaseCharts.charts(section, most: limits.bars)
        func note(_ leftOut: [String]) -> String? {
            leftOut.isEmpty
                ? nil
                : "Not pictured for want of room: \(Wording.list(leftOut, atMost: 8)). The table has every case."
        }
        let groups = [
            Group(heading: "Accuracy against size", charts: sizes.charts, note: note(sizes.leftOut)),
            Group(
                heading: costs.contains { $0.name.hasPrefix(CostCharts.Cost.steps.name) }
                    ? "Accuracy against time and steps of training" : "Accuracy against time", charts: costs, note: nil),
            Group(
                heading: "Accuracy and cost", charts: cases,
                note: lost.isEmpty
                    ? nil : "Not pictured, since every run diverged: \(Wording.list(lost, atMost: 8))."),
            Group(heading: "Size and number of clusters", charts: bubbles.charts, note: note(bubbles.leftOut)),
        ]
        return groups.filter { !$0.charts.isEmpty || $0.note != nil }.map { group in
            Group(
                heading: group.heading, charts: group.charts.map { $0.named(prefix + $0.name) }, note: group.note)
        }
    }

    // MARK: - The page

    /// Everything that the template needs.
    /// - Parameters:
    ///   - svgs: the inlined plots by the charts' names.
    ///   - classNames: the names of the classes of a data set.
    func contents(
        _ stored: StoredStudy, svgs: [String: String], clusters: [ClusterSection], embeddings: [EmbeddingSection],
        overlaps: [SelectionOverlaps], classNames: (String) -> [String], hasPlots: Bool
    ) -> PageContents {
        var number = 0
        func figures(_ charts: [Chart]) -> [PageFigure] {
            charts.compactMap { chart in
                svgs[chart.name].map { svg in
                    number += 1
                    return PageFigure(number: number, title: chart.title, caption: chart.caption, svg: svg)
                }
            }
        }
        // Numbered first, as they come first.
        let acrossModels = models.contents(figures: figures)
        let headlines = sections.map(Headline.init)
        let pages = sections.indices.map { index in
            section(
                index, headlines[index], classNames: classNames, hasPlots: hasPlots,
                overlaps: index < groups.count
                    ? OverlapTable.contents(overlaps.filter { $0.section.key == sections[index].key }) : nil,
                groups: index < groups.count
                    ? groups[index].map { group in
                        PageContents.Group(
                            heading: group.heading, figures: figures(group.charts), note: group.note)
                    } : [], sensitivity: sensitivity(index, figures: figures(sensitivities[index].charts)))
        }
        let shown = SharedTables.printedOnce(pages, of: sections)
        let sheets = clusters.map { cluster in
            let sheets = cluster.pageSheets(from: number + 1)
            number += sheets.count
            return PageContents.Clusters(
                id: "clusters-\(Wording.slug(cluster.dataset))", title: "Clusters of \(cluster.dataset)",
                text: cluster.text, sheets: sheets, hasSheets: !sheets.isEmpty)
        }
        let reconstructions = embeddings.map { embedding in
            let contents = embedding.contents(number: number + 1)
            number += contents.sheets.count
            return contents
        }
        let plan = stored.results.plan
        let done = stored.results.records.count
        let provenance = Provenance(
            stored.environment, devices: DeviceRuns.all(of: stored.results.records))
        let name = URL(fileURLWithPath: stored.directory).standardizedFileURL.lastPathComponent
        let notes = (stored.results.comparisonNotes + Wording.bounded(stored.notices)).map(Self.sentence)
        return PageContents(
            study: name, headline: headline(headlines), summary: summary(stored),
            progress: done < plan.runs.count
                ? .init(
                    done: done, total: plan.runs.count,
                    text: "Unfinished: \(Number.grouped(Double(done))) of \(Wording.counted(plan.runs.count, "run"))."
                        + " The same command goes on, and coppice report makes this page again.") : nil,
            notes: notes, hasNotes: !notes.isEmpty, models: acrossModels, sections: shown,
            clusters: sheets + reconstructions,
            scree: figures(scree),
            screeText: screeText(plan, hasPlots: hasPlots),
            margin: Wording.list(Set(plan.experiments.map(\.equalWithin)).sorted().map(Number.exact)),
            runs: "\(Number.grouped(Double(done))) of \(Wording.counted(plan.runs.count, "run"))"
                + " of \(Wording.counted(plan.experiments.count, "case")), \(Wording.counted(plan.clusteringCount, "distinct clustering"))",
            seeds: seeds(plan), data: provenance.data, machines: provenance.machines, commands: provenance.commands,
            preparation: Self.preparation(plan), repeat: command(stored.study, provenance),
            files: Self.files(
                hasScoreModels: plan.experiments.contains { $0.otherScoreModel != nil },
                hasEmbeddings: models.comparesEmbeddings, hasOverlaps: !overlaps.isEmpty,
                hasPlots: !svgs.isEmpty, sheets: clusters.flatMap(\.sheets),
                hasReconstructions: embeddings.contains { $0.png != nil }),
            yaml: stored.study.yaml)
    }

    /// The files beside the page, as a sentence.
    static func files(
        hasScoreModels: Bool = false, hasEmbeddings: Bool = false, hasOverlaps: Bool, hasPlots: Bool,
        sheets: [ClusterSection.Sheet],
        hasReconstructions: Bool = false
    ) -> String {
        let plots = [
            hasPlots ? "every plot as SVG and PNG" : nil,
            sheets.contains { $0.png != nil } ? "the pictures of clusters as PNG" : nil,
            hasReconstructions ? "the reconstructions by autoencoders as PNG" : nil,
            sheets.contains { $0.sheet.csv != nil } ? "the closest and furthest members of clusters as CSV" : nil,
        ].compactMap { $0 }
        let files = [
            "results.csv (one row per run)", "summary.csv (one row per case)",
            hasScoreModels ? "score-models.csv (one row per case with score networks)" : nil,
            hasEmbeddings ? "embedding-differences.csv (one row per comparison of two embeddings)" : nil,
            hasOverlaps ? "overlaps.csv (one row per pair of cases of one size)" : nil,
            plots.isEmpty ? nil : "plots/ (\(Wording.list(plots)))",
        ].compactMap { $0 }
        return "This page needs no other file. Beside it are \(Wording.list(files))."
    }

    /// What the command that makes the study again needs beside the data.
    static func preparation(_ plan: StudyPlan) -> String {
        var files: [String] = []
        for case let scoring? in plan.experiments.map(\.scoring) where scoring.file != nil {
            if !files.contains(scoring.score) { files.append(scoring.score) }
        }
        if files.isEmpty { return "Save the study below as study.yaml; then" }
        let names = Wording.list(files.map { "\u{201C}\($0)\u{201D}" }, atMost: 8)
        return "Save the study below as study.yaml. It reads scores from \(files.count == 1 ? "the file" : "the files")"
            + " \(names): a path that does not begin with a slash starts at the folder of study.yaml. Copies of the scores"
            + " are in scores/ beside this page; then"
    }

    /// The command that makes the study again from its YAML, quoted for a POSIX shell.
    private func command(_ study: Study, _ provenance: Provenance) -> String {
        var command = "coppice run study.yaml"
        let unplaced = study.datasetDescriptions.filter { $0.source == nil }.map(\.name)
        if let folder = provenance.dataFolder, !unplaced.isEmpty {
            command += " --data " + Shell.quoted(folder)
        } else if !unplaced.allSatisfy({ name in KnownDataset.all.contains { $0.name == name } }) {
            // A directory of an older version, which did not keep the folder.
            command += " --data DIR"
        }
        if provenance.isTransposed { command += " --transposed" }
        return ([command] + provenance.deviceOptions.map(Shell.quoted)).joined(separator: " ")
    }

    private static func sentence(_ text: String) -> String {
        let text = Wording.sentence(text)
        return text.hasSuffix(".") ? text : text + "."
    }

    private func headline(_ headlines: [Headline]) -> String {
        if headlines.count == 1 { return headlines[0].title }
        guard ReportSection.byTraining(sections).count == 1 else {
            return "\(headlines.count) data sets or ways of training, each compared on its own"
        }
        let haveWhole = sections.allSatisfy { $0.experiments.contains(where: \.selection.isWhole) }
        return "\(headlines.count) models, each compared \(haveWhole ? "with its own whole set" : "on its own")"
    }

    private func summary(_ stored: StoredStudy) -> String {
        let plan = stored.results.plan
        let counts = Set(plan.experiments.map(\.runs)).sorted().map { "\($0)" }
        let names = sections.count <= 4 ? sections.map(\.title).joined(separator: "; ") : "\(sections.count) sections"
        return "\(Wording.counted(plan.experiments.count, "case")) of \(counts.joined(separator: " or "))"
            + " \(counts == ["1"] ? "run" : "runs") each; \(names)."
    }

    private func seeds(_ plan: StudyPlan) -> String {
        let seeds = Set(plan.experiments.map(\.seed)).sorted().map(String.init)
        let clusterings = Set(plan.experiments.filter { $0.clustering != nil }.map(\.clusteringSeeds)).sorted()
        return Wording.list(seeds, atMost: 8)
            + (clusterings.isEmpty
                ? "" : "; clusterings per case: \(Wording.list(clusterings.map(String.init), atMost: 8))")
    }

    private func screeText(_ plan: StudyPlan, hasPlots: Bool) -> String? {
        let clusters = plan.experiments.contains { $0.clustering?.pcaComponents != nil }
        let scores = plan.experiments.contains { $0.scoring?.pcaComponents != nil }
        if !clusters {
            return scores
                ? "This study uses PCA for scores alone, whose spectra are not stored, so that there is no scree plot."
                : "No case of this study uses PCA, so that there is no scree plot."
        }
        if scree.isEmpty { return "No spectrum of a PCA is stored in this directory, so that there is no scree plot." }
        return hasPlots ? nil : "The scree plot is left out with the other plots."
    }

    private func sensitivity(_ index: Int, figures: [PageFigure]) -> PageContents.Sensitivity? {
        let all = sensitivities[index].all
        guard !all.isEmpty else { return nil }
        return PageContents.Sensitivity(
            sentences: all.flatMap(\.sentences), figures: figures,
            tables: all.map { $0.table(in: sections[index].title) })
    }

    private func section(
        _ index: Int, _ headline: Headline, classNames: (String) -> [String], hasPlots: Bool,
        overlaps: PageContents.Overlaps?, groups: [PageContents.Group], sensitivity: PageContents.Sensitivity?
    ) -> PageContents.Section {
        let section = sections[index]
        let isSingle = sections.count == 1
        let counts = ClassCounts(section, most: StudyReport.Limits.classRows)
        var sentences = headline.sentences
        if !hasPlots, index == 0 {
            sentences.append("Plots are left out: gnuplot was not found when this page was made.")
        } else if index >= self.groups.count {
            sentences.append("For want of room only the first \(self.groups.count) sections have pictures.")
        }
        let kept = groups.filter { !$0.figures.isEmpty || $0.note != nil }
        return PageContents.Section(
            id: "section-\(index + 1)", title: isSingle ? "Findings: \(section.title)" : section.title,
            lead: isSingle ? nil : headline.title, sentences: sentences, hasSentences: !sentences.isEmpty,
            groups: kept, sensitivity: sensitivity, overlaps: overlaps,
            classes: counts.map { counts in
                // Reading data sets takes long: only as many as are read for their clusters.
                let names =
                    index < StudyReport.Limits.datasets
                    ? section.experiments.first.map { classNames($0.recipe.trainingSet.dataset) } ?? [] : []
                return PageContents.Classes(
                    title: section.title,
                    classes: counts.classes.indices.map { Dataset.className($0, of: names) }, rows: counts.rows,
                    leftOut: counts.leftOut > 0
                        ? "The \(StudyReport.Limits.classRows) cases whose classes are furthest from their shares are shown; \(Number.grouped(Double(counts.leftOut))) others are not."
                        : nil)
            },
            hasCases: !section.cases.isEmpty,
            caption:
                "\(Wording.counted(section.cases.count, "case")) with finished runs, of \(Number.grouped(Double(section.experiments.count))).",
            ownColumns: CaseTable.columns(section).count, moreColumns: CaseTable.moreColumns.count,
            comparisons: Baseline.allCases.map {
                PageContents.Comparisons(name: "against \($0.phrase)", span: CaseTable.comparisonColumns.count)
            },
            columns: CaseTable.columns(section) + Baseline.allCases.flatMap { _ in CaseTable.comparisonColumns }
                + CaseTable.moreColumns,
            rows: CaseTable.rows(section))
    }
}

extension Chart {
    /// The same chart under another name.
    func named(_ name: String) -> Chart {
        Chart(
            name: name, title: title, caption: caption, description: description, width: width, height: height,
            commands: commands)
    }
}
