import Compute
import Foundation
import Scoring
import Support
import Testing

@testable import Studies

/// Studies on several devices, whose executors compute nothing.
@Suite struct DevicePoolTests {
    /// Called before a training with the device's seat, the number of trainings it has had, and the jobs.
    private typealias Before = @Sendable (DeviceSeat, Int, [TrainingJob], CancellationFlag) throws -> Void

    /// Events of a study, from any thread.
    private final class Heard: Sendable {
        let batches = Locked<[(device: Int, jobs: [TrainingJob])]>([])
        let threads = Locked<[Int: Set<ObjectIdentifier>]>([:])
        let notices = Locked<[String]>([])
        let warnings = Locked<[String]>([])
    }

    private static func pool(
        _ count: Int, _ heard: Heard = Heard(), replicas: Int? = 4, before: @escaping Before = { _, _, _, _ in }
    ) -> DevicePool {
        DevicePool(host: FakeExecutor(), replicas: replicas) {
            (0..<count).map { _ -> DeviceMaker in
                { seat in
                    let fake = FakeExecutor()
                    fake.beforeTraining = { trainings, jobs, cancellation in
                        heard.threads.withLock {
                            _ = $0[seat.number, default: []].insert(ObjectIdentifier(Thread.current))
                        }
                        try before(seat, trainings, jobs, cancellation)
                        heard.batches.withLock { $0.append((seat.number, jobs)) }
                    }
                    return fake
                }
            }
        }
    }

    private func run(
        _ pool: DevicePool, _ heard: Heard = Heard(), _ yaml: String = everything, in temporary: TemporaryDirectory,
        replicas: Int = 4, cancellation: CancellationFlag = CancellationFlag(),
        report: @escaping (StudyEvent) -> Void = { _ in }
    ) throws -> StudyResults {
        defer {
            pool.close()
            withExtendedLifetime(temporary) {}
        }
        return try StudyRunner(
            study(yaml), directory: temporary.results, executor: pool, replicas: replicas, cancellation: cancellation,
            report: { event in
                switch event {
                case .notice(let line): heard.notices.withLock { $0.append(line) }
                case .warning(let line): heard.warnings.withLock { $0.append(line) }
                default: break
                }
                report(event)
            }
        ).run()
    }

    private func alone(_ yaml: String = everything) throws -> [RunRecord] {
        let temporary = try TemporaryDirectory()
        defer { withExtendedLifetime(temporary) {} }
        let results = try StudyRunner(
            study(yaml), directory: temporary.results, executor: FakeExecutor(), replicas: 4
        ).run()
        return essence(results.records)
    }

    private static let lost = ComputeError.nonsense(device: "fake device", what: "rubbish")

    @Test(arguments: [1, 2, 3, 7])
    func theNumberOfDevicesChangesNothing(devices: Int) throws {
        let (heard, temporary) = (Heard(), try TemporaryDirectory())
        let results = try run(Self.pool(devices, heard), heard, in: temporary)
        #expect(try essence(results.records) == alone())
        #expect(heard.warnings.withLock { $0 }.isEmpty)
        let batches = heard.batches.withLock { $0 }
        #expect(batches.reduce(0) { $0 + $1.jobs.count } == 57)
        for (_, jobs) in batches {
            #expect(jobs.count <= 4 && Set(jobs.map(\.indices.count)).count == 1 && Set(jobs.map(\.recipe)).count == 1)
        }
        // A device is used by one thread.
        #expect(heard.threads.withLock { $0 }.values.allSatisfy { $0.count == 1 })
        let numbers = Set(results.records.map(\.deviceNumber))
        if devices == 1 {
            #expect(numbers == [nil])
        } else {
            #expect(numbers.isSubset(of: Set((1...devices).map { Optional($0) })))
        }
        #expect(try temporary.text("runs.jsonl").split(separator: "\n").count == 57)
    }

    @Test func theLargestWorkComesFirst() throws {
        let heard = Heard()
        _ = try run(Self.pool(1, heard), heard, in: TemporaryDirectory())
        let sizes = heard.batches.withLock { $0 }.map { $0.jobs[0].indices.count }
        #expect(sizes == sizes.sorted(by: >) && sizes.first == 200)
    }

