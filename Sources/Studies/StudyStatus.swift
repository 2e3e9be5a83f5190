import Foundation

/// The best case among the finished runs: the highest median accuracy.
package struct BestCase: Sendable {
    /// The case's experiment, counted from 1.
    package private(set) var experimentID: Int?
    /// Its median accuracy in percent.
    package private(set) var medianAccuracy = 0.0
    /// Its finished runs that did not diverge.
    package var runs: Int { experimentID.flatMap { accuracies[$0]?.count } ?? 0 }

    private var accuracies: [Int: [Double]] = [:]

    /// No runs yet.
    package init() {}

    /// Takes finished runs into account.
    package mutating func add(_ records: [RunRecord]) {
        // Runs that diverged have no accuracy; a case of such runs alone is never the best.
        let figures = records.compactMap { record in record.accuracy.map { (id: record.experimentID, accuracy: $0) } }
        for figure in figures { accuracies[figure.id, default: []].append(figure.accuracy) }
        let touched = Set(figures.map(\.id))
        // A median may fall as well as rise, so that the best of before may be it no longer.
        let isSettled = experimentID.map { !touched.contains($0) } ?? true
        let candidates = isSettled ? touched.sorted() : accuracies.keys.sorted()
        if !isSettled { (experimentID, medianAccuracy) = (nil, 0) }
        for id in candidates {
            let median = Statistics.median(accuracies[id] ?? []) ?? 0
            if experimentID == nil || median > medianAccuracy { (experimentID, medianAccuracy) = (id, median) }
        }
    }
}

/// How far a study is, read from its directory without its lock and without its data. It may be at work meanwhile.
package struct StudyStatus {
    /// The directory.
    package let directory: String
    /// The plan.
    package let plan: StudyPlan
    /// Finished runs, those that diverged included.
    package let finished: Int
    /// Finished runs that diverged.
    package let diverged: Int
    /// The images that the remaining runs, tuning and score networks will see in training; an upper bound if runs leave
    /// samples out of epochs.
    package let imagesLeft: Int
    /// Whether a process is at work: one without shards, or those of ``shards``.
    package let isAtWork: Bool
    /// The shards that are at work.
    package let shards: [Shard]
    /// Images a second in training, all processes that are at work together, by what the latest runs took, selection
    /// and test included; nil where nobody is at work or nothing is finished.
    package let imagesPerSecond: Double?
    /// The best case so far.
    package let best: BestCase
    /// The last finished run, and how many seconds ago it was.
    package let last: (record: RunRecord, secondsAgo: Double)?
    /// The devices of sessions with several devices, and the number of finished runs of each.
    package let devices: [DeviceRuns]
    /// What was wrong with the directory and does not keep it from being read.
    package let notices: [String]

    /// Seconds that are left at the rate of now; nil without a rate.
    package var secondsLeft: Double? { imagesPerSecond.map { Double(imagesLeft) / $0 } }

    /// So many seconds of the latest runs tell a process's rate.
    private static let rateSeconds = 180.0

    /// Reads a directory.
    /// - Throws: as ``StoredStudy/init(reading:)``.
    package init(reading directory: String) throws(StudyError) {
        let contents = try StudyContents(reading: directory)
        let plan = contents.plan
        self.directory = directory
        self.plan = plan
        notices = contents.notices
        finished = contents.records.count
        diverged = contents.records.values.count { $0.diverged != nil }
        let pending = plan.runs.filter { contents.records[$0] == nil }
        let runs = pending.reduce(0) { sum, run in
            let experiment = plan.experiment(run.experimentID)
            return sum + experiment.recipe.images(kept: experiment.size)
        }
        let arrays = StudyArrays(directory: directory)
        let experiments = Set(pending.map(\.experimentID)).map(plan.experiment)
        let tuning = experiments.filter { arrays.tuning(of: $0) == nil }.reduce(0.0) { $0 + $1.tuningImages }
        let keys = experiments.reduce(into: Set<ArtifactKey>()) { keys, experiment in
            keys.formUnion(experiment.tuningUses.keys)
            for run in pending where run.experimentID == experiment.id {
                keys.formUnion(experiment.commonArtifacts(run: run.run))
            }
        }
        let artifacts = keys.filter { !arrays.isStored($0) }.reduce(0) { $0 + (plan.imagesOfArtifacts[$1] ?? 0) }
        imagesLeft = runs + Int(tuning) + artifacts
        shards = StudyDirectory.shardsAtWork(in: directory)
        isAtWork = !shards.isEmpty || StudyDirectory.isHeld(directory)
        var best = BestCase()
        best.add(Array(contents.records.values))
        self.best = best
        devices = DeviceRuns.all(of: contents.records.values)
        let latest = contents.logs.filter { !$0.records.isEmpty }.max { $0.modified < $1.modified }
        last = latest.flatMap { log in
            log.records.last.map { ($0, max(0, Date().timeIntervalSince(log.modified))) }
        }
        var rates: [Double] = []
        for log in contents.logs where log.shard.map(shards.contains) ?? (shards.isEmpty && isAtWork) {
            if let rate = Self.rate(of: log.records, plan) { rates.append(rate) }
        }
        // A shard that has finished nothing yet goes as fast as the others.
        let processes = max(shards.count, 1)
        imagesPerSecond =
            rates.isEmpty ? nil : rates.reduce(0, +) / Double(rates.count) * Double(max(processes, rates.count))
    }

    /// Images per second of the latest runs of a log, all devices together. A device counts if it made one of these runs.
    private static func rate(of records: [RunRecord], _ plan: StudyPlan) -> Double? {
        // Grouped by device number; nil is the device of a session with one.
        var latest: [Int?: (images: Int, seconds: Double)] = [:]
        var seconds = 0.0
        for record in records.reversed() where seconds < rateSeconds * Double(max(1, latest.count)) {
            var sum = latest[record.deviceNumber] ?? (0, 0)
            sum.images += record.images ?? plan.experiment(record.experimentID).recipe.images(kept: record.kept)
            sum.seconds += record.time
            latest[record.deviceNumber] = sum
            seconds += record.time
        }
        // A session with one device and a session with several were not at work together.
        if let newest = records.last, newest.deviceNumber == nil {
            latest = latest.filter { $0.key == nil }
        } else {
            latest = latest.filter { $0.key != nil }
        }
        let rates = latest.values.filter { $0.seconds > 0 }.map { Double($0.images) / $0.seconds }
        return rates.isEmpty ? nil : rates.reduce(0, +)
    }
}
