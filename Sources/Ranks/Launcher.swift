import Support

/// The program that started this process as one rank of several, known by the environment variables that it set.
///
/// Open MPI's mpirun refuses to start as root, as in most containers, unless `OMPI_ALLOW_RUN_AS_ROOT` and
/// `OMPI_ALLOW_RUN_AS_ROOT_CONFIRM` are both 1.
package struct Launcher: Equatable, Sendable {
    /// An MPI whose libraries the launcher's ranks can use.
    package enum Family: Sendable {
        case openMPI, mpich

        /// Names of its libraries, the first choice first: its own ABI, then the standard one, which may be another MPI's.
        /// Debian calls MPICH's libmpich.so.12.
        var libraries: [String] {
            switch self {
            case .openMPI: ["libmpi.so.40"] + standard
            case .mpich: ["libmpi.so.12", "libmpich.so.12"] + standard
            }
        }
        private var standard: [String] { ["libmpi_abi.so.1", "libmpi_abi.so.0"] }
    }

    /// The variable that states the number of ranks.
    package let variable: String
    package let value: String
    /// Ranks; the least possible number where ``isExact`` is false.
    package let ranks: Int
    package let isExact: Bool
    /// The families to try, in order.
    package let families: [Family]

    /// The libraries to try, in order.
    package var libraries: [String] {
        var names: [String] = []
        for name in families.flatMap(\.libraries) where !names.contains(name) { names.append(name) }
        return names
    }

    /// The start of a sentence about it.
    var text: String {
        "\(variable)=\(value) says that this is one of \(isExact ? "\(ranks) ranks" : "at least \(ranks) ranks")"
    }

    /// The launcher that these variables are of; nil where none of them is set.
    ///
    /// Variables of MPIs come before Slurm's: an mpirun inside a Slurm job starts its helpers by srun, whose variables the
    /// ranks inherit. `SLURM_NTASKS` is not among them, since the script of a batch job has it too, which is one process.
    /// - Throws: ``RanksError/badVariable(name:value:accepted:)``.
    package static func detect(_ environment: EnvironmentVariables) throws(RanksError) -> Launcher? {
        let usesPMIx = environment["PMIX_RANK"] != nil
        let slurm: [Family] = usesPMIx ? [.openMPI, .mpich] : [.mpich, .openMPI]
        let sizes: [(variable: String, families: [Family])] = [
            ("OMPI_COMM_WORLD_SIZE", [.openMPI]),
            ("PMI_SIZE", [.mpich, .openMPI]),
            ("MV2_COMM_WORLD_SIZE", [.mpich]),
            ("SLURM_STEP_NUM_TASKS", slurm),
        ]
        for (variable, families) in sizes {
            guard let ranks = try number(variable, from: 1, environment) else { continue }
            return Launcher(
                variable: variable, value: "\(ranks)", ranks: ranks, isExact: true, families: families)
        }
        // These leave the number open: the ranks of this host, and the number of this rank.
        if let ranks = try number("MPI_LOCALNRANKS", from: 1, environment) {
            return Launcher(
                variable: "MPI_LOCALNRANKS", value: "\(ranks)", ranks: ranks, isExact: false, families: [.mpich])
        }
        if let rank = try number("PMIX_RANK", from: 0, environment) {
            return Launcher(
                variable: "PMIX_RANK", value: "\(rank)", ranks: rank + 1, isExact: false, families: slurm)
        }
        return nil
    }

    private static func number(_ name: String, from least: Int, _ environment: EnvironmentVariables)
        throws(RanksError) -> Int?
    {
        guard let value = environment[name] else { return nil }
        guard let number = Int32(value), number >= least, number < Int32.max else {
            throw .badVariable(name: name, value: value, accepted: "a whole number from \(least)")
        }
        return Int(number)
    }
}
