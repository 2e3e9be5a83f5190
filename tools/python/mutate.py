"""Runs `coppice verify` on mutants of the kernels; tools/mutate runs it and has its help."""

import argparse
import collections
import concurrent.futures
import json
import math
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import typing

import mutants
import slim_pocl

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPPICE = ROOT / ".build" / "release" / "coppice"
KERNELS = ROOT / "Kernels"
EQUIVALENT = ROOT / "tools" / "mutate.d" / "equivalent.tsv"
PROFILES = ("cpu16", "cpu8", "cpu4", "gpu")


def kernel_file(name):
    header = KERNELS / f"{name}.clh"
    return header if header.exists() else KERNELS / f"{name}.cl"


def equivalent_mutants(everything):
    """The keys of those of `everything` that the list has, and what is wrong with the list, a sentence each."""
    wanted = collections.Counter()
    for number, line in enumerate(EQUIVALENT.read_text().splitlines(), 1):
        # A line of a kernel may begin with #if.
        if not line or line.startswith("# "):
            continue
        fields = line.split("\t")
        if len(fields) != 4:
            sys.exit(f"mutate: {EQUIVALENT}:{number} has {len(fields)} fields; before, after, following line or *, and "
                     "reason are wanted")
        wanted[tuple(fields[:3])] += 1
    by_text = collections.defaultdict(list)
    for mutant in everything:
        by_text[(mutant.before, mutant.after)].append(mutant)
    keys, faults = set(), []
    for (before, after, following), times in wanted.items():
        places = [mutant for mutant in by_text[(before, after)]
                  if following == "*" or mutant.following.startswith(following)]
        if len(places) == times:
            keys |= {mutant.key for mutant in places}
        elif not places:
            faults.append(f"lists a mutant that is no more: {before}  =>  {after}  before  {following}")
        else:
            faults.append(f"has {before}  =>  {after}  before  {following}  {times} times, and there are "
                          + ", ".join(f"{m.kernel}:{m.line} (before {m.following})" for m in places))
    return keys, faults


class IdleWatch(threading.Thread):
    """Kills a process group whose first process takes no time of the processor for a while."""

    # Of so many looks in a row, so many seconds apart: not a moment in which everything was stopped, this too.
    LOOKS, APART = 8, 2

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process = process
        self.ended = threading.Event()
        self.killed = False

    def run(self):
        last, same = "", 0
        while not self.ended.wait(self.APART):
            try:
                fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                return
            same = same + 1 if fields[11:13] == last and fields[0] == "S" else 0
            last = fields[11:13]
            if same == self.LOOKS:
                self.killed = True
                os.killpg(self.process.pid, signal.SIGKILL)
                return

    def stop(self):
        self.ended.set()
        self.join()


