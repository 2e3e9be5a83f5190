import Support
import Testing

@testable import Ranks

@Suite struct LauncherTests {
    /// Variables as each launcher sets them, the ranks that they say and the first library to try.
    @Test(arguments: [
        (["OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "1", "PMIX_RANK": "1"], 4, true, "libmpi.so.40"),
        (["PMI_SIZE": "3", "PMI_RANK": "0", "MPI_LOCALNRANKS": "2"], 3, true, "libmpi.so.12"),
        (["SLURM_STEP_NUM_TASKS": "5", "SLURM_NTASKS": "5", "PMI_RANK": "2"], 5, true, "libmpi.so.12"),
        (["SLURM_STEP_NUM_TASKS": "5", "PMIX_RANK": "2"], 5, true, "libmpi.so.40"),
        // mpirun inside a job of Slurm on two hosts.
        (["SLURM_STEP_NUM_TASKS": "2", "OMPI_COMM_WORLD_SIZE": "8"], 8, true, "libmpi.so.40"),
        (["MPI_LOCALNRANKS": "2"], 2, false, "libmpi.so.12"),
        (["PMIX_RANK": "6"], 7, false, "libmpi.so.40"),
        (["PMIX_RANK": "0"], 1, false, "libmpi.so.40"),
    ])
    func launchersAreKnownByTheirVariables(
        variables: [String: String], ranks: Int, isExact: Bool, library: String
    ) throws {
        let launcher = try #require(try Launcher.detect(EnvironmentVariables(variables)))
        #expect(launcher.ranks == ranks && launcher.isExact == isExact)
        #expect(launcher.libraries.first == library)
        #expect(launcher.libraries.contains("libmpi_abi.so.1"))
        #expect(Set(launcher.libraries).count == launcher.libraries.count)
    }

    /// The script of a batch job is one process, whatever the job may start.
    @Test func aBatchJobIsNoLauncher() throws {
        #expect(try Launcher.detect(["SLURM_NTASKS": "64", "SLURM_PROCID": "0", "SLURM_JOB_ID": "7"]) == nil)
        #expect(try Launcher.detect([:]) == nil)
    }

    @Test(arguments: [
        ("OMPI_COMM_WORLD_SIZE", "four", 1), ("PMI_SIZE", "0", 1), ("PMI_SIZE", "99999999999", 1),
        ("SLURM_STEP_NUM_TASKS", "2.5", 1), ("PMIX_RANK", "-1", 0),
    ])
    func aNumberThatCannotBeIsRefused(name: String, value: String, least: Int) {
        #expect(
            throws: RanksError.badVariable(name: name, value: value, accepted: "a whole number from \(least)")
        ) { try Launcher.detect(EnvironmentVariables([name: value])) }
    }
}

@Suite struct LibraryTests {
    @Test func withoutALauncherNoLibraryIsLoaded() throws {
        for variables: EnvironmentVariables in [
            [:], ["OMPI_COMM_WORLD_SIZE": "1"], ["OMPI_COMM_WORLD_SIZE": "4", "COPPICE_MPI": "none"],
        ] {
            let communicator = try Communicator.join(variables)
            #expect(communicator.size == 1 && communicator.rank == 0 && communicator.library == nil)
        }
    }

    @Test func aMissingLibraryIsNamedWithWhatWouldDo() throws {
        let error = try #require(throws: RanksError.self) {
            try Communicator.join(["PMI_SIZE": "4", "COPPICE_MPI": "/no/such/libmpi.so"])
        }
        guard case .libraryMissing(let launcher, ["/no/such/libmpi.so"], let reason) = error else {
            Issue.record(error)
            return
        }
        #expect(launcher == "PMI_SIZE=4 says that this is one of 4 ranks" && reason.contains("/no/such/libmpi.so"))
        #expect(error.description.contains("COPPICE_MPI=none") && error.category == .unavailable)
    }

    @Test(arguments: [("PMI_SIZE=2", "use the mpirun of this library"), ("SLURM_STEP_NUM_TASKS=2", "srun --mpi=list")])
    func theWrongLauncherIsNamedWithWhatWouldDo(variable: String, remedy: String) {
        let error = RanksError.otherLauncher(launcher: "\(variable) says", library: "libmpi.so.40", ranks: 1)
        #expect(error.description.hasPrefix("\(variable) says, but libmpi.so.40 finds this process alone: "))
        #expect(error.description.contains(remedy) && error.category == .usage)
    }

    @Test func aLibraryWithoutMPILacksItsFirstFunction() {
        #expect(throws: RanksError.functionMissing(name: "MPI_Init_thread", library: "libm.so.6")) {
            try Communicator.join(["PMI_SIZE": "4", "COPPICE_MPI": "libm.so.6"])
        }
    }

    /// A library that is named is wanted, even where no launcher is known.
    @Test func aNamedLibraryIsLoadedWithoutALauncher() {
        #expect(throws: RanksError.functionMissing(name: "MPI_Init_thread", library: "libm.so.6")) {
            try Communicator.join(["COPPICE_MPI": "libm.so.6"])
        }
    }
}
