"""Runs `coppice verify` on mutants of the kernels; tools/mutate runs it and has its help."""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import mutants

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPPICE = ROOT / ".build" / "release" / "coppice"
KERNELS = ROOT / "Kernels"
EQUIVALENT = ROOT / "tools" / "mutate.d" / "equivalent.tsv"
PROFILES = ("cpu16", "gpu", "cpu8", "cpu4")


def kernel_file(name):
    header = KERNELS / f"{name}.clh"
    return header if header.exists() else KERNELS / f"{name}.cl"


def equivalent_mutants():
    """{mutant's key: reason} from the list."""
    reasons = {}
    for number, line in enumerate(EQUIVALENT.read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 4:
            sys.exit(f"mutate: {EQUIVALENT}:{number} has {len(fields)} fields; kernel, before, after, reason are wanted")
        reasons[tuple(fields[:3])] = fields[3]
    return reasons


class Verifier:
    """Runs verify with a changed copy of the kernels and says what came of it."""

    def __init__(self, scratch):
        self.scratch = pathlib.Path(scratch)
        # A copy, so that a build in the meantime changes nothing.
        self.coppice = shutil.copy(COPPICE, scratch)
        self.durations = {}
        self.local = threading.local()

    def folder(self):
        """This thread's copy of the kernels."""
        if not hasattr(self.local, "folder"):
            self.local.folder = pathlib.Path(tempfile.mkdtemp(dir=self.scratch))
            for file in KERNELS.iterdir():
                shutil.copy(file, self.local.folder)
        return self.local.folder

    def verify(self, kernel, text, environment, options, limit):
        """("right" | "killed" | "uncompiled", why): kernel's cases with `text` in place of its file."""
        folder = self.folder()
        file = folder / kernel_file(kernel).name
        file.write_text(text)
        command = [self.coppice, "verify", "--quiet", *options]
        if kernel_file(kernel).suffix == ".cl":
            command += ["--kernel", kernel]
        cache = tempfile.mkdtemp(dir=self.scratch)
        environment = os.environ | {"COPPICE_KERNELS": str(folder), "POCL_CACHE_DIR": cache,
                                    "COPPICE_CACHE": cache, "OCLGRIND_LOG": str(pathlib.Path(cache, "oclgrind.log")),
                                    "SWIFT_BACKTRACE": "enable=no"} | environment
        process = subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, start_new_session=True, errors="replace")
        end = threading.Timer(limit, lambda: os.killpg(process.pid, signal.SIGKILL))
        end.start()
        lines = []
        try:
            for line in process.stdout:
                lines.append(line.rstrip())
                # The first case that is wrong decides.
                if line.startswith(("wrong", "failed")):
                    os.killpg(process.pid, signal.SIGKILL)
                    break
            process.wait()
        finally:
            timed_out = not end.is_alive()
            end.cancel()
            shutil.copy(kernel_file(kernel), file)
        log = pathlib.Path(cache, "oclgrind.log")
        found = log.read_text(errors="replace").split("\n\t")[0].strip() if log.exists() else ""
        shutil.rmtree(cache, ignore_errors=True)
        if any("does not compile" in line for line in lines):
            return "uncompiled", next(line for line in lines if "does not compile" in line)
        wrong = [line for line in lines if line.startswith(("wrong", "failed"))]
        if wrong:
            return "killed", wrong[0][:200]
        if found:
            return "killed", found[:200]
        if timed_out:
            return "killed", f"did not end in {limit:.0f} s"
        if process.returncode < 0:
            return "killed", f"signal {-process.returncode}"
        if process.returncode != 0:
            return "killed", (lines or ["no output"])[-1][:200]
        return "right", ""


def stages(arguments):
    """(name, environment, verify's options) in the order in which they are tried."""
    made = []
    if "pocl" in arguments.on:
        made += [(f"pocl {p}", {}, ["--device", "Portable Computing", "--profile", p, "--fail-fast"]) for p in PROFILES]
    if "oclgrind" in arguments.on:
        # Same values written twice are a race too: a bound that is too wide shows in nothing else.
        icds = tempfile.mkdtemp()
        pathlib.Path(icds, "oclgrind.icd").write_text("/usr/lib/oclgrind/liboclgrind-rt-icd.so\n")
        checks = {"OCL_ICD_VENDORS": icds, "OCLGRIND_CHECK_API": "1", "OCLGRIND_DATA_RACES": "1",
                  "OCLGRIND_UNINITIALIZED": "1", "OCLGRIND_UNIFORM_WRITES": "1"}
        # The profile with many work-items a group; with the vectors of the others Oclgrind 21.10 crashes by itself.
        made += [("oclgrind gpu", checks, ["--device", "oclgrind", "--profile", "gpu", "--fail-fast"])]
    return made