    @Test func bothDevicesTakePart() throws {
        let heard = Heard()
        // Each waits for the other's first training.
        let pool = Self.pool(2, heard, replicas: 1) { seat, trainings, _, _ in
            guard trainings == 0 else { return }
            for _ in 0..<10_000 where heard.threads.withLock({ $0.count }) < 2 { usleep(1_000) }
        }
        let temporary = try TemporaryDirectory()
        let results = try run(pool, heard, in: temporary, replicas: 1)
        #expect(Set(results.records.map(\.deviceNumber)) == [1, 2])
        let status = try StudyStatus(reading: temporary.results)
        #expect(status.devices.map(\.number) == [1, 2] && status.devices.allSatisfy { $0.name == "fake device" })
        #expect(status.devices.reduce(0) { $0 + $1.runs } == 57)
    }

    @Test(arguments: [1, 2])
    func theRunsOfADeviceThatFailsGoToTheOther(broken: Int) throws {
        let heard = Heard()
        let pool = Self.pool(2, heard) { seat, _, _, _ in
            if seat.number == broken { throw Self.lost }
            // The broken device gets its turn.
            for _ in 0..<10_000 where heard.threads.withLock({ $0[broken] }) == nil { usleep(1_000) }
        }
        let temporary = try TemporaryDirectory()
        let results = try run(pool, heard, in: temporary)
        #expect(try essence(results.records) == alone())
        #expect(Set(results.records.map(\.deviceNumber)) == [3 - broken])
        let warnings = heard.warnings.withLock { $0 }
        #expect(warnings.count == 1, "\(warnings)")
        #expect(
            warnings.first?.hasPrefix("device \(broken), fake device, is given up: fake device computed rubbish")
                == true)
        #expect(warnings.first?.hasSuffix("its runs go to the other device") == true)
    }

    @Test func aStudyEndsWithItsLastDevice() throws {
        let pool = Self.pool(3) { _, trainings, _, _ in if trainings == 2 { throw Self.lost } }
        let temporary = try TemporaryDirectory()
        let heard = Heard()
        let error = studyError { _ = try run(pool, heard, in: temporary) }
        guard case .device(.nonsense, let finished, 57)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.category == .unavailable && heard.warnings.withLock { $0 }.count == 2)
        #expect(try temporary.text("runs.jsonl").split(separator: "\n").count == finished)
        let results = try run(Self.pool(2), in: temporary)
        #expect(try essence(results.records) == alone())
    }

    @Test func aDeviceThatHangsIsGivenUpAndWhatItSaysLaterIsIgnored() throws {
        let heard = Heard()
        let isOver = CancellationFlag()
        let pool = Self.pool(2, heard) { seat, _, _, _ in
            guard seat.number == 1 else {
                for _ in 0..<10_000 where heard.threads.withLock({ $0[1] }) == nil { usleep(1_000) }
                return
            }
            #expect(seat.giveUp("it did not end a kernel"))
            while !isOver.isCancelled { usleep(1_000) }
        }
        let temporary = try TemporaryDirectory()
        let results = try run(pool, heard, in: temporary)
        isOver.cancel()
        #expect(try essence(results.records) == alone())
        #expect(Set(results.records.map(\.deviceNumber)) == [2])
        #expect(heard.warnings.withLock { $0 }.count == 1)
    }

    @Test func theLastDeviceIsNotGivenUp() throws {
        let heard = Heard()
        let pool = Self.pool(1, heard) { seat, _, _, _ in #expect(!seat.giveUp("it did not end a kernel")) }
        #expect(try run(pool, heard, in: TemporaryDirectory()).records.count == 57)
        #expect(heard.warnings.withLock { $0 }.isEmpty)
    }

    @Test func aDeviceWithoutRoomTrainsFewer() throws {
        let heard = Heard()
        let pool = Self.pool(2, heard) { seat, _, jobs, _ in
            if jobs.count > 1 { throw ComputeError.outOfMemory(label: "weights", byteCount: 1, device: "fake device") }
        }
        let results = try run(pool, heard, in: TemporaryDirectory())
        #expect(try essence(results.records) == alone())
        let notices = heard.notices.withLock { $0 }.filter { $0.contains("at once there") }
        #expect(!notices.isEmpty && notices.allSatisfy { $0.hasPrefix("device ") })
        #expect(heard.warnings.withLock { $0 }.isEmpty)
    }

    /// The first device has no room for clusterings, but still trains.
    @Test(arguments: [[1], [1, 2], [1, 2, 3]])
    func whatADeviceHasNoRoomForIsMadeOnTheNext(full: [Int]) throws {
        let made = Locked<[(device: Int, name: String)]>([])
        let pool = DevicePool(host: FakeExecutor(), replicas: 4) {
            (0..<3).map { _ -> DeviceMaker in
                { seat in Recording(seat.number, made, isFull: full.contains(seat.number)) }
            }
        }
        let (heard, temporary) = (Heard(), try TemporaryDirectory())
        if full.count < 3 {
            #expect(try essence(run(pool, heard, in: temporary).records) == alone())
            #expect(made.withLock { $0 }.count == 6 && made.withLock { $0 }.allSatisfy { !full.contains($0.device) })
        } else {
            let error = studyError { _ = try run(pool, heard, in: temporary) }
            guard case .device(.outOfMemory, _, 57)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
        #expect(heard.warnings.withLock { $0 }.isEmpty)
    }

    @Test func anErrorThatIsNoDevicesEndsTheStudy() throws {
        let pool = Self.pool(2) { _, trainings, _, _ in
            if trainings == 1 { throw StudyError.executor(reason: "planted") }
        }
        let error = studyError { _ = try run(pool, in: TemporaryDirectory()) }
        guard case .executor("planted")? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func aDeviceThatCannotBeStartedEndsTheStudyBeforeItsDirectory() throws {
        let pool = DevicePool(host: FakeExecutor()) {
            [{ _ in FakeExecutor() }, { _ in throw ComputeError.noDevice(reason: "it is gone") }]
        }
        let temporary = try TemporaryDirectory()
        #expect(throws: ComputeError.self) { try run(pool, in: temporary) }
        #expect(!FileManager.default.fileExists(atPath: temporary.results))
    }

    @Test func anInterruptStopsAllDevices() throws {
        let (temporary, flag) = (try TemporaryDirectory(), CancellationFlag())
        let pool = Self.pool(2) { _, _, _, cancellation in try cancellation.check() }
        let error = studyError {
            _ = try run(pool, in: temporary, cancellation: flag) { event in
                if case .finished(_, _, let done, _) = event, done == 5 { flag.cancel() }
            }
        }
        guard case .interrupted(let finished, 57)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(finished >= 5)
        let results = try run(Self.pool(2), in: temporary)
        #expect(try essence(results.records) == alone())
    }

    /// A clustering that waits for a device at a long training does not delay the end.
    @Test func anInterruptIsHeardWhileAnArtifactWaits() throws {
        let (flag, timedOut) = (CancellationFlag(), Locked(false))
        let pool = Self.pool(1, replicas: 1) { _, _, _, stop in
            usleep(50_000)
            flag.cancel()
            for _ in 0..<5_000 where !stop.isCancelled { usleep(1_000) }
            timedOut.withLock { $0 = !stop.isCancelled }
            try stop.check()
        }
        let yaml = "{runs: 2, experiments: [{pruning_method: cluster, sizes: 40, ks: 2, selection_strategies: random}]}"
        let error = studyError {
            _ = try run(pool, Heard(), yaml, in: TemporaryDirectory(), replicas: 1, cancellation: flag)
        }
        guard case .interrupted(finished: 0, total: 2)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(!timedOut.withLock { $0 })
    }

    @Test func waitingForADeviceIsNoCostOfSelection() throws {
        let pool = Self.pool(1, replicas: 1) { _, _, _, _ in usleep(300_000) }
        let yaml = "{runs: 2, experiments: [{pruning_method: cluster, sizes: 40, ks: 2, selection_strategies: random}]}"
        let records = try run(pool, Heard(), yaml, in: TemporaryDirectory(), replicas: 1).records
        #expect(records.count == 2 && records.allSatisfy { $0.selectionSeconds < 0.2 })
    }

    @Test func artifactsAreMadeOnce() throws {
        let made = Locked<[(device: Int, name: String)]>([])
        let pool = DevicePool(host: FakeExecutor(), replicas: 4) {
            (0..<3).map { _ -> DeviceMaker in { seat in Recording(seat.number, made) } }
        }
        let results = try run(pool, in: TemporaryDirectory())
        #expect(try essence(results.records) == alone())
        // Two ks of three runs.
        #expect(made.withLock { $0 }.count == 6 && Set(made.withLock { $0 }.map(\.name)).count == 6)
    }

    /// A clustering does not wait for a training device while another device is idle.
    @Test func artifactsAreMadeOnADeviceThatIsIdle() throws {
        let made = Locked<[(device: Int, name: String)]>([])
        let timedOut = Locked(false)
        let pool = DevicePool(host: FakeExecutor(), replicas: 4) {
            (0..<2).map { _ -> DeviceMaker in
                { seat in
                    Recording(seat.number, made) {
                        // Trainings last until every clustering is made.
                        for _ in 0..<5_000 where made.withLock({ $0.count }) < 6 { usleep(1_000) }
                        if made.withLock({ $0.count }) < 6 { timedOut.withLock { $0 = true } }
                    }
                }
            }
        }
        let yaml = """
            {runs: 3, experiments: [{pruning_method: cluster, sizes: 40, ks: [2, 3], selection_strategies: random}]}
            """
        #expect(try essence(run(pool, Heard(), yaml, in: TemporaryDirectory()).records) == alone(yaml))
        #expect(!timedOut.withLock { $0 })
    }

    @Test func aFinishedStudyStartsNoDevice() throws {
        let temporary = try TemporaryDirectory()
        _ = try run(Self.pool(2), in: temporary)
        let pool = DevicePool(host: FakeExecutor()) { throw ComputeError.noDevice(reason: "nobody asked") }
        #expect(try run(pool, in: temporary).records.count == 57)
    }

    @Test func settingsAreTunedAsOnOneDevice() throws {
        let yaml = """
            {validation: 50, runs: 3, experiments: [{pruning_method: score, scores: el2n, sizes: [20, 40], keep: stratified,
             beta: [0, 0.1]}, {pruning_method: random, sizes: 30}]}
            """
        let results = try run(Self.pool(2), Heard(), yaml, in: TemporaryDirectory())
        #expect(try essence(results.records) == alone(yaml))
    }
}

/// An executor that records on which device artifacts are made.
private final class Recording: StudyExecutor {
    private let fake = FakeExecutor()
    private let number: Int
    private let made: Locked<[(device: Int, name: String)]>
    private let isFull: Bool

    init(
        _ number: Int, _ made: Locked<[(device: Int, name: String)]>, isFull: Bool = false,
        beforeTraining: @escaping () -> Void = {}
    ) {
        self.number = number
        self.made = made
        self.isFull = isFull
        fake.beforeTraining = { _, _, _ in beforeTraining() }
    }

    var device: String { fake.device }
    var suggestedReplicas: Int { fake.suggestedReplicas }
    func dataset(_ set: TrainingSet) throws -> StudyDataset { try fake.dataset(set) }
    func prepare(for recipe: TrainingRecipe, later: Set<TrainingRecipe>) { fake.prepare(for: recipe, later: later) }
    func make(_ key: ArtifactKey, from found: ScoreInput, cancellation: CancellationFlag) throws -> Artifact {
        if isFull { throw ComputeError.outOfMemory(label: "points", byteCount: 1, device: "fake device") }
        made.withLock { $0.append((number, key.kind.fileName)) }
        return try fake.make(key, from: found, cancellation: cancellation)
    }
    func train(_ jobs: [TrainingJob], cancellation: CancellationFlag) throws -> [TrainingOutcome] {
        try fake.train(jobs, cancellation: cancellation)
    }
}