class Verifier:
    """Runs verify with a changed copy of the kernels and says what came of it."""

    def __init__(self, scratch):
        self.scratch = pathlib.Path(scratch)
        # A copy, so that a build in the meantime changes nothing.
        self.coppice = shutil.copy(COPPICE, scratch)
        self.local = threading.local()

    def folder(self):
        """This thread's copy of the kernels."""
        if not hasattr(self.local, "folder"):
            self.local.folder = pathlib.Path(tempfile.mkdtemp(dir=self.scratch))
            for file in KERNELS.iterdir():
                shutil.copy(file, self.local.folder)
        return self.local.folder

    def verify(self, file, text, kernel, stage, seconds):
        """("right" | "killed" | "uncompiled", why): the cases of `kernel` with `text` in place of a file of Kernels,
        and at most `seconds` of the processor's time."""
        folder = self.folder()
        place = folder / kernel_file(file).name
        place.write_text(text)
        cache = tempfile.mkdtemp(dir=self.scratch)
        log = pathlib.Path(cache, "oclgrind.log")
        environment = os.environ | {"COPPICE_KERNELS": str(folder), "POCL_CACHE_DIR": cache, "COPPICE_CACHE": cache,
                                    "OCLGRIND_LOG": str(log), "TMPDIR": cache, "SWIFT_BACKTRACE": "enable=no"}
        command = [self.coppice, "verify", "--quiet", "--fail-fast", "--kernel", kernel, *stage.options]
        # A group of its own, but not a session: what stops the session stops all of it.
        process = subprocess.Popen(command, env=environment | stage.environment, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, process_group=0, errors="replace")
        # The processor's time, which no other work on the machine adds to; a damaged process may also wait for ever.
        resource.prlimit(process.pid, resource.RLIMIT_CPU, (seconds, seconds + 1))
        idle = IdleWatch(process)
        idle.start()
        lines = []
        try:
            for line in process.stdout:
                lines.append(line.rstrip())
                # The first case that is wrong decides.
                if line.startswith(("wrong", "failed")):
                    os.killpg(process.pid, signal.SIGKILL)
                    break
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.local.seconds = usage.ru_utime + usage.ru_stime
        finally:
            idle.stop()
            shutil.copy(kernel_file(file), place)
        found = log.read_text(errors="replace").split("\n\t")[0].strip() if log.exists() else ""
        shutil.rmtree(cache, ignore_errors=True)
        if any("does not compile" in line for line in lines):
            return "uncompiled", next(line for line in lines if "does not compile" in line)
        wrong = [line for line in lines if line.startswith(("wrong", "failed"))]
        if wrong:
            return "killed", wrong[0][:200]
        if found:
            return "killed", found[:200]
        if idle.killed:
            return "killed", "did not end and did nothing"
        if process.returncode == -signal.SIGXCPU:
            return "killed", f"did not end in {seconds} s of the processor"
        if process.returncode < 0:
            return "killed", f"signal {-process.returncode}"
        if process.returncode != 0:
            return "killed", (lines or ["no output"])[-1][:200]
        return "right", ""


class Stage(typing.NamedTuple):
    """One way to run verify."""

    name: str
    environment: dict
    options: list


def stages(arguments, scratch):
    """The ways in which mutants are tried, in their order."""
    made = []
    pocl = ["--device", "Portable Computing", "--profile"]
    # What kills most for the least time: without the optimiser a program compiles in half of its time.
    slim = {"POCL_EXTRA_BUILD_FLAGS": "-cl-opt-disable"}
    if {"quick", "plain"} & set(arguments.on):
        slim |= slim_pocl.environment(pathlib.Path(scratch, "pocl"))
    if "quick" in arguments.on:
        made += [Stage(f"quick {p}", slim, [*pocl, p, "--quick"]) for p in ("cpu8", "gpu", "cpu4", "cpu16")]
    if "plain" in arguments.on:
        # The many networks that fill a GPU take a processor long; they come last of all, below.
        made += [Stage(f"plain {p}", slim, [*pocl, p]) for p in ("cpu16", "cpu8", "cpu4")]
    if "pocl" in arguments.on:
        made += [Stage(f"pocl {p}", {}, [*pocl, p]) for p in PROFILES]
    if "oclgrind" in arguments.on:
        # Same values written twice are a race too: a bound that is too wide shows in nothing else.
        icds = tempfile.mkdtemp(dir=scratch)
        pathlib.Path(icds, "oclgrind.icd").write_text("/usr/lib/oclgrind/liboclgrind-rt-icd.so\n")
        checks = {"OCL_ICD_VENDORS": icds, "OCLGRIND_CHECK_API": "1", "OCLGRIND_DATA_RACES": "1",
                  "OCLGRIND_UNIFORM_WRITES": "1"}
        # Its search for reads of unwritten memory crashes on some operations on vectors, which the GPU's profile lacks.
        # The optimiser drops what overruns an array of a work-item's own.
        unoptimised = {"OCLGRIND_BUILD_OPTIONS": "-cl-opt-disable"}
        for name, profile, more in (
            ("cpu4", "cpu4", unoptimised), ("gpu", "gpu", {"OCLGRIND_UNINITIALIZED": "1"}),
            ("gpu unoptimised", "gpu", unoptimised)
        ):
            options = ["--device", "oclgrind", "--profile", profile, "--tiny"]
            made.append(Stage(f"oclgrind {name}", checks | more, options))
    return made