def cases(kernel, stage):
    """Verify's option that chooses cases fit for the speed of an implementation."""
    if not stage.startswith("oclgrind"):
        return []
    heavy = ("batch_norm", "classifier", "covariance", "common", "conv2d", "gather", "linear", "pca")
    return ["--tiny"] if kernel.startswith(heavy) else ["--quick"]


def fate(verifier, mutant, tried, baselines):
    for name, environment, options in tried:
        limit = 20 + 10 * baselines[(mutant.kernel, name)]
        verdict, why = verifier.verify(
            mutant.kernel, mutant.text, environment, options + cases(mutant.kernel, name), limit)
        if verdict != "right":
            return verdict, f"{name}: {why}"
    return "survived", ""


def chosen_mutants(arguments):
    names = arguments.kernel or sorted(file.stem for file in KERNELS.iterdir())
    chosen = []
    for name in names:
        if not kernel_file(name).exists():
            sys.exit(f"mutate: there is no {kernel_file(name)}")
        chosen += mutants.mutants(name, kernel_file(name).read_text())
    if arguments.line:
        chosen = [mutant for mutant in chosen if mutant.line == arguments.line]
    if arguments.again:
        lines = [json.loads(line) for line in pathlib.Path(arguments.again).read_text().splitlines()]
        keys = {(r["kernel"], r["before"], r["after"]) for r in lines if r["fate"] == "survived"}
        chosen = [mutant for mutant in chosen if mutant.key in keys]
    if arguments.sample:
        chosen = random.Random(arguments.seed).sample(chosen, min(arguments.sample, len(chosen)))
    return chosen


def main():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--kernel", action="append")
    parser.add_argument("--line", type=int)
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--out", default=str(ROOT / ".build" / "mutants.jsonl"))
    parser.add_argument("--again")
    parser.add_argument("--on", type=lambda names: names.split(","), default=["pocl"])
    arguments = parser.parse_args()
    chosen = chosen_mutants(arguments)
    if arguments.list:
        for mutant in chosen:
            print(f"{mutant.kernel}:{mutant.line} {mutant.kind}: {mutant.before}  =>  {mutant.after}")
        print(f"{len(chosen)} mutants")
        return
    listed = equivalent_mutants()
    keys = {mutant.key for mutant in chosen}
    if not (arguments.line or arguments.sample or arguments.again):
        for key in listed:
            if key not in keys and key[0] in {mutant.kernel for mutant in chosen}:
                print(f"stale  {EQUIVALENT.name} lists a mutant that is no more: {key[0]}: {key[1]}  =>  {key[2]}")
    tried = stages(arguments)
    counts = collections.Counter()
    survivors = []
    # Programs are small and many: memory, where there is a file system for it.
    shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=shm) as scratch, open(arguments.out, "w", encoding="utf-8") as out:
        verifier = Verifier(scratch)
        baselines = {}
        for kernel in sorted({mutant.kernel for mutant in chosen}):
            for name, environment, options in tried:
                start = time.monotonic()
                verdict, why = verifier.verify(
                    kernel, kernel_file(kernel).read_text(), environment, options + cases(kernel, name), limit=1200)
                if verdict != "right":
                    sys.exit(f"mutate: {kernel} is not right before any change ({name}): {why}")
                baselines[(kernel, name)] = time.monotonic() - start
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            futures = {pool.submit(fate, verifier, mutant, tried, baselines): mutant for mutant in chosen
                       if mutant.key not in listed}
            counts["equivalent"] = len(chosen) - len(futures)
            for done in concurrent.futures.as_completed(futures):
                mutant, (verdict, why) = futures[done], done.result()
                counts[verdict] += 1
                line = {"kernel": mutant.kernel, "line": mutant.line, "kind": mutant.kind, "before": mutant.before,
                        "after": mutant.after, "fate": verdict, "why": why}
                print(json.dumps(line), file=out, flush=True)
                if verdict == "survived":
                    survivors.append(mutant)
                    print(f"survived  {mutant.kernel}:{mutant.line} {mutant.kind}: {mutant.before}  =>  "
                          f"{mutant.after}", flush=True)
    print(f"{counts['killed']} killed, {counts['survived']} survived, {counts['equivalent']} listed as equivalent, "
          f"{counts['uncompiled']} that do not compile; {arguments.out}")
    sys.exit(1 if survivors else 0)


main()
