import Compute
import Datasets
import Foundation
import Pruning
import Studies
import Testing
import Support

/// Everything of a record that does not depend on the clock, on the runs that shared a launch, or on the device.
func essence(_ records: [RunRecord]) -> [RunRecord] {
    records.map { record in
        var record = record
        (record.time, record.selectionSeconds, record.replicas) = (0, 0, 0)
        record.deviceNumber = nil
        return record
    }
}

@Suite struct StudyRunnerTests {
    private func run(
        _ executor: FakeExecutor, _ yaml: String = everything, in temporary: TemporaryDirectory, replicas: Int = 4,
        cancellation: CancellationFlag = CancellationFlag(), report: @escaping (StudyEvent) -> Void = { _ in }
    ) throws -> StudyResults {
        // The directory goes with its last use, and the runner has no more than its path.
        defer { withExtendedLifetime(temporary) {} }
        return try StudyRunner(
            study(yaml), directory: temporary.results, executor: executor, replicas: replicas,
            environment: ["version": "test"], cancellation: cancellation, report: report
        ).run()
    }

    @Test func everyRunIsTrainedOnceOnWhatItsSelectionSays() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        let results = try run(executor, in: temporary)
        #expect(
            results.records.map { [$0.experimentID, $0.runID] } == (1...19).flatMap { id in (1...3).map { [id, $0] } })
        let jobs = executor.batches.flatMap { $0 }
        #expect(jobs.count == 57)
        for job in jobs {
            let experiment = results.plan.experiment(job.experimentID)
            #expect(job.indices.count == experiment.size)
            #expect(Set(job.indices).count == job.indices.count)
            #expect(job.recipe.duration == .epochs(2))
            let file = temporary.results + "/selections/experiment\(job.experimentID)-run\(job.run + 1).npy"
            let kept = try NumPyArray.read(file)
            #expect(kept.type == .int64 && kept.shape == [job.indices.count])
            #expect(try kept.integers() == job.indices.map { Int64($0) })
        }
        for record in results.records {
            #expect(record.requested == record.kept)
            #expect(record.perClass.reduce(0, +) == record.kept)
            #expect(abs(record.time - (record.selectionSeconds + 0.75)) < 1e-12)
            #expect(record.accuracy == 100 * Double(record.correct) / 10_000)
        }
        #expect(try temporary.text("runs.jsonl").split(separator: "\n").count == 57)
        #expect(try study(temporary.text("study.yaml")) == study(everything).resolved)
        #expect(try temporary.text("environment.json").contains("\"version\" : \"test\""))
    }

    @Test(arguments: [1, 2, 7, 100])
    func replicasTrainAlikeAndChangeNothing(replicas: Int) throws {
        let alone = try run(FakeExecutor(), in: TemporaryDirectory(), replicas: 1)
        let executor = FakeExecutor()
        let results = try run(executor, in: TemporaryDirectory(), replicas: replicas)
        #expect(essence(results.records) == essence(alone.records))
        for batch in executor.batches {
            #expect(batch.count <= replicas)
            #expect(Set(batch.map(\.indices.count)).count == 1)
        }
        // Three kept sizes of 3, 27 and 27 runs, each split only by the limit.
        let expected = [3, 27, 27].reduce(0) { $0 + ($1 + replicas - 1) / replicas }
        #expect(executor.batches.count == expected)
    }

    @Test func runsOfDifferentModelsAreNeitherTrainedTogetherNorPaired() throws {
        let executor = FakeExecutor()
        let results = try run(
            executor,
            """
            {runs: 6, experiments: [{pruning_method: none}, {pruning_method: random, sizes: 40},
             {pruning_method: none, model: mlp}, {pruning_method: random, sizes: 40, model: mlp},
             {pruning_method: random, sizes: 40, model: linear}]}
            """, in: TemporaryDirectory(), replicas: 100)
        for jobs in executor.batches { #expect(Set(jobs.map(\.recipe)).count == 1) }
        let models = Set(executor.batches.compactMap { $0.first?.recipe.model.name })
        #expect(models == ["lenet5", "mlp", "linear"])
        let baselines = results.summaries.map { $0.comparisons[.full]?.baselineID }
        // The whole set of the same model, and none where that model has no run on the whole set.
        #expect(baselines == [nil, 1, nil, 3, nil])
    }

    @Test func onlyRunsThatTrainAlikeShareALaunch() throws {
        let executor = FakeExecutor()
        _ = try run(
            executor,
            """
            runs: 1
            experiments:
              - {pruning_method: random, sizes: 20}
              - {pruning_method: random, sizes: 20, epochs: 9}
              - {pruning_method: random, sizes: 20, steps: 5}
              - {pruning_method: random, sizes: 20, batch_size: 8}
              - {pruning_method: random, sizes: 20, learning_rate: 0.1}
              - {pruning_method: random, sizes: 20, dataset: fashion-mnist}
              - {pruning_method: random, sizes: 20, seed: 5}
              - {pruning_method: cluster, sizes: 20, ks: 30, selection_strategies: closest, quota: article}
              - {pruning_method: cluster, sizes: 20, ks: 6, selection_strategies: closest, quota: article}
            """, in: TemporaryDirectory(), replicas: 50)
        let groups = executor.batches.map { $0.map(\.experimentID) }
        // Experiments 1, 7 and 8 keep 20; 9 keeps 18 (6 clusters of 3).
        #expect(groups.sorted { $0[0] < $1[0] } == [[1, 7, 8], [2], [3], [4], [5], [6], [9]])
    }

    @Test func eachClusteringIsFittedOnceAndKept() throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        let results = try run(executor, in: temporary)
        #expect(Set(executor.fits) == Set(results.plan.clusteringUses.keys))
        #expect(executor.fits.count == 6)
        for key in executor.fits {
            let labels = try NumPyArray.read(temporary.results + "/clusterings/\(key.fileName)/labels.npy")
            let fitted = FakeExecutor().fit(key)
            #expect(try labels.integers() == fitted.labels.map { Int64($0) })
        }
        // Runs that are left are selected by what was kept, not by new clusterings.
        let log = try temporary.text("runs.jsonl").split(separator: "\n").prefix(20).joined(separator: "\n") + "\n"
        try temporary.write(log, to: "runs.jsonl")
        let second = FakeExecutor()
        #expect(essence(try run(second, in: temporary).records) == essence(results.records))
        #expect(second.fits.isEmpty)
        // A damaged one is fitted again.
        try Data([1, 2, 3]).write(
            to: URL(fileURLWithPath: temporary.results + "/clusterings/\(executor.fits[0].fileName)/labels.npy"))
        try temporary.write(log, to: "runs.jsonl")
        let third = FakeExecutor()
        #expect(essence(try run(third, in: temporary).records) == essence(results.records))
        #expect(third.fits.allSatisfy { $0 == executor.fits[0] })
    }

    @Test func runsArePairedAcrossStrategies() throws {
        let executor = FakeExecutor()
        let results = try run(executor, in: TemporaryDirectory())
        let jobs = executor.batches.flatMap { $0 }
        #expect(jobs.allSatisfy { $0.seed == 1 && (0..<3).contains($0.run) })
        // By chance: different subsets in different runs, and a smaller one is the beginning of a larger one.
        func indices(_ id: Int, _ run: Int) -> [Int] {
            jobs.first { $0.experimentID == id && $0.run == run }?.indices ?? []
        }
        for run in 0..<3 { #expect(indices(2, run) == Array(indices(3, run).prefix(20))) }
        #expect(indices(2, 0) != indices(2, 1) && indices(2, 1) != indices(2, 2))
        // By distance: each run has its own clustering unless they share one.
        #expect(results.plan.experiments[3].selection == .closest && indices(4, 0) != indices(4, 1))
    }

    @Test func theArticlesQuotaSharesItsClusteringAndSaysWhatItKept() throws {
        let executor = FakeExecutor()
        let results = try run(
            executor,
            """
            {quota: article, clustering_seeds: 1, runs: 2, experiments: [{pruning_method: cluster, sizes: [50, 3], ks: 20,
            selection_strategies: [closest, random]}]}
            """, in: TemporaryDirectory())
        #expect(executor.fits.count == 1)
        #expect(results.records.map(\.requested) == [50, 50, 50, 50, 3, 3, 3, 3])
        #expect(results.records.map(\.kept) == [40, 40, 40, 40, 3, 3, 3, 3])
        let jobs = executor.batches.flatMap { $0 }
        func indices(_ id: Int, _ run: Int) -> [Int] {
            jobs.first { $0.experimentID == id && $0.run == run }?.indices ?? []
        }
        #expect(indices(1, 0) == indices(1, 1))
        #expect(indices(2, 0) != indices(2, 1))
    }

    @Test func aDeviceThatRunsOutOfMemoryGetsFewerReplicas() throws {
        let executor = FakeExecutor()
        executor.beforeTraining = { _, jobs, _ in
            if jobs.count > 3 {
                throw ComputeError.outOfMemory(label: "activations", byteCount: 9, device: "fake device")
            }
        }
        var notices: [String] = []
        let results = try run(executor, in: TemporaryDirectory(), replicas: 16) {
            if case .notice(let notice) = $0 { notices.append(notice) }
        }
        #expect(essence(results.records) == essence(try run(FakeExecutor(), in: TemporaryDirectory()).records))
        #expect(executor.batches.allSatisfy { $0.count <= 3 })
        #expect(notices.first?.contains("fake device has no room for activations") == true)
        #expect(notices.last?.hasSuffix("going on with 2 at once") == true)
    }

    @Test func noRoomForOneReplicaIsAnError() throws {
        let executor = FakeExecutor()
        executor.beforeTraining = { _, _, _ in
            throw ComputeError.outOfMemory(label: "activations", byteCount: 9, device: "fake device")
        }
        let error = studyError { _ = try run(executor, in: TemporaryDirectory(), replicas: 16) }
        #expect(error?.category == .unavailable)
        #expect(error?.description.contains("0 of 57 runs are finished and kept") == true)
    }

    @Test(arguments: [0, 1, 5, 13])
    func anInterruptKeepsWhatIsDoneAndRunningAgainFinishesIt(after trainings: Int) throws {
        let temporary = try TemporaryDirectory()
        let whole = try run(FakeExecutor(), in: TemporaryDirectory())
        let flag = CancellationFlag()
        let executor = FakeExecutor()
        executor.beforeTraining = { count, _, cancellation in
            if count == trainings { cancellation.cancel() }
            // What a real executor does between two steps.
            try cancellation.check()
        }
        let error = studyError { _ = try run(executor, in: temporary, cancellation: flag) }
        let done = executor.batches.reduce(0) { $0 + $1.count }
        #expect(executor.batches.count == trainings)
        #expect(error?.category == .cancelled)
        #expect(error?.description.hasPrefix("stopped after \(done) of 57 runs; what is finished is kept") == true)
        #expect(try temporary.text("runs.jsonl").split(separator: "\n").count == done)
        let second = FakeExecutor()
        #expect(essence(try run(second, in: temporary).records) == essence(whole.records))
        #expect(second.batches.reduce(0) { $0 + $1.count } == 57 - done)
    }

    @Test(arguments: [0, 3, 9])
    func anErrorOfTheDeviceLosesNothing(after trainings: Int) throws {
        let temporary = try TemporaryDirectory()
        let executor = FakeExecutor()
        executor.beforeTraining = { count, _, _ in if count == trainings { throw DeviceLost() } }
        #expect(throws: DeviceLost.self) { try run(executor, in: temporary) }
        let second = FakeExecutor()
        let results = try run(second, in: temporary)
        #expect(essence(results.records) == essence(try run(FakeExecutor(), in: TemporaryDirectory()).records))
        #expect(executor.batches.flatMap { $0 }.count + second.batches.flatMap { $0 }.count == 57)
    }

    @Test func aFinishedStudyTrainsNothingMore() throws {
        let temporary = try TemporaryDirectory()
        let first = try run(FakeExecutor(), in: temporary)
        let executor = FakeExecutor()
        executor.device = "another device"
        var notices: [String] = []
        let second = try run(executor, in: temporary) { if case .notice(let notice) = $0 { notices.append(notice) } }
        #expect(second.records == first.records)
        #expect(executor.batches.isEmpty && executor.fits.isEmpty && notices.isEmpty)
        // It needs no device, and no session is noted.
        #expect(executor.preparations == 0)
        #expect(try StoredStudy(reading: temporary.results).environment.sessions.count == 1)
    }

    @Test func rowsOfAnotherDeviceAreSaid() throws {
        let temporary = try TemporaryDirectory()
        let first = FakeExecutor()
        first.beforeTraining = { count, _, _ in if count == 3 { throw DeviceLost() } }
        #expect(throws: DeviceLost.self) { try run(first, in: temporary) }
        let executor = FakeExecutor()
        executor.device = "another device"
        var notices: [String] = []
        _ = try run(executor, in: temporary) { if case .notice(let notice) = $0 { notices.append(notice) } }
        #expect(
            notices == ["earlier runs were made on fake device, these are made on another device; rows say which"])
        #expect(executor.preparations > 0)
        #expect(try StoredStudy(reading: temporary.results).environment.sessions.count == 2)
    }

    @Test func aRunIsOnTheDiskBeforeItIsReported() throws {
        let temporary = try TemporaryDirectory()
        _ = try run(FakeExecutor(), in: temporary) {
            guard case .finished(let record, _, let done, _) = $0 else { return }
            let lines = (try? temporary.text("runs.jsonl").split(separator: "\n")) ?? []
            #expect(lines.count >= done)
            let key = "\"experiment_id\":\(record.experimentID),"
            #expect(lines.contains { $0.contains(key) && $0.contains("\"run_id\":\(record.runID),") })
            #expect(temporary.exists("selections/experiment\(record.experimentID)-run\(record.runID).npy"))
        }
    }

    @Test func eventsCountUpToTheWholeStudy() throws {
        var done: [Int] = []
        _ = try run(FakeExecutor(), in: TemporaryDirectory()) {
            if case .finished(let record, let experiment, let count, let total) = $0 {
                #expect(record.experimentID == experiment.id && total == 57)
                done.append(count)
            }
        }
        #expect(done == Array(1...57))
    }
}
