"""Runs `coppice verify` on several OpenCL implementations; tools/verify-everywhere runs it and has its help."""

import argparse
import collections
import contextlib
import dataclasses
import gzip
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

import plants

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPPICE = ROOT / ".build" / "release" / "coppice"
LOGS = ROOT / ".build" / "verify-everywhere"
VENDORS = pathlib.Path("/etc/OpenCL/vendors")
INTEL = ROOT / ".venv" / "intel-opencl" / "lib"
OCLGRIND = "/usr/lib/oclgrind/liboclgrind-rt-icd.so"
IMAGES = pathlib.Path("/usr/share/datasets/fashion-mnist")
# A case of verify that is no kernel of ours but a call of OpenCL's.
NO_KERNELS = {"fill"}


@dataclasses.dataclass
class Pass:
    """One run of verify: its profiles, its cases, the seconds that it may take."""
    profiles: tuple
    cases: str
    budget: int
    environment: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Implementation:
    """An OpenCL implementation and what fits its speed."""
    platform: str
    library: str
    passes: list
    environment: dict = dataclasses.field(default_factory=dict)
    # The profile in which a small study is held against the CPU path, None where that takes too long.
    study: str | None = None


def installed(name):
    """The library that a package's ICD file names."""
    file = VENDORS / name
    return file.read_text().strip() if file.is_file() else None


def implementations():
    everything = ("cpu16", "cpu8", "cpu4", "gpu", "gpu64")

    def pocl(method):
        return Implementation("Portable Computing Language", installed("pocl.icd"), [Pass(everything, "quick", 600)],
                              {"POCL_WORK_GROUP_METHOD": method}, "gpu")
    checks = {"OCLGRIND_CHECK_API": "1", "OCLGRIND_DATA_RACES": "1", "OCLGRIND_UNIFORM_WRITES": "1",
              "OCLGRIND_INST_COUNTS": "1"}
    return {
        "pocl-loopvec": pocl("loopvec"),
        "pocl-cbs": pocl("cbs"),
        "intel": Implementation("Intel(R) OpenCL", str(INTEL / "libintelocl.so"), [Pass(everything, "quick", 600)],
                                {"LD_LIBRARY_PATH": str(INTEL)}, "cpu16"),
        # Loops of large shapes end early on llvmpipe, and vectors wider than its own take it minutes to compile.
        "rusticl": Implementation("rusticl", installed("rusticl.icd"), [Pass(("cpu4", "gpu"), "tiny", 600)],
                                  {"RUSTICL_ENABLE": "llvmpipe"}, "gpu"),
        # Its search for reads of unwritten memory crashes on some operations on vectors, which the GPU's profile lacks.
        "oclgrind": Implementation("Oclgrind", OCLGRIND if os.path.exists(OCLGRIND) else None, [
            Pass(("gpu",), "tiny", 600, checks | {"OCLGRIND_UNINITIALIZED": "1"}),
            # The optimiser drops what overruns an array of a work-item's own. A profile at a time, since verify keeps what
            # its processes print, the counts of instructions among it, for itself.
            *(Pass((profile,), "tiny", 600, checks | {"OCLGRIND_BUILD_OPTIONS": "-cl-opt-disable"})
              for profile in ("cpu4", "gpu")),
        ]),
    }


@dataclasses.dataclass
class Outcome:
    """What became of a command: its status, -1 where its time ran out; stdout, stderr, what Oclgrind found."""
    status: int
    output: str
    errors: str
    findings: str
    seconds: float

    @property
    def report(self):
        """The JSON object at the end of stdout, None where there is none."""
        start = self.output.find("\n{\n")
        text = self.output if self.output.startswith("{") else self.output[start + 1:] if start >= 0 else ""
        try:
            return json.loads(text)
        except ValueError:
            return None