def tested_kernels(file):
    """The kernels whose cases run a file of Kernels: itself, or those that include it."""
    if kernel_file(file).suffix == ".cl":
        return [file]
    # The shortest first, which compile in the least time.
    kernels = sorted(path.stem for path in KERNELS.glob("*.cl"))
    kernels.sort(key=lambda kernel: len(with_includes(kernel)))
    if file == "common":
        return kernels
    return [kernel for kernel in kernels if f'#include "{file}.clh"' in kernel_file(kernel).read_text()]


def with_includes(kernel):
    """A kernel's text with the files of Kernels that it includes."""
    text = kernel_file(kernel).read_text()
    return re.sub(r'#include "(\w+)\.clh"', lambda found: kernel_file(found.group(1)).read_text(), text)


def definitions(text):
    """{name: (first line, last line, text)} of a header's functions and macros."""
    found = {}
    pattern = r"^#define (\w+)(?:[^\n]*\\\n)*[^\n]*$|^static inline [^(;{]*?(\w+)\([^{;]*\{(?:[^\n]*\}$|.*?^\}$)"
    for match in re.finditer(pattern, text, re.MULTILINE | re.DOTALL):
        first = text.count("\n", 0, match.start()) + 1
        found[match.group(1) or match.group(2)] = (first, first + match.group().count("\n"), match.group())
    return found


def users(mutant):
    """The kernels that a mutant may show in: of a function or macro of `common` those that come to use it."""
    kernels = tested_kernels(mutant.kernel)
    if mutant.kernel != "common":
        return kernels
    known = definitions(kernel_file("common").read_text())
    names = {name for name, (first, last, _) in known.items() if first <= mutant.line <= last}
    if not names:
        return kernels
    mentions = lambda text: any(re.search(rf"\b{name}\b", text) for name in names)
    while more := {name for name, (_, _, text) in known.items() if name not in names and mentions(text)}:
        names |= more
    return [kernel for kernel in kernels if mentions(with_includes(kernel))]


def plain(stage):
    """The stage on the PoCL that is installed."""
    return stage._replace(environment={k: v for k, v in stage.environment.items() if k != "OCL_ICD_VENDORS"})


def fate(verifier, mutant, tried, limits):
    kernels = users(mutant)
    attempts = [(stage, kernel) for stage in tried for kernel in kernels]
    # A simulator takes minutes for the longest kernels: those come last.
    attempts.sort(key=lambda attempt: kernels.index(attempt[1]) if attempt[0].name.startswith("oclgrind") else -1)
    for stage, kernel in attempts:
        limit = limits.of(kernel, stage)
        verdict, why = verifier.verify(mutant.kernel, mutant.text, kernel, stage, limit)
        # It may have been a function that the copy of PoCL lacks.
        if stage.name.startswith(("quick", "plain")) and (verdict == "uncompiled" or why.startswith("signal")):
            verdict, why = verifier.verify(mutant.kernel, mutant.text, kernel, plain(stage), limit)
        if verdict != "right":
            return verdict, f"{stage.name}: {why}"
    return "survived", ""


class UnchangedIsWrong(Exception):
    """What verify finds wrong in a kernel that nobody changed."""


