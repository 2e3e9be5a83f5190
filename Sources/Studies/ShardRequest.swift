import Support

/// The part of a study that `--shard` asks for.
package enum ShardRequest: Equatable, Sendable {
    /// This one.
    case part(Shard)
    /// The part of this process's task in a job array: of `count` parts, or of as many as the array has tasks.
    case task(count: Int?)

    /// A part written as `i/n`, `auto` or `auto/n`.
    /// - Throws: ``Sentence`` that says what is accepted.
    package init(written text: String) throws(Sentence) {
        if text == "auto" {
            self = .task(count: nil)
        } else if text.hasPrefix("auto/") {
            do throws(Sentence) {
                self = .task(count: try DecimalNumber.whole(String(text.dropFirst(5)), in: 1...Shard.mostShards))
            } catch {
                throw Sentence("\(Self.accepted): \(error)")
            }
        } else {
            self = .part(try Shard(written: text))
        }
    }

    static let accepted =
        "i/n is accepted, i from 1 to n and n up to \(Shard.mostShards), such as 1/4, and in a job array auto or auto/n"

    /// The part, which the variables of the batch system decide where the request leaves it to them.
    ///
    /// `auto` numbers the tasks of a Slurm array from its first in its steps. So does `auto/n` for an array of n tasks; in
    /// any other, such as one of the tasks that failed, task i has part i. PBS and Grid Engine have part i in task i, and
    /// Kubernetes in the pod with index i - 1.
    /// - Parameter directory: the study's, which may have been begun in another number of parts.
    /// - Throws: ``Sentence`` where there is no such task, and for `auto` where the directory was begun in other parts.
    package func shard(
        in directory: String, environment: EnvironmentVariables = .process
    ) throws(Sentence) -> Shard {
        switch self {
        case .part(let shard): return shard
        case .task(nil):
            guard let array = try SlurmArray(environment) else {
                throw Sentence(
                    "a Slurm job array is needed (SLURM_ARRAY_TASK_ID is not set); auto/n is accepted under PBS, Grid Engine and"
                        + " Kubernetes too, and i/n everywhere")
            }
            guard let count = array.count else {
                throw Sentence(
                    "SLURM_ARRAY_TASK_COUNT is needed, which is not set; auto/n says how many parts there are")
            }
            if let before = StudyDirectory.shardCount(of: directory), before != count {
                throw Sentence(
                    "\(directory) was begun in \(describeCount(before, "part")), and this array has"
                        + " \(describeCount(count, "task")): auto/\(before) goes on with those, part i in task i, and"
                        + " auto/\(count) divides the study anew")
            }
            guard let shard = array.index.flatMap({ Shard(index: $0, count: count) }) else {
                throw Sentence(
                    "SLURM_ARRAY_TASK_ID \(array.task) is no part of \(count), counted from"
                        + " SLURM_ARRAY_TASK_MIN \(array.first) in steps of \(array.step); an array without gaps is"
                        + " accepted, of up to \(Shard.mostShards) tasks, such as --array=1-\(min(count, Shard.mostShards)),"
                        + " or auto/n with part i in task i")
            }
            return shard
        case .task(let count?):
            let task = try Self.task(of: count, environment)
            guard let index = task.index, let shard = Shard(index: index, count: count) else {
                throw Sentence(
                    "\(task.variable) is \(task.value), which is no part of \(count); "
                        + (task.isFromZero
                            ? "indices from 0 to \(count - 1) are accepted" : "tasks from 1 to \(count) are accepted"))
            }
            return shard
        }
    }

    /// A task as its batch system numbers it, and the part that this comes to.
    private struct Task {
        var variable: String
        var value: Int
        var index: Int?
        var isFromZero = false
    }

    private static func task(of count: Int, _ environment: EnvironmentVariables) throws(Sentence) -> Task {
        if let array = try SlurmArray(environment) {
            return Task(
                variable: "SLURM_ARRAY_TASK_ID", value: array.task,
                index: array.count == count ? array.index : array.task)
        }
        for variable in ["PBS_ARRAY_INDEX", "SGE_TASK_ID"] {
            // Grid Engine says so in jobs that are no arrays.
            guard environment[variable] != "undefined", let value = try number(variable, environment) else { continue }
            return Task(variable: variable, value: value, index: value)
        }
        if let value = try number("JOB_COMPLETION_INDEX", environment) {
            return Task(variable: "JOB_COMPLETION_INDEX", value: value, index: value + 1, isFromZero: true)
        }
        throw Sentence(
            "a job array is needed, and none of SLURM_ARRAY_TASK_ID, PBS_ARRAY_INDEX, SGE_TASK_ID and"
                + " JOB_COMPLETION_INDEX is set; i/\(count) is accepted everywhere")
    }

    /// A variable's whole number from 0; nil where it is unset.
    fileprivate static func number(_ variable: String, _ environment: EnvironmentVariables) throws(Sentence) -> Int? {
        guard let text = environment[variable] else { return nil }
        do throws(Sentence) {
            return try DecimalNumber.whole(text, in: 0...Int(Int32.max))
        } catch {
            throw Sentence("\(variable) is '\(excerpt(text))': \(error)")
        }
    }
}

/// The task of a Slurm job array that this process is.
private struct SlurmArray {
    let task: Int
    let first: Int
    let step: Int
    /// Tasks in the array; nil where Slurm does not say.
    let count: Int?

    /// Which task of the array, from 1; nil where the steps do not lead there.
    var index: Int? {
        let (steps, rest) = (task - first).quotientAndRemainder(dividingBy: step)
        return rest == 0 && steps >= 0 ? steps + 1 : nil
    }

    /// Nil outside an array.
    init?(_ environment: EnvironmentVariables) throws(Sentence) {
        guard let task = try ShardRequest.number("SLURM_ARRAY_TASK_ID", environment) else { return nil }
        self.task = task
        first = try ShardRequest.number("SLURM_ARRAY_TASK_MIN", environment) ?? 1
        step = try ShardRequest.number("SLURM_ARRAY_TASK_STEP", environment) ?? 1
        guard step > 0 else {
            throw Sentence("the environment variable SLURM_ARRAY_TASK_STEP is 0; a whole number above 0 is needed")
        }
        count = try ShardRequest.number("SLURM_ARRAY_TASK_COUNT", environment)
    }
}
