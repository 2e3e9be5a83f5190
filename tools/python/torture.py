"""Kills a study at random moments; tools/torture says what is checked."""

import argparse
import csv
import json
import os
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STUDY = """\
dataset: shapes
runs: 6
steps: 1
batch_size: 8
kmeans: lloyd
experiments:
  - {pruning_method: none}
  - {pruning_method: random, sizes: [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]}
  - pruning_method: cluster
    sizes: [8, 12, 16]
    ks: [2, 3]
    use_pca: [true, false]
    pca_components: 4
    selection_strategies: [closest, furthest]
"""
FINISHED = re.compile(r"^\[\d+/\d+\] (.*), (\d+) kept, run (\d+): ", re.M)
# What a run's row says besides the time it took and who shared its launch.
TIMES = {"time", "selection_seconds", "training_seconds", "evaluation_seconds", "replicas"}


def write_data(folder: Path, moments: random.Random) -> None:
    """Twenty-four training and twelve test images of 8x8, bright in one half or the other."""
    folder.mkdir()
    for part, count in (("train", 24), ("t10k", 12)):
        labels = bytes(index % 2 for index in range(count))
        pixels = bytes(
            moments.randrange(100) + (150 if (pixel < 32) == (label == 0) else 0)
            for label in labels
            for pixel in range(64)
        )
        (folder / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 2051, count, 8, 8) + pixels)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 2049, count) + labels)


class Torture:
    def __init__(self, program: str, work: Path, shards: int, moments: random.Random) -> None:
        self.program, self.work, self.shards, self.moments = program, work, shards, moments
        write_data(work / "data", moments)
        (work / "study.yaml").write_text(STUDY)
        start = time.monotonic()
        said = self.finish("reference")
        self.seconds = time.monotonic() - start
        lines = (work / "reference" / "runs.jsonl").read_text().splitlines()
        # One process reports runs in the order of its log, which tells the experiment behind a reported line.
        self.runs = {}
        for key, line in zip(FINISHED.findall(said), lines, strict=True):
            record = json.loads(line)
            self.runs[key] = (record["experiment_id"], record["run_id"])
        assert len(self.runs) == len(lines), "two runs are reported alike"
        self.rows = self.table("reference")

    def command(self, out: str, shard: str | None = None) -> list[str]:
        more = ["--shard", shard] if shard else []
        study, data = str(self.work / "study.yaml"), str(self.work / "data")
        return [self.program, "run", study, "--data", data, "--out", str(self.work / out), "--device", "cpu",
                "--replicas", "2", *more]

    def finish(self, out: str) -> str:
        ended = subprocess.run(self.command(out), capture_output=True, text=True)
        assert ended.returncode == 0, f"an undisturbed run ended with {ended.returncode}: {ended.stderr}"
        return ended.stderr

    def table(self, out: str) -> list[dict[str, str]]:
        with open(self.work / out / "results.csv", newline="") as file:
            return [{k: v for k, v in row.items() if k not in TIMES} for row in csv.DictReader(file)]

    def logged(self, out: str) -> dict[tuple[int, int], str]:
        """The whole lines of all logs, by run."""
        found: dict[tuple[int, int], str] = {}
        # The log of all last: lines move there.
        for file in [*sorted((self.work / out).glob("runs.*-of-*.jsonl")), self.work / out / "runs.jsonl"]:
            text = file.read_text() if file.exists() else ""
            for line in text.split("\n")[:-1]:
                record = json.loads(line)
                run = (record["experiment_id"], record["run_id"])
                assert found.setdefault(run, line) == line, f"run {run} stands in the logs with two results"
        return found

    def kill(self, out: str, finished: dict[tuple[int, int], str]) -> tuple[int, int]:
        """Starts the study's processes, and kills each at a moment of its own. Adds what they reported to `finished`.
        Returns how many were killed and how many ended by themselves."""
        names = [f"{i + 1}/{self.shards}" for i in range(self.shards)] if self.shards > 1 else [None]
        ended = 0
        processes = []
        for name in names:
            stderr = tempfile.TemporaryFile("w+")
            process = subprocess.Popen(self.command(out, name), stdout=subprocess.DEVNULL, stderr=stderr)
            processes.append((self.moments.uniform(0, 0.5 * self.seconds), process, stderr))
        start = time.monotonic()
        for moment, process, _ in sorted(processes, key=lambda entry: entry[0]):
            time.sleep(max(0, start + moment - time.monotonic()))
            process.send_signal(signal.SIGKILL)
        for _, process, stderr in processes:
            status = process.wait()
            stderr.seek(0)
            said = stderr.read()
            assert status in (0, -signal.SIGKILL), f"a process ended with {status}: {said}"
            ended += status == 0
            for key in FINISHED.findall(said):
                run = self.runs[key]
                assert run not in finished, f"run {run} was finished, and is finished again"
                finished[run] = ""
        logged = self.logged(out) if (self.work / out).exists() else {}
        for run, line in finished.items():
            assert run in logged, f"run {run} was reported as finished and is lost"
            assert line in ("", logged[run]), f"run {run} was finished, and is another now"
            finished[run] = logged[run]
        # Runs that were on the disk when the kill came before the report are finished as well.
        finished.update(logged)
        if (self.work / out / "study.yaml").exists():
            status = subprocess.run(
                [self.program, "status", str(self.work / out), "--json"], capture_output=True, text=True)
            assert status.returncode == 0, f"status: {status.stderr}"
            assert json.loads(status.stdout)["finished"] == len(logged), "status counts otherwise"
        return len(processes) - ended, ended

    def compare(self, out: str, finished: dict[tuple[int, int], str]) -> int:
        """Lets a study come to its end, and holds it against the undisturbed one. Returns how many runs were left."""
        said = FINISHED.findall(self.finish(out))
        repeated = [key for key in said if self.runs[key] in finished]
        assert not repeated, f"finished runs were repeated: {repeated}"
        logged = self.logged(out)
        assert all(logged[run] == line for run, line in finished.items()), "a finished run is another now"
        assert self.table(out) == self.rows, f"{out}: the results differ from an undisturbed study's"
        left = [file.name for file in (self.work / out).rglob("*-of-*")]
        assert not left, f"{out}: left behind: {left}"
        return len(said)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        torture = Torture(os.path.abspath(options.program), Path(work), options.shards, random.Random(options.seed))
        print(f"{len(torture.runs)} runs, {torture.seconds:.2f} s undisturbed", flush=True)
        kills = studies = 0
        while kills < options.kills:
            studies += 1
            out = f"study{studies}"
            finished: dict[tuple[int, int], str] = {}
            sessions = 0
            while kills < options.kills and len(finished) < len(torture.runs):
                sessions += 1
                killed, _ = torture.kill(out, finished)
                kills += killed
            survived = len(finished)
            left = torture.compare(out, finished)
            print(f"study {studies}: {sessions} sessions, {kills} kills so far; {survived} runs survived them, "
                  f"{left} were left; the same results", flush=True)
        print(f"{kills} kills in {studies} studies: nothing finished was lost or repeated")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AssertionError as error:
        print(f"torture: {error}", file=sys.stderr)
        sys.exit(1)