class Limits:
    """How many seconds of the processor a mutant gets, from a run of its kernel without a change, made when one is due:
    few mutants come to the last ways to try them."""

    def __init__(self, verifier):
        self.verifier = verifier
        self.known = {}
        self.lock = threading.Lock()

    def of(self, kernel, stage):
        key = (kernel, stage.name)
        if key in self.known:
            return self.known[key]
        with self.lock:
            if key not in self.known:
                verdict, why = self.verifier.verify(
                    kernel, kernel_file(kernel).read_text(), kernel, stage, seconds=1200)
                if verdict != "right":
                    raise UnchangedIsWrong(f"{kernel} is not right before any change ({stage.name}): {why}")
                self.known[key] = math.ceil(5 + 10 * self.verifier.local.seconds)
            return self.known[key]


def every_mutant():
    """The mutants of all files of Kernels."""
    return [mutant for file in sorted(KERNELS.iterdir()) for mutant in mutants.mutants(file.stem, file.read_text())]


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
        # A larger sample of the same seed holds the smaller one.
        random.Random(arguments.seed).shuffle(chosen)
        chosen = chosen[:arguments.sample]
    return chosen


def main():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--kernel", action="append")
    parser.add_argument("--line", type=int)
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--check-list", action="store_true")
    parser.add_argument("--out", default=str(ROOT / ".build" / "mutants.jsonl"))
    parser.add_argument("--again")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--no-build", action="store_true")
    parser.add_argument("--on", type=lambda names: names.split(","), default=["quick", "plain", "pocl", "oclgrind"])
    arguments = parser.parse_args()
    listed, faults = equivalent_mutants(every_mutant())
    for fault in faults:
        print(f"stale  {EQUIVALENT.name} {fault}")
    if arguments.check_list:
        print(f"{len(listed)} mutants are listed as equivalent, {len(faults)} entries of the list fit none")
        sys.exit(1 if faults else 0)
    chosen = chosen_mutants(arguments)
    if arguments.list:
        for mutant in chosen:
            print(f"{mutant.kernel}:{mutant.line} {mutant.kind}: {mutant.before}  =>  {mutant.after}")
        print(f"{len(chosen)} mutants")
        return
    counts = collections.Counter()
    if arguments.resume and os.path.exists(arguments.out):
        lines = [json.loads(line) for line in pathlib.Path(arguments.out).read_text().splitlines()]
        known = {(r["kernel"], r["before"], r["after"]) for r in lines}
        counts["known"] = len(chosen)
        chosen = [mutant for mutant in chosen if mutant.key not in known]
        counts["known"] -= len(chosen)
    survivors = []
    # Programs are small and many: memory, where there is a file system for it.
    shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=shm) as scratch, open(
        arguments.out, "a" if arguments.resume else "w", encoding="utf-8"
    ) as out:
        verifier = Verifier(scratch)
        tried = stages(arguments, scratch)
        limits = Limits(verifier)
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            futures = {pool.submit(fate, verifier, mutant, tried, limits): mutant for mutant in chosen
                       if mutant.key not in listed}
            counts["equivalent"] = len(chosen) - len(futures)
            for done in concurrent.futures.as_completed(futures):
                try:
                    mutant, (verdict, why) = futures[done], done.result()
                except UnchangedIsWrong as error:
                    pool.shutdown(cancel_futures=True)
                    sys.exit(f"mutate: {error}")
                counts[verdict] += 1
                line = {"kernel": mutant.key[0], "line": mutant.line, "kind": mutant.kind, "before": mutant.before,
                        "after": mutant.after, "following": mutant.following, "fate": verdict, "why": why}
                print(json.dumps(line), file=out, flush=True)
                if verdict == "survived":
                    survivors.append(mutant)
                    print(f"survived  {mutant.kernel}:{mutant.line} {mutant.kind}: {mutant.before}  =>  "
                          f"{mutant.after}", flush=True)
    print(f"{counts['killed']} killed, {counts['survived']} survived, {counts['equivalent']} listed as equivalent, "
          f"{counts['uncompiled']} that do not compile, {counts['known']} known before; {arguments.out}")
    sys.exit(1 if survivors or faults else 0)


main()
