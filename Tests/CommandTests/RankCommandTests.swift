import Datasets
import Ranks
import Testing
import TestSupport

@testable import coppice

/// `coppice cluster`, `select` and `dedup` with the environment variables of an MPI launcher, but without one; tools/check-mpi
/// runs real launchers.
@Suite struct RankCommandTests {
    private func arguments(_ folder: TemporaryFolder) throws -> [String] {
        try NumPy.write((0..<60).map { Float($0 % 7) }, shape: [20, 3], to: folder / "X.npy")
        return [
            "cluster", "--features", folder / "X.npy", "--k", "2", "--kmeans", "lloyd", "--device", "cpu", "--quiet",
        ]
    }

    @Test func aLauncherWithoutALibraryIsRefused() throws {
        let folder = try TemporaryFolder()
        let outcome = try coppice(
            arguments(folder),
            environment: ["OMPI_COMM_WORLD_SIZE": "2", "COPPICE_MPI": "/nonexistent/libmpi.so"])
        expectComplaint(
            outcome, code: 69, mentions: ["OMPI_COMM_WORLD_SIZE=2", "/nonexistent/libmpi.so", "COPPICE_MPI=none"])
    }

    @Test func everyProcessRunsOnItsOwnWhereThatIsWanted() throws {
        let folder = try TemporaryFolder()
        let outcome = try coppice(
            arguments(folder) + ["--json"], environment: ["OMPI_COMM_WORLD_SIZE": "2", "COPPICE_MPI": "none"])
        #expect(outcome.status == 0, "\(outcome.stderr)")
        #expect(try outcome.json()["ranks"] == nil)
    }

    /// Several processes of one launcher would all write the same files.
    @Test(arguments: ["select", "dedup"]) func otherCommandsJoinTheirRanksToo(command: String) throws {
        let folder = try TemporaryFolder()
        let more = command == "select" ? ["--strategy", "closest", "--size", "5"] : ["--eps", "0.1"]
        let arguments = [command] + (try self.arguments(folder).dropFirst()) + more + ["--out", folder / "kept.npy"]
        let refused = try coppice(
            arguments, environment: ["OMPI_COMM_WORLD_SIZE": "2", "COPPICE_MPI": "/nonexistent/libmpi.so"])
        expectComplaint(refused, code: 69, mentions: ["OMPI_COMM_WORLD_SIZE=2", "/nonexistent/libmpi.so"])
        let alone = try coppice(
            arguments + ["--json"], environment: ["OMPI_COMM_WORLD_SIZE": "2", "COPPICE_MPI": "none"])
        #expect(alone.status == 0, "\(alone.stderr)")
        #expect(try alone.json()["ranks"] == nil)
    }

    @Test func aVariableThatIsNoNumberIsRefused() throws {
        let folder = try TemporaryFolder()
        let outcome = try coppice(arguments(folder), environment: ["PMI_SIZE": "many"])
        expectComplaint(outcome, code: 64, mentions: ["PMI_SIZE", "many", "a whole number"])
    }

    @Test func ranksTakeTheDevicesOfTheirHosts() throws {
        func offer(_ host: Int, _ identities: [String], isShareable: Bool = false) -> DeviceOffer {
            DeviceOffer(host: host, isShareable: isShareable, identities: identities)
        }
        let gpus = ["number 0", "number 1"]
        let offers = [offer(0, gpus), offer(7, [], isShareable: true), offer(0, ["a b"])]
        #expect(offers.map { DeviceOffer($0.bytes[...]) } == offers)
        #expect(try DeviceOffer.numbers([offer(0, gpus), offer(0, gpus)], spec: "gpu") == [0, 1])
        // Ranks of two hosts in turn.
        #expect(
            try DeviceOffer.numbers([offer(0, gpus), offer(1, gpus), offer(0, gpus), offer(1, gpus)], spec: "gpu")
                == [0, 0, 1, 1])
        #expect(try DeviceOffer.numbers([offer(0, ["a"]), offer(0, ["b"])], spec: "gpu") == [0, 0])
        let processors = offer(0, gpus, isShareable: true)
        #expect(try DeviceOffer.numbers([processors, processors, processors], spec: "opencl-cpu") == [0, 1, 0])
        let builtIn = offer(0, [], isShareable: true)
        #expect(try DeviceOffer.numbers([builtIn, builtIn], spec: "cpu") == [0, 0])
        let error = #expect(throws: SharedRefusal.self) {
            try DeviceOffer.numbers([offer(0, gpus), offer(1, gpus), offer(1, gpus), offer(1, gpus)], spec: "gpu")
        }
        #expect(error?.failure.exitCode == 69)
        #expect(
            error?.failure.message
                == "rank 3 has no device: the 3 ranks of its host have 2 devices for --device gpu, and each needs one of its "
                + "own; start at most 2 per host, or give --device opencl-cpu")
    }

    @Test func anErrorOfOneRankIsThatOfAll() throws {
        let alone = Communicator()
        #expect(try alone.sharingFailures { 7 } == 7)
        let error = #expect(throws: SharedRefusal.self) {
            try alone.sharingFailures { throw Failure("X.npy: it is gone", exitCode: 66) }
        }
        #expect(error?.failure.exitCode == 66 && error?.failure.message == "X.npy: it is gone")
        #expect(Failure(SharedRefusal("no", exitCode: 65))?.exitCode == 65)
    }
}
