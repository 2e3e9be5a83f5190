import Datasets
import Testing
import TestSupport

@testable import coppice

/// `coppice cluster`, `select` and `dedup` under the variables of a launcher of MPI, without one: tools/check-mpi has real ones.
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
}
