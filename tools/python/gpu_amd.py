"""AMD's machine code by clang, read from the listing that it assembles."""

import pathlib
import re

import gpu_listing
import gpu_model
import gpu_targets

LABEL = re.compile(r"^(\.L\w+):")
CODE = re.compile(r"^\t([a-z]+_[a-z0-9_]+)(?:\s+([^;]*))?")
WIDTHS = {"ubyte": 1, "sbyte": 1, "byte": 1, "u8": 1, "i8": 1, "b8": 1, "ushort": 2, "sshort": 2, "short": 2, "u16": 2,
          "i16": 2, "b16": 2, "dword": 4, "b32": 4, "u32": 4, "dwordx2": 8, "b64": 8, "dwordx3": 12, "b96": 12,
          "dwordx4": 16, "b128": 16, "dwordx8": 32, "b256": 32, "dwordx16": 64, "b512": 64}
MULTIPLY_ADD = re.compile(r"^v_(?:dual_)?(?:fma|fmac|mac|mad|fmaak|fmamk|madak|madmk)_f32")
# A quarter of the usual rate: functions and products of integers.
RARE = re.compile(r"^v_(rcp|rsq|sqrt|exp|log|sin|cos|mul_lo|mul_hi|mad_u64|mad_i64)_")
MOVE = re.compile(r"^v_(?:dual_)?(mov|cndmask|readfirstlane|readlane|writelane|accvgpr|swap|nop|permlane|perm)")


def width_of(name: str) -> int:
    """Bytes per work-item of an access: 16 of ds_read2_b64."""
    width = next((WIDTHS[part] for part in name.split("_") if part in WIDTHS), 4)
    return 2 * width if re.match(r"ds_(read2|write2|load_2addr|store_2addr)", name) else width


def classify(name: str) -> tuple[str, int, int]:
    """(kind, multiply-adds, bytes) of an instruction's name."""
    if MULTIPLY_ADD.match(name):
        return "fma", 1, 0
    if name.startswith("v_pk_fma_f32"):
        return "fma", 2, 0
    if re.match(r"(global|flat|buffer|scratch)_load", name):
        return "load", 0, width_of(name)
    if re.match(r"(global|flat|buffer|scratch)_store", name):
        return "store", 0, width_of(name)
    if re.match(r"ds_(read|load)", name):
        return "local load", 0, width_of(name)
    if re.match(r"ds_(write|store)", name):
        return "local store", 0, width_of(name)
    if re.match(r"(global|flat|buffer|ds)_(atomic|add|sub|inc|min|max|cmpst)", name):
        return "atomic", 0, width_of(name)
    if re.match(r"s_(buffer_)?load", name):
        return "scalar load", 0, width_of(name)
    if name == "s_barrier":
        return "barrier", 0, 0
    if re.match(r"s_(c?branch|endpgm|setpc|swappc|call)", name):
        return "branch", 0, 0
    if re.match(r"s_(waitcnt|nop|clause|delay|inst_prefetch|set_inst|sleep|getreg|setreg)", name):
        return "other", 0, 0
    if name.startswith("s_"):
        return "scalar", 0, 0
    if MOVE.match(name) or not name.startswith("v_"):
        return "other", 0, 0
    return ("float" if "_f32" in name or "_f16" in name or "_f64" in name else "integer"), 0, 0


def parse(listing: str, target: str) -> tuple[list[gpu_listing.Instruction], dict[str, int]]:
    """(instructions, labels) of the listing of a program with one kernel."""
    rates = gpu_model.AMD[target]
    instructions, labels = [], {}
    for line in listing.splitlines():
        if found := LABEL.match(line):
            if found.group(1).startswith(".Lfunc_end"):
                break
            labels[found.group(1)] = len(instructions)
        elif found := CODE.match(line):
            name, operands = found.group(1), (found.group(2) or "").strip()
            kind, fmas, width = classify(name)
            # Two instructions in one, of RDNA 3.
            if "::" in operands:
                other, other_fmas, _ = classify(operands.split("::")[1].split()[0])
                kind, fmas = ("fma" if "fma" in (kind, other) else kind), fmas + other_fmas
            branches = kind == "branch"
            instructions.append(gpu_listing.Instruction(
                f"{name} {operands}", kind, fmas, width, None, cycles(name, kind, width, rates),
                (operands,) if branches and operands.startswith(".L") else (),
                not branches or name.startswith("s_cbranch") or name.startswith(("s_swappc", "s_call"))))
            if kind == "scalar load":
                instructions[-1].offsets = (0,) * rates.lanes
    return instructions, labels


def cycles(name: str, kind: str, width: int, rates: gpu_model.Amd) -> dict[str, float]:
    """Cycles of a compute unit per wave. A unit issues one instruction of each kind at a time, from different waves."""
    if name.startswith("v_"):
        return {"float": (4 if RARE.match(name) else 1) / rates.vector}
    if kind in ("load", "store") or kind == "atomic" and not name.startswith("ds_"):
        return {"global": max(rates.address, rates.lanes * width / rates.cache)}
    if name.startswith("ds_"):
        return {"local": max(1, rates.lanes * width / rates.local)}
    if kind == "other":
        return {}
    return {"issue": 1 / rates.scalar}


class Toolchain(gpu_targets.ByProgram):
    """Compiles for AMD's targets and reads the result."""

    vendor = "AMD"

    def __init__(self, tools: dict[str, str]):
        self.clang = tools["clang"]

    def compile(self, job: gpu_targets.Job, scratch: pathlib.Path) -> dict[str, dict]:
        """{target: registers, scalars, spill, stack, local, code} of the program's one kernel."""
        scratch.mkdir()
        found = {}
        for target in job.targets:
            listing = scratch / f"{target}.s"
            command = gpu_targets.clang_command(self.clang, job.source, job.options, "amdgcn-mesa-mesa3d",
                                                "gfx906-amdgcn-mesa-mesa3d.bc", listing)
            found[target] = resources(gpu_targets.run(
                [*command, f"-mcpu={target}", "-Rpass-analysis=kernel-resource-usage"]))
            rates = gpu_model.AMD[target]
            loops = gpu_listing.loops_of(*parse(listing.read_text(), target))
            found[target]["code"] = gpu_model.read(loops, rates.fma, rates.lanes, together=False)
        return found


def resources(log: str) -> dict:
    """A program's resources, from clang's remarks."""
    def number(name: str) -> int:
        return int(re.search(re.escape(name) + r": (\d+) \[-Rpass", log).group(1))
    accumulation = number("AGPRs") if "AGPRs:" in log else 0
    return {"registers": number(" VGPRs") + accumulation, "scalars": number(" SGPRs"),
            "spill": number("SGPRs Spill") + number("VGPRs Spill"),
            "stack": number("ScratchSize [bytes/lane]"), "local": number("LDS Size [bytes/block]")}
