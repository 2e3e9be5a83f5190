import Foundation
import Studies
import Testing

#if canImport(Glibc)
    import Glibc

    /// A disk of 1 MiB, gone with the value; nil where this process may not mount one.
    private final class TinyDisk {
        let path: String

        init?() {
            path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
            guard mkdir(path, 0o700) == 0 else { return nil }
            guard mount("tmpfs", path, "tmpfs", 0, "size=1m,nr_inodes=200") == 0 else {
                rmdir(path)
                return nil
            }
        }

        deinit {
            umount2(path, Int32(MNT_DETACH))
            rmdir(path)
        }

        /// Takes all names that are left: not even an empty folder can be made then.
        func fillNames() {
            var count = 0
            while FileManager.default.createFile(atPath: "\(path)/name\(count)", contents: nil) { count += 1 }
        }

        func freeNames() throws {
            for name in try FileManager.default.contentsOfDirectory(atPath: path) where name.hasPrefix("name") {
                try FileManager.default.removeItem(atPath: "\(path)/\(name)")
            }
        }

        /// Takes all the room that is left.
        func fill() throws {
            var status = statvfs()
            guard statvfs(path, &status) == 0 else { return }
            let free = Int(status.f_bavail) * Int(status.f_bsize)
            try Data(count: free).write(to: URL(fileURLWithPath: path + "/filler"))
        }
    }

    @Suite struct FullDiskTests {
        /// Thirty lines more than fill the log's last page, so that part of them is written before the disk is full.
        /// Without the right to mount a disk there is nothing to test here; /dev/full has a test of its own.
        @Test func linesThatWereWrittenInPartAreTakenBack() throws {
            guard let disk = TinyDisk() else { return }
            let study = try study("{runs: 30, experiments: [{pruning_method: random, sizes: [3, 4]}]}")
            func run(_ executor: FakeExecutor, in path: String) throws -> StudyResults {
                try StudyRunner(study, directory: path, executor: executor, replicas: 30).run()
            }
            let whole = try run(FakeExecutor(), in: TemporaryDirectory().results)
            let results = disk.path + "/results"
            let executor = FakeExecutor()
            executor.beforeTraining = { count, _, _ in if count == 1 { try disk.fill() } }
            let error = studyError { _ = try run(executor, in: results) }
            #expect(error?.category == .writeFailed)
            #expect(error?.description.contains("No space left on device; what was finished before is kept") == true)
            let log = try Data(contentsOf: URL(fileURLWithPath: results + "/runs.jsonl"))
            #expect(log.last == UInt8(ascii: "\n"))
            let done = log.count { $0 == UInt8(ascii: "\n") }
            #expect(done == 30)
            try FileManager.default.removeItem(atPath: disk.path + "/filler")
            let second = FakeExecutor()
            #expect(essence(try run(second, in: results).records) == essence(whole.records))
            #expect(second.batches.reduce(0) { $0 + $1.count } == 30)
        }

        /// A disk that is full when a folder has to be made: at the start, and in the middle of a study.
        @Test func aFolderThatHasNoRoomIsAFailedWrite() throws {
            guard let disk = TinyDisk() else { return }
            let study = try study(
                """
                runs: 2
                experiments:
                  - {pruning_method: random, sizes: 3}
                  - {pruning_method: cluster, sizes: 5, ks: 2, use_pca: false, selection_strategies: closest}
                """)
            let whole = try StudyRunner(study, directory: TemporaryDirectory().results, executor: FakeExecutor()).run()
            let results = disk.path + "/results"
            disk.fillNames()
            let first = studyError {
                _ = try StudyRunner(study, directory: results, executor: FakeExecutor()).run()
            }
            #expect(first?.category == .writeFailed)
            #expect(
                first?.description.hasPrefix("\(results): writing failed: No space left on device; what was") == true)
            try disk.freeNames()
            let executor = FakeExecutor()
            executor.beforeTraining = { count, _, _ in if count == 0 { disk.fillNames() } }
            let second = studyError { _ = try StudyRunner(study, directory: results, executor: executor).run() }
            #expect(second?.category == .writeFailed)
            #expect(second?.description.hasPrefix("\(results)/clusterings/") == true)
            #expect(second?.description.contains("what was finished before is kept") == true)
            try disk.freeNames()
            let third = FakeExecutor()
            let finished = try StudyRunner(study, directory: results, executor: third).run()
            #expect(essence(finished.records) == essence(whole.records))
            #expect(third.batches.reduce(0) { $0 + $1.count } == 2)
        }
    }
#endif
