"""Kills a rank of a clustering at a random moment, again and again; tools/check-mpi --kills says what is checked."""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rank_checks import FILES, alone, differences, environment, marked, write_noise

# Plain; with principal components; with k-means||, which takes a while before the first iteration.
KINDS = ((), ("--pca", "6"), ("--start", "kmeans-parallel"))
LAUNCHERS = {"openmpi": ("mpirun.openmpi", "--bind-to", "none"), "mpich": ("mpirun.mpich",)}
# Ranks whose peer is gone must have ended after so many seconds, and a clustering too.
LONGEST_END, LONGEST_RUN = 30, 120


class Kills:
    def __init__(self, program: str, work: Path, moments: random.Random) -> None:
        self.program, self.work, self.moments = program, work, moments
        self.mark = f"COPPICE_CHECK_KILLS={os.getpid()}-{work.name}"
        moments_of_a_run = "before the first checkpoint", "between checkpoints", "while files were written", "after the end"
        self.moment = dict.fromkeys(moments_of_a_run, 0)
        self.kills = 0
        write_noise(work / "X.npy", rows=40_000, columns=16, seed=5)
        self.seconds: dict[tuple[str, int], float] = {}
        for number, kind in enumerate(KINDS):
            alone(program, *self.arguments(kind), "--out", str(work / f"alone{number}"))

    def arguments(self, kind: tuple[str, ...]) -> list[str]:
        return ["cluster", "--features", str(self.work / "X.npy"), "--k", "200", "--kmeans", "lloyd",
                "--iterations", "25", "--device", "cpu", *kind]

    def start(self, mpi: str, ranks: int, arguments: list[str]) -> subprocess.Popen:
        name, _, value = self.mark.partition("=")
        with open(self.work / "out", "w") as out, open(self.work / "err", "w") as err:
            return subprocess.Popen(
                [*LAUNCHERS[mpi], "-n", str(ranks), self.program, *arguments], env=environment(**{name: value}),
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=self.work,
            )

    def errors(self) -> str:
        return (self.work / "err").read_text(errors="replace")

    def expect(self, holds: bool, sentence: str) -> None:
        if not holds:
            for process in marked(self.mark):
                os.kill(process, signal.SIGKILL)
            sys.exit(f"check-mpi: {self.now}: {sentence}; its stderr:\n{self.errors()}")

    def finish(self, process: subprocess.Popen, limit: float) -> int:
        """Waits for the launcher and then for everything that it started; returns its status."""
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            self.expect(False, f"it has not ended after {limit} s: {marked(self.mark)}")
        until = time.monotonic() + 10
        while (left := marked(self.mark)) and time.monotonic() < until:
            time.sleep(0.02)
        self.expect(not left, f"processes are left: {left}")
        return status

    def undisturbed(self, mpi: str, kind: int) -> float:
        """The seconds that the launcher takes with three ranks."""
        if (mpi, kind) not in self.seconds:
            self.now = f"{mpi}, 3 ranks, undisturbed"
            start = time.monotonic()
            process = self.start(mpi, 3, [*self.arguments(KINDS[kind]), "--out", str(self.work / "whole"),
                                          "--checkpoint-every", "0"])
            self.expect(self.finish(process, LONGEST_RUN) == 0, "it failed")
            self.seconds[mpi, kind] = time.monotonic() - start
            shutil.rmtree(self.work / "whole")
        return self.seconds[mpi, kind]

    def killed(self, mpi: str, ranks: int, kind: int, duration: float, out: Path, more: list[str]) -> None:
        """Starts a clustering and kills one of its ranks."""
        process = self.start(
            mpi, ranks, [*self.arguments(KINDS[kind]), "--out", str(out), "--checkpoint-every", "0", *more])
        begin = time.monotonic()
        if self.moments.random() < 0.3:
            # The files are written within milliseconds: their folder has to be seen. Rank 0 writes them.
            while process.poll() is None and not any(out.glob(".*.tmp")):
                time.sleep(0.0005)
            time.sleep(self.moments.random() * 0.003)
            first = True
        else:
            time.sleep(self.moments.random() * 1.1 * duration)
            first = False
        victims = [number for number, name in marked(self.mark).items() if name == Path(self.program).name[:15]]
        # Numbers of processes rise in the order of the ranks, nearly always.
        victim = (min(victims) if first else self.moments.choice(victims)) if victims else None
        if victim is not None:
            try:
                os.kill(victim, signal.SIGKILL)
                self.kills += 1
            except ProcessLookupError:
                victim = None
        seconds = time.monotonic() - begin
        status = self.finish(process, LONGEST_END if victim else LONGEST_RUN)
        names = {entry.name for entry in out.iterdir()} if out.is_dir() else set()
        self.expect(
            status != 0 or names >= set(FILES), f"it ended with 0 after {seconds:.2f} s, and has written {sorted(names)}")
        # Of three or four ranks one was killed; the launcher has to say so, and the others need not.
        sentences = [line for line in self.errors().splitlines() if line.startswith("coppice: ")]
        self.expect(len(sentences) <= 1, "there is more than one sentence")
        for name in ("labels.npy", "clustering.checkpoint"):
            self.expect(name not in names or (out / name).stat().st_size > 0, f"{name} is empty")
        if status == 0:
            self.moment["after the end"] += 1
        elif any(name.startswith(".") for name in names) or "labels.npy" in names:
            self.moment["while files were written"] += 1
        elif "clustering.checkpoint" in names:
            self.moment["between checkpoints"] += 1
        else:
            self.moment["before the first checkpoint"] += 1

    def round(self, number: int) -> None:
        mpi = ("openmpi", "mpich")[number % 2]
        kind = self.moments.randrange(len(KINDS))
        out = self.work / "ranks"
        more: list[str] = []
        duration = self.undisturbed(mpi, kind)
        while True:
            ranks = self.moments.choice((3, 4))
            options = " ".join((*KINDS[kind], *more))
            self.now = f"clustering {number + 1}, {mpi}, {ranks} ranks {options}".rstrip()
            self.killed(mpi, ranks, kind, duration, out, more)
            more = ["--resume"]
            # One in four is killed a second time.
            if self.moments.random() < 0.75:
                break
        ranks = self.moments.choice([other for other in (1, 2, 3, 4, 5) if other != ranks])
        mpi = self.moments.choice(("openmpi", "mpich"))
        self.now = f"clustering {number + 1} resumed, {mpi}, {ranks} ranks {' '.join(KINDS[kind])}"
        process = self.start(mpi, ranks, [*self.arguments(KINDS[kind]), "--out", str(out), "--resume", "--quiet"])
        status = self.finish(process, LONGEST_RUN)
        self.expect(status == 0, f"it ended with {status}")
        wrong = differences(out, self.work / f"alone{kind}")
        self.expect(not wrong, f"other files than by one process: {', '.join(wrong)}")
        shutil.rmtree(out)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--kills", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="check-kills-") as work:
        kills = Kills(os.path.abspath(arguments.program), Path(work), random.Random(arguments.seed))
        for number in range(arguments.kills):
            kills.round(number)
        # A kill may come too late, but not most of the time.
        if 2 * kills.kills < arguments.kills:
            raise SystemExit(f"check-mpi: only {kills.kills} ranks of {arguments.kills} clusterings could be killed")
        moments = ", ".join(f"{count} {moment}" for moment, count in kills.moment.items() if count)
        print(f"check-mpi: ranks of {arguments.kills} clusterings were killed ({moments}), and --resume has the files of one "
              "process", file=sys.stderr)


if __name__ == "__main__":
    main()