def end(process):
    """Ends a process and what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class Runner:
    """Runs coppice where one implementation is all the OpenCL that there is."""

    def __init__(self, name, implementation, scratch):
        self.name = name
        self.implementation = implementation
        self.scratch = pathlib.Path(tempfile.mkdtemp(dir=scratch, prefix=name))
        vendors = self.scratch / "vendors"
        vendors.mkdir()
        (vendors / f"{name}.icd").write_text(f"{implementation.library}\n")
        # Caches of its own: a program that another version or method compiled must not be taken for this one's.
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("COPPICE_")}
        for key, value in {"OCL_ICD_VENDORS": vendors, "COPPICE_CACHE": self.scratch / "programs",
                           "POCL_CACHE_DIR": self.scratch / "pocl", "SWIFT_BACKTRACE": "enable=no",
                           **implementation.environment}.items():
            self.environment[key] = str(value)
        (self.scratch / "pocl").mkdir()

    def run(self, arguments, limit, environment=None):
        log = self.scratch / "findings.log"
        log.unlink(missing_ok=True)
        merged = self.environment | {"OCLGRIND_LOG": str(log)} | (environment or {})
        start = time.monotonic()
        process = subprocess.Popen([COPPICE, *arguments], env=merged, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, errors="replace", start_new_session=True)
        try:
            output, errors = process.communicate(timeout=max(limit, 1))
            status = process.returncode
        except subprocess.TimeoutExpired:
            end(process)
            output, errors = process.communicate()
            status = -1
        finally:
            # Whoever ends this script ends what it started.
            if process.poll() is None:
                end(process)
        findings = log.read_text(errors="replace").strip() if log.exists() else ""
        # Wrong API calls are reported on stderr whatever the log.
        findings += "".join(f"\n\n{call}" for call in re.findall(
            r"Oclgrind - (OpenCL runtime error detected\n(?:\t.*\n)+)", errors))
        return Outcome(status, output, errors, findings, time.monotonic() - start)

    def verify(self, options, limit, environment=None):
        return self.run(["verify", "--device", self.implementation.platform, "--json", *options], limit, environment)


def finding_heads(findings):
    """{the first line of a finding, without its address: how often}"""
    lines = findings.split("\n\n")
    heads = (re.sub(r" ?(memory )?address 0x[0-9a-f]+.*", "", part.strip().splitlines()[0])
             for part in lines if part.strip())
    return collections.Counter(heads)


def complaints_of(outcome, runner, options, profiles, environment):
    """Why a run of verify does not count as right, and its report."""
    report = outcome.report
    complaints = []
    if outcome.status == -1:
        complaints.append(f"not done after {outcome.seconds:.0f} s")
    elif outcome.status != 0:
        last = outcome.errors.strip().splitlines()[-1:] or ["no message"]
        complaints.append(f"ended with {outcome.status}: {last[0]}")
    if outcome.findings:
        heads = ", ".join(f"{head} ({count})" for head, count in finding_heads(outcome.findings).most_common(4))
        complaints.append(f"found: {heads}")
    if report is None:
        return complaints + (["no report"] if outcome.status == 0 else []), None
    if runner.implementation.platform not in report["device"]["platform"]:
        complaints.append(f"ran on {report['device']['platform']}, not on {runner.implementation.platform}")
    if not report["cases"]:
        complaints.append("no case ran")
    ran = {(case["kernel"], case["profile"]) for case in report["cases"]}
    skipped = " ".join(report.get("skipped", []))
    kernels = [options.kernel] if options.kernel else kernel_names()
    for profile in profiles:
        missing = [kernel for kernel in kernels if (kernel, profile) not in ran]
        if missing and not (len(missing) == len(kernels) and profile in skipped):
            complaints.append(f"as {profile} there was no case of {', '.join(missing)}")
    if "OCLGRIND_INST_COUNTS" in environment:
        executed = set(re.findall(r"Instructions executed for kernel '(\w+)'", outcome.output))
        idle = {kernel for kernel, _ in ran} - executed - NO_KERNELS
        if idle:
            complaints.append(f"never executed: {', '.join(sorted(idle))}")
    return complaints, report


def kernel_names():
    return sorted(file.stem for file in (ROOT / "Kernels").glob("*.cl"))


def launches(outcome):
    return outcome.output.count("Instructions executed for kernel '")


class Table:
    """The closing table."""

    def __init__(self):
        self.rows = [("implementation", "driver", "profiles", "cases", "seconds", "verdict")]
        self.failed = False

    def add(self, name, driver, profiles, cases, seconds, complaints, note=""):
        self.failed |= bool(complaints)
        verdict = "WRONG" if complaints else "right" + (f", {note}" if note else "")
        self.rows.append((name, driver, profiles, cases, f"{seconds:.0f}", verdict))
        print(f"{self.rows[-1][0]}: {verdict}", flush=True)
        for complaint in complaints:
            print(f"  {complaint}", flush=True)

    def show(self):
        widths = [max(len(str(row[column])) for row in self.rows) for column in range(6)]
        for row in self.rows:
            print("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip())


def passes_of(implementation, wanted):
    """The passes, cut down to the profiles that are wanted if any are; what none of them has runs as the last one."""
    if not wanted:
        return implementation.passes
    passes = [dataclasses.replace(part, profiles=[profile for profile in part.profiles if profile in wanted])
              for part in implementation.passes]
    others = [name for name in wanted if not any(name in part.profiles for part in passes)]
    if others:
        passes.append(dataclasses.replace(passes[-1], profiles=others))
    return [part for part in passes if part.profiles]


def verify(runner, options, table):
    for number, part in enumerate(passes_of(runner.implementation, options.profile)):
        profiles = part.profiles
        cases = options.cases or part.cases
        arguments = [] if cases == "full" else [f"--{cases}"]
        for profile in profiles:
            arguments += ["--profile", profile]
        arguments += ["--seed", str(options.seed)] + (["--kernel", options.kernel] if options.kernel else [])
        limit = part.budget * (10 if options.cases == "full" else 1)
        outcome = runner.verify(arguments, limit, part.environment)
        stem = LOGS / f"{runner.name}-{number + 1}"
        stem.with_suffix(".out").write_text(outcome.output)
        stem.with_suffix(".err").write_text(outcome.errors)
        stem.with_suffix(".findings").write_text(outcome.findings)
        complaints, report = complaints_of(outcome, runner, options, profiles, part.environment)
        for case in (report or {"cases": []})["cases"]:
            if case["verdict"] != "right":
                complaints.append(f"{case['verdict']}: {case['kernel']} as {case['profile']}, {case['case']}: "
                                  f"{case['message'][:300]}")
        ran = len(report["cases"]) if report else 0
        driver = report["device"]["driver"] if report else "?"
        counted = launches(outcome)
        table.add(runner.name, driver, " ".join(profiles), f"{ran} {cases}", outcome.seconds, complaints,
                  f"{counted} launches checked" if counted else "")


def plant(runner, options, table):
    """Faults in copies of the kernels: each must be noticed, and what is not changed must be right."""
    start = time.monotonic()
    complaints = []
    checks = runner.implementation.passes[0].environment
    chosen = [fault for fault in plants.FAULTS if not fault.finding or runner.name == "oclgrind"]
    for fault in chosen:
        folder = plants.kernels_with(fault, ROOT / "Kernels", runner.scratch)
        options_of_fault = ["--tiny", "--kernel", fault.kernel, "--profile", "gpu"]
        outcome = runner.verify(options_of_fault, 60, checks | {"COPPICE_KERNELS": str(folder)})
        if fault.finding:
            noticed = re.search(fault.finding, outcome.findings) is not None
        else:
            noticed = outcome.status == 1 and any(
                case["verdict"] != "right" for case in (outcome.report or {"cases": []})["cases"])
        if not noticed:
            complaints.append(f"did not notice {fault.name} planted into {fault.file} (status {outcome.status}, "
                              f"found {dict(finding_heads(outcome.findings))})")
    table.add(runner.name, "", "gpu", f"{len(chosen)} planted faults", time.monotonic() - start, complaints,
              "all noticed")


def small_images(folder):
    """A data set of the first images of Fashion-MNIST: 256 to train with, 128 to test with."""
    folder.mkdir()
    for part, count in (("train", 256), ("t10k", 128)):
        for kind, header, size in (("images-idx3-ubyte", 16, 28 * 28), ("labels-idx1-ubyte", 8, 1)):
            with gzip.open(IMAGES / f"{part}-{kind}.gz") as file:
                content = bytearray(file.read(header + count * size))
            struct.pack_into(">I", content, 4, count)
            (folder / f"{part}-{kind}").write_bytes(content)


def safetensors(path):
    """{name: floats} of a file of float32 tensors."""
    content = path.read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8:8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        tensors[name] = struct.unpack(f"<{(end - start) // 4}f", content[8 + length + start:8 + length + end])
    return tensors


def study(runner, table):
    """Trains, evaluates and clusters on the implementation and on the CPU path."""
    start = time.monotonic()
    data = runner.scratch / "images"
    small_images(data)
    complaints = []
    environment = {"COPPICE_PROFILE": runner.implementation.study}
    reports = {}

    def run(label, device, arguments):
        outcome = runner.run([*arguments, "--data", str(data), "--device", device, "--json"], 120, environment)
        (LOGS / f"{runner.name}-{label}.out").write_text(outcome.output + outcome.errors)
        if outcome.status != 0 or outcome.report is None:
            last = outcome.errors.strip().splitlines()[-1:] or ["no message"]
            complaints.append(f"{label} ended with {outcome.status}: {last[0]}")
            return None
        if device != "cpu" and runner.implementation.platform not in outcome.report.get("device", {}).get("platform", ""):
            complaints.append(f"{label} ran on {outcome.report.get('device')}")
        return outcome.report

    device = runner.implementation.platform
    weights = {}
    for where in (device, "cpu"):
        weights[where] = runner.scratch / f"{'cpu' if where == 'cpu' else 'device'}.safetensors"
        side = "cpu" if where == "cpu" else "device"
        reports["train", where] = run(f"train-{side}", where, [
            "train", "--epochs", "1", "--batch", "48", "--save", str(weights[where])])
        reports["cluster", where] = run(f"cluster-{side}", where, [
            "cluster", "--k", "7", "--pca", "9", "--kmeans", "lloyd", "--iterations", "4"])
    # The same weights on both: the same predictions.
    if reports["train", "cpu"]:
        for where in (device, "cpu"):
            side = "cpu" if where == "cpu" else "device"
            reports["evaluate", where] = run(f"evaluate-{side}", where, ["evaluate", "--weights", str(weights["cpu"])])
    for (command, where), report in list(reports.items()):
        if where == "cpu" or report is None or reports.get((command, "cpu")) is None:
            continue
        reference = reports[command, "cpu"]
        if command == "cluster" and abs(report["inertia"] / reference["inertia"] - 1) > 1e-4:
            complaints.append(f"cluster: inertia {report['inertia']}, {reference['inertia']} on the CPU path")
        # One of 128 predictions may hang on a rounding.
        if command == "evaluate" and abs(report["correct"] - reference["correct"]) > 1:
            complaints.append(f"evaluate: {report['correct']} right, {reference['correct']} on the CPU path")
        if command == "train":
            if abs(report["accuracy"] - reference["accuracy"]) > 100 * 2 / 128:
                complaints.append(f"train: accuracy {report['accuracy']}, {reference['accuracy']} on the CPU path")
            complaints += weights_apart(weights[device], weights["cpu"])
    table.add(runner.name, "", runner.implementation.study, "train evaluate cluster", time.monotonic() - start,
              complaints, "as the CPU path")


def weights_apart(left, right):
    """Complaints of tensors that differ by more than rounding makes of them in six steps of Adam (0.001 each)."""
    complaints = []
    tensors, expected = safetensors(left), safetensors(right)
    if tensors.keys() != expected.keys():
        return [f"train: saved {sorted(tensors)}, {sorted(expected)} on the CPU path"]
    for name, values in expected.items():
        largest = max((abs(a - b) if a == a and b == b else float("inf") for a, b in zip(tensors[name], values)),
                      default=0)
        scale = max(abs(value) for value in values)
        if not largest <= 1e-3 * max(scale, 1):
            complaints.append(f"train: {name} is {largest:.2g} off the CPU path's")
    return complaints


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="+")
    parser.add_argument("--kernel")
    parser.add_argument("--profile", action="append", default=[])
    parser.add_argument("--cases", choices=("tiny", "quick", "full"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-studies", action="store_true")
    parser.add_argument("--no-self-test", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True)
    table = Table()
    known = implementations()
    with tempfile.TemporaryDirectory(prefix="coppice-everywhere-") as scratch:
        for name in options.names:
            implementation = known[name]
            if not implementation.library:
                table.add(name, "?", "", 0, 0, ["not installed"])
                continue
            runner = Runner(name, implementation, scratch)
            verify(runner, options, table)
            if not options.kernel and not options.profile:
                if not options.no_self_test:
                    plant(runner, options, table)
                if implementation.study and not options.no_studies:
                    study(runner, table)
            shutil.rmtree(runner.scratch)
    print()
    table.show()
    sys.exit(1 if table.failed else 0)


if __name__ == "__main__":
    main()
