"""Compiles saved programs for GPUs and reports what they take; tools/check-gpu-code runs it and has its help."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import sys
import tempfile

import gpu_amd
import gpu_intel
import gpu_model
import gpu_nvidia
import gpu_planted
import gpu_programs
import gpu_tables
import gpu_targets

ACCEPTED = gpu_programs.ROOT / "tools" / "check-gpu-code.d" / "accepted.tsv"
# Spills are accepted of none but the targets that few programs are compiled for.
WHATS = ("stack", "launch", "bound", *(f"{what} {target}" for target in gpu_targets.FEW for what in ("spill", "stack")))
COMPUTE_UNITS = 100
GROUP_ITEMS = 64


def read_accepted() -> dict[tuple[str, str], str]:
    """{(kernel, what): reason}."""
    reasons = {}
    for number, line in enumerate(ACCEPTED.read_text().splitlines(), 1):
        if line and not line.startswith("#"):
            fields = line.split("\t")
            if len(fields) != 3 or fields[1] not in WHATS:
                gpu_targets.stop(f"{ACCEPTED}:{number}: a kernel, one of {', '.join(WHATS)}, and a reason are wanted, with tabs "
                                 "between them")
            reasons[fields[0], fields[1]] = fields[2]
    return reasons


def check_bounds(rows: list[dict]) -> dict[str, str]:
    """{kernel: sentence} of those whose hot loop is bound to less than they should reach."""
    found = {}
    for kernel, share in gpu_model.TARGETS.items():
        its = [row for row in rows if row["kernel"] == kernel and row["target"] == gpu_model.TARGET_ON]
        bounds = [(row["code"]["hot"]["bounds"]["bound"] if row["code"]["hot"]["bounds"] else 0.0, row) for row in its]
        if bounds and (least := min(bounds, key=lambda bound: bound[0]))[0] < share:
            mix = gpu_tables.mix_in_short(least[1]["code"]["hot"]["mix"])
            found[kernel] = (f"{kernel} on {gpu_model.TARGET_ON} ({least[1]['defines']}): {mix}: at most {least[0]:.0%} of the "
                             f"peak, and {share:.0%} is wanted")
    return found


def check(rows: list[dict], accepted: dict, built: set[str], kernels: set[str]) -> tuple[list[str], set]:
    """Complaints, a sentence each, and the reasons used."""
    complaints = []
    used = set()
    for row in rows:
        where = f"{row['kernel']} on {row['target']} ({row['defines']})"
        for what, sentence in (("spill", f"spills {row['spill']}"),
                               ("stack", f"{row['stack']} bytes of private arrays in memory")):
            if row[what]:
                reasons = {(row["kernel"], what), (row["kernel"], f"{what} {row['target']}")} & set(accepted)
                used |= reasons
                if not reasons:
                    complaints.append(f"{where}: {sentence}")
    for kernel in sorted({row["kernel"] for row in rows}):
        launches = [(row["groups"], row["group_items"]) for row in rows if row["kernel"] == kernel]
        # A specialisation for small data may be small; the largest launch of the kernel counts.
        groups, items = max(launches, key=lambda launch: launch[0] * launch[1])
        if groups < COMPUTE_UNITS or groups * items < COMPUTE_UNITS * GROUP_ITEMS:
            used.add((kernel, "launch"))
            if (kernel, "launch") not in accepted:
                complaints.append(f"{kernel}: {groups} work-groups of {items} work-items do not fill {COMPUTE_UNITS} "
                                  f"compute units ({COMPUTE_UNITS} groups and {COMPUTE_UNITS * GROUP_ITEMS} items do)")
    for kernel, sentence in check_bounds(rows).items():
        used.add((kernel, "bound"))
        if (kernel, "bound") not in accepted:
            complaints.append(sentence)
    complaints += [f"{kernel}: no program of it was ever built" for kernel in sorted(kernels - built)]
    return complaints, used


class Compiler:
    """All targets that were asked for, by their vendors' tools."""

    def __init__(self, toolchains: list, scratch: pathlib.Path):
        self.toolchains, self.scratch = toolchains, scratch

    def compile_all(self, name: str, jobs: list[gpu_targets.Job]) -> list[dict[str, dict]]:
        """For each job {target: results}."""
        found = [{} for _ in jobs]

        def compile_by(toolchain):
            its = [(number, job._replace(targets=[target for target in job.targets
                                                  if gpu_targets.vendor_of(target) == toolchain.vendor]))
                   for number, job in enumerate(jobs)]
            its = [(number, job) for number, job in its if job.targets]
            folder = self.scratch / f"{name}-{toolchain.vendor}"
            folder.mkdir()
            for (number, _), results in zip(its, toolchain.compile_all([job for _, job in its], folder, pool)):
                found[number].update(results)
        # The vendors' threads only wait for those of the pool, which wait for compilers.
        with (concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool,
              concurrent.futures.ThreadPoolExecutor(len(self.toolchains)) as vendors):
            list(vendors.map(compile_by, self.toolchains))
        return found

    def check_planted(self, targets: list[str]):
        """Stops if a planted spill is not noticed, or what planted loops have is not what is counted."""
        jobs = []
        for name, source, local in (("spill", gpu_planted.SPILL, [1024, 1, 1]),
                                    ("loop", gpu_planted.LOOP, gpu_planted.LOCAL)):
            (self.scratch / f"{name}.cl").write_text(source)
            jobs.append(gpu_targets.Job(self.scratch / f"{name}.cl", "-cl-std=CL1.2", local, targets))
        spill, loop = self.compile_all("planted", jobs)
        if unnoticed := [target for target, found in spill.items() if not found["spill"]]:
            gpu_targets.stop(f"a planted spill was not seen on {', '.join(unnoticed)}: nothing here can be trusted")
        wrong = [fault for toolchain in self.toolchains for fault in gpu_planted.faults(toolchain.vendor, {
            target: result for target, result in loop.items() if gpu_targets.vendor_of(target) == toolchain.vendor})]
        if wrong:
            gpu_targets.stop("; ".join(wrong) + ": nothing here can be trusted")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/check-gpu-code", add_help=False)
    parser.add_argument("--clang", required=True)
    parser.add_argument("--ptxas", required=True)
    parser.add_argument("--nvdisasm", required=True)
    parser.add_argument("--ocloc")
    parser.add_argument("--kernel", action="append")
    parser.add_argument("--arch", action="append", choices=gpu_targets.TARGETS)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--programs", type=pathlib.Path)
    return parser.parse_args()


