import Foundation
import Studies

/// The scripts that run a study under Slurm: a job array, one part of the study per task, and a job that makes the report.
struct SlurmScripts {
    /// Seconds before the end of a task's time at which it is asked to stop.
    static let notice = 120

    /// The program and its arguments, for the part of each task and for the report.
    var run: [String]
    var status: [String]
    var report: [String]
    /// The folder to run in.
    var folder: String
    /// The name of the jobs in the queue.
    var name: String
    /// Tasks of the array.
    var tasks: Int
    /// The largest number of times that a task is requeued.
    var restarts: Int
    /// Options of sbatch for the tasks, and for the report, such as `--time=60`.
    var taskOptions: [String]
    var reportOptions: [String]

    /// The script of a task.
    var task: String {
        heading(
            [
                "--job-name=\(name)", "--array=1-\(tasks)", "--requeue", "--signal=B:USR1@\(Self.notice)",
                "--open-mode=append",
            ] + taskOptions) + """
                # Slurm signals this script \(Self.notice) seconds before the time is up, and the script passes that on. Coppice stores what
                # is done and ends with 75, as it does where the device is lost; the task is then queued again, \(restarts) times at most.
                cd \(Shell.quoted(folder)) || exit 66
                child= signalled=
                trap 'signalled=yes; kill -USR1 "$child" 2>/dev/null' USR1
                \(Shell.command(run)) &
                child=$!
                # A signal may have come before that was known.
                [ -z "$signalled" ] || kill -USR1 "$child"
                # A signal ends `wait` before the program has ended.
                while :; do
                    signalled=
                    wait "$child"
                    status=$?
                    [ -n "$signalled" ] || break
                done
                restarts=${SLURM_RESTART_COUNT:-0}
                # 138: the signal came before the program could listen.
                if [ "$status" -eq 75 ] || [ "$status" -eq 138 ]; then
                    if [ "$restarts" -lt \(restarts) ]; then
                        echo "ended with $status and is queued again: restart $((restarts + 1)) of \(restarts)" >&2
                        scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
                    else
                        echo "ended with $status after $restarts restarts, the most that this script allows" >&2
                    fi
                fi
                exit "$status"

                """
    }

    /// The script of the report.
    var reportJob: String {
        heading(["--job-name=\(name)-report"] + reportOptions) + """
            cd \(Shell.quoted(folder)) || exit 66
            \(Shell.command(status))
            exec \(Shell.command(report))

            """
    }

    /// Options of sbatch for the report of an array. It runs however the tasks end. A report that waited for success would
    /// wait for ever after one failure.
    static func dependency(on job: String) -> String { "--dependency=afterany:\(job)" }

    /// A script that submits both.
    var submission: String {
        """
        #!/bin/sh
        # Submits a study to Slurm in \(tasks) parts, and its report. Written by coppice \(Coppice.version).
        set -e

        task() {
            cat <<'END_OF_TASK'
        \(task)END_OF_TASK
        }

        report() {
            cat <<'END_OF_REPORT'
        \(reportJob)END_OF_REPORT
        }

        job=$(task | sbatch --parsable)
        job=${job%%;*}
        echo "tasks: job $job"
        # However the tasks end: the report lists what is missing.
        job=$(report | sbatch --parsable \(Self.dependency(on: "\"$job\"")))
        echo "report: job ${job%%;*}"

        """
    }

    private func heading(_ options: [String]) -> String {
        "#!/bin/bash\n" + options.map { "#SBATCH \($0)\n" }.joined()
    }
}