def saved_programs(arguments: argparse.Namespace, targets: list[str], scratch: pathlib.Path) -> list:
    """[(folder, its targets)]: the folder named, or new ones, a profile each."""
    if arguments.programs is not None:
        return [(arguments.programs, targets)]
    gpu_programs.write_data(scratch)
    folders = []
    for profile in dict.fromkeys(map(gpu_targets.profile_of, targets)):
        gpu_programs.save_programs(scratch / profile, scratch, profile)
        folders.append((scratch / profile, [target for target in targets if gpu_targets.profile_of(target) == profile]))
    return folders


def choose(programs: list[dict], its_targets: list[str], few: list[str]) -> list[list[str]]:
    """The targets that each of the programs is compiled for."""
    def size(program):
        return gpu_targets.product(program["global"])
    largest = []
    for kernel in gpu_model.TARGETS:
        its = sorted((program for program in programs if program["kernel"] == kernel), key=size, reverse=True)
        largest += its[:1]
    return [[target for target in its_targets if target not in few or program in largest] for program in programs]


def compile_all(arguments: argparse.Namespace, folders: list, compiler: Compiler) -> tuple[list[dict], set[str]]:
    """(rows, kernels that were built)."""
    chosen, jobs, built = [], [], set()
    few = [target for target in gpu_targets.FEW if target not in (arguments.arch or [])]
    for folder, its_targets in folders:
        if not (folder / "launches.jsonl").is_file():
            gpu_targets.stop(f"{folder} has no launches.jsonl: COPPICE_SAVE_PROGRAMS={folder} coppice ... makes it")
        programs = gpu_programs.read_programs(folder)
        built |= {program["kernel"] for program in programs}
        programs = [program for program in programs if not arguments.kernel or program["kernel"] in arguments.kernel]
        chosen += programs
        jobs += [gpu_targets.Job(folder / program["program"], program["options"], program.get("local") or [GROUP_ITEMS], targets)
                 for program, targets in zip(programs, choose(programs, its_targets, few))]
    rows = []
    for program, results in zip(chosen, compiler.compile_all("programs", jobs)):
        items = gpu_targets.product(program["global"])
        group_items = gpu_targets.product(program.get("local") or [GROUP_ITEMS])
        for target, result in results.items():
            rows.append(result | {
                "kernel": program["kernel"], "target": target, "defines": gpu_programs.describe(program), "items": items,
                "group_items": group_items, "groups": items // group_items,
                "groups_per_unit": items / group_items / gpu_model.UNITS[gpu_targets.vendor_of(target)],
                "occupancy": gpu_targets.occupancy(target, result["registers"], result["local"], group_items,
                                                   result.get("lanes"))})
    return rows, built


def main():
    arguments = parse_arguments()
    targets = arguments.arch or [target for target in gpu_targets.TARGETS
                                 if arguments.ocloc or gpu_targets.vendor_of(target) != "Intel"]
    if not arguments.ocloc and any(gpu_targets.vendor_of(target) == "Intel" for target in targets):
        gpu_targets.stop("there is no ocloc, which compiles for Intel")
    kernels = {file.stem for file in gpu_programs.KERNELS.glob("*.cl")}
    for kernel in arguments.kernel or []:
        if kernel not in kernels:
            gpu_targets.stop(f"there is no kernel '{kernel}': see the files in Kernels")
    accepted = read_accepted()
    toolchains = [vendor.Toolchain(vars(arguments)) for vendor in (gpu_nvidia, gpu_amd, gpu_intel)
                  if vendor is not gpu_intel or arguments.ocloc]
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        compiler = Compiler(toolchains, scratch)
        try:
            compiler.check_planted(targets)
            rows, built = compile_all(arguments, saved_programs(arguments, targets, scratch), compiler)
        except gpu_targets.ToolFailed as failure:
            gpu_targets.stop(failure)
    complaints, used = check(rows, accepted, built, set(arguments.kernel or kernels))
    if not arguments.kernel and not arguments.arch:
        complaints += [f"{ACCEPTED.relative_to(gpu_programs.ROOT)}: '{kernel}' '{what}' is no longer needed"
                       for kernel, what in sorted(set(accepted) - used)
                       if arguments.ocloc or what.split()[-1] not in gpu_intel.TARGETS]
    if arguments.json:
        print(json.dumps({"programs": rows, "complaints": complaints}, indent=1))
    else:
        gpu_tables.print_resources(rows, arguments.all)
        print()
        gpu_tables.print_code(rows, arguments.all)
        for (kernel, what), reason in accepted.items():
            if (kernel, what) in used:
                print(f"accepted: {kernel}, {what}: {reason}")
    for complaint in complaints:
        print(f"check-gpu-code: {complaint}", file=sys.stderr)
    programs = {(row["kernel"], row["defines"]) for row in rows}
    print(f"check-gpu-code: {len(programs)} programs of {len({row['kernel'] for row in rows})} kernels for "
          f"{', '.join(targets)}: {'wrong' if complaints else 'right'}", file=sys.stderr)
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
