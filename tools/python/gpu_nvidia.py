"""NVIDIA's machine code: PTX by clang, cubins by ptxas, listings by nvdisasm."""

import concurrent.futures
import pathlib
import re

import gpu_lanes
import gpu_listing
import gpu_model
import gpu_targets

FLOAT = {"FADD", "FMUL", "FSWZADD", "FADD32I", "FMUL32I"}
# Done by the integer unit at half the rate; comparisons and minima of floats are among them.
INTEGER = {"IADD3", "IADD", "LOP3", "LEA", "SHF", "SHL", "SHR", "ISETP", "IMNMX", "VIMNMX", "IABS", "SEL", "PRMT", "LOP",
           "BMSK", "SGXT", "FSETP", "FMNMX", "FSEL", "FCHK", "PLOP3", "P2R", "R2P", "VABSDIFF", "IADD32I", "ISCADD",
           "IMNMX3", "FMNMX3", "VIADD", "VIADDMNMX", "FSET", "BREV", "IDP", "VIMNMX3", "IADD2"}
MULTIPLY = {"IMAD", "IMUL", "XMAD", "IMUL32I"}
# 16 lanes a cycle: functions, conversions, counts of bits.
RARE = {"MUFU", "I2F", "F2I", "I2FP", "F2F", "F2FP", "FRND", "POPC", "FLO", "I2I", "SHFL", "VOTE", "R2UR", "MATCH",
        "REDUX", "S2R"}
BRANCH = {"BRA", "EXIT", "BSSY", "BSYNC", "BRX", "RET", "CALL", "JMP", "BREAK", "WARPSYNC", "BMOV", "YIELD", "JMX",
          "NANOSLEEP", "BRXU"}

LABEL = re.compile(r"^(\.\w+):")
CODE = re.compile(r"^\s*/\*[0-9a-f]{4,}\*/\s+(?:@(!?U?P\w+)\s+)?([A-Z][A-Z0-9_.]*)\s*(.*?)\s*;")
TARGET = re.compile(r"`\((\.\w+)\)")


def width_of(name: str) -> int:
    """Bytes per lane of an access: 16 of LDG.E.128."""
    for part in name.split(".")[1:]:
        if part in ("U8", "S8"):
            return 1
        if part in ("U16", "S16"):
            return 2
        if part in ("64", "128", "256"):
            return int(part) // 8
    return 4


def classify(name: str) -> tuple[str, int, int]:
    """(kind, multiply-adds, bytes) of an instruction's name."""
    base = name.split(".")[0]
    if base in ("FFMA", "FFMA32I"):
        return "fma", 1, 0
    # Blackwell does two of them at once, on pairs of registers.
    if base == "FFMA2":
        return "fma", 2, 0
    if base in FLOAT or base in ("FADD2", "FMUL2"):
        return "float", 0, 0
    if base in INTEGER or base in MULTIPLY:
        return "integer", 0, 0
    if base in ("LDG", "LD"):
        return "load", 0, width_of(name)
    # Spills and private arrays go through the same units as global memory.
    if base == "LDL":
        return "load", 0, width_of(name)
    if base in ("STG", "ST", "STL"):
        return "store", 0, width_of(name)
    if base in ("LDS", "LDSM"):
        return "local load", 0, width_of(name)
    if base in ("STS", "STSM"):
        return "local store", 0, width_of(name)
    if base in ("LDC", "LDCU", "ULDC"):
        return "scalar load", 0, width_of(name)
    if base in ("ATOM", "ATOMG", "ATOMS", "RED", "REDG"):
        return "atomic", 0, width_of(name)
    if base in ("BAR", "DEPBAR", "LDGDEPBAR", "MEMBAR"):
        return "barrier", 0, 0
    if base in BRANCH:
        return "branch", 0, 0
    return "other", 0, 0


def parse(listing: str, target: str, local: list[int]) -> tuple[list[gpu_listing.Instruction], dict[str, int]]:
    """(instructions, labels) of one kernel's section of what nvdisasm -c prints, in work-groups of size `local`."""
    rates = gpu_model.NVIDIA[target]
    instructions, labels, raw = [], {}, []
    joins = {}
    for line in listing.splitlines():
        # The section after the code.
        if line.startswith("\t.section\t"):
            break
        if found := LABEL.match(line):
            labels[found.group(1)] = len(instructions)
            continue
        found = CODE.match(line)
        if not found:
            continue
        guard, name, operands = found.groups()
        base = name.split(".")[0]
        kind, fmas, width = classify(name)
        targets = tuple(TARGET.findall(operands))
        falls = True
        if base == "BSSY":
            joins.setdefault(operands.split(",")[0], []).extend(targets)
            targets = ()
        elif base == "BSYNC":
            targets, falls = tuple(joins.get(operands.split(",")[0], ())), False
        elif base == "BRA":
            # BRA.U has its condition among the operands.
            falls = guard is not None or (".U" in name and "UP" in operands) or operands.startswith(("P", "!P"))
        elif base in ("EXIT", "RET", "JMP", "BRX", "BRXU", "JMX"):
            falls = guard is not None
        elif base == "CALL":
            targets = ()
        raw.append((guard, name, operands))
        instructions.append(gpu_listing.Instruction(f"{name} {operands}", kind, fmas, width, None, {},
                                                    targets, falls))
    for index, (_, name, _) in enumerate(raw):
        if name.startswith("BSYNC"):
            # Lanes meet at the end that the BSSY of their register named, which is the next one after this.
            after = [target for target in instructions[index].targets if labels.get(target, -1) > index]
            instructions[index].targets = tuple(sorted(after, key=labels.get)[:1])
    gpu_lanes.find_offsets(instructions, gpu_listing.blocks_of(instructions, labels), raw, local)
    for instruction, (_, name, _) in zip(instructions, raw):
        instruction.cycles = cycles(instruction, name.split(".")[0], rates)
    return instructions, labels


def cycles(instruction: gpu_listing.Instruction, base: str, rates: gpu_model.Nvidia) -> dict[str, float]:
    """Cycles of a multiprocessor per warp. Rates are warp instructions per cycle."""
    taken = {"issue": 1 / rates.issue}
    if instruction.kind in ("fma", "float"):
        taken["float"] = max(instruction.fmas, 1) / rates.fma
    elif base in MULTIPLY:
        taken["float"] = 1 / rates.integer
    elif instruction.kind == "integer":
        taken["integer"] = 1 / rates.integer
    elif base in RARE:
        taken["rare"] = 1 / rates.rare
    elif instruction.kind in ("load", "store", "atomic", "local load", "local store"):
        part = "local" if instruction.kind.startswith("local") or base == "ATOMS" else "global"
        taken[part] = 128 / rates.l1 * gpu_model.nvidia_access(
            instruction.width, instruction.offsets, part == "local")
    return taken


class Toolchain:
    """Compiles for NVIDIA's targets and reads the result.

    All programs go into one module: ptxas and nvdisasm take longer to start than for a program.
    """

    vendor = "NVIDIA"

    def __init__(self, tools: dict[str, str]):
        self.clang, self.ptxas, self.nvdisasm = tools["clang"], tools["ptxas"], tools["nvdisasm"]

    def compile_all(self, jobs: list[gpu_targets.Job], scratch: pathlib.Path,
                    pool: concurrent.futures.Executor) -> list[dict[str, dict]]:
        """For each job {target: registers, scalars, spill, stack, local, code} of its program's one kernel."""
        jobs = [(number, job) for number, job in enumerate(jobs)]
        modules = list(pool.map(lambda numbered: self.intermediate(*numbered, scratch), jobs))
        found = [{} for _ in jobs]
        targets = dict.fromkeys(target for _, job in jobs for target in job.targets)

        def compile_for(target: str):
            its = [number for number, job in jobs if target in job.targets]
            ptx, cubin = scratch / f"{target}.ptx", scratch / f"{target}.cubin"
            # One header serves all: the same compiler wrote them.
            ptx.write_text(modules[its[0]][0] + "".join(modules[number][1] for number in its))
            logs = self.logs(gpu_targets.run([self.ptxas, f"-arch={target}", "-v", ptx, "-o", cubin]))
            for number in its:
                found[number][target] = resources(logs[number]) | {"code": None}
            if target in gpu_model.NVIDIA:
                listings = SECTION.split(gpu_targets.run([self.nvdisasm, "-c", cubin]))
                texts = {int(number): text for number, text in zip(listings[1::2], listings[2::2])}
                for number in its:
                    code = parse(texts[number], target, jobs[number][1].local)
                    found[number][target]["code"] = gpu_model.read(
                        gpu_listing.loops_of(*code), gpu_model.NVIDIA[target].fma, gpu_lanes.LANES, together=True)
        list(pool.map(compile_for, targets))
        return found

    def intermediate(self, number: int, job: gpu_targets.Job, scratch: pathlib.Path) -> tuple[str, str]:
        """The header of the program's PTX, and the rest under names that no other program has."""
        path = scratch / f"{number}.ptx"
        gpu_targets.run([*gpu_targets.clang_command(self.clang, job.source, job.options, "nvptx64-nvidia-nvcl",
                                                    "nvptx64--nvidiacl.bc", path), "-Xclang", "-target-cpu", "-Xclang", "sm_70"])
        lines = path.read_text().splitlines(keepends=True)
        header = "".join(line for line in lines if line.startswith(HEADER))
        text = "".join(line for line in lines if not line.startswith(HEADER))
        names = re.findall(r"(?m)^(?:\.(?:visible|weak|extern)\s+)?\.(?:entry|func|const|global|shared)\b[^\[({=;]*?"
                           r"([\w$]+)\s*(?:\[|\(|=|;|$)", text)
        for name in names:
            text = re.sub(rf"(?<![\w$]){re.escape(name)}(?![\w$])", f"of{number}_{name}", text)
        return header, text

    @staticmethod
    def logs(text: str) -> dict[int, str]:
        """{number of the program: what ptxas -v says of it}."""
        parts = re.split(r"Compiling entry function 'of(\d+)_\w+'", text)
        return {int(number): log for number, log in zip(parts[1::2], parts[2::2])}


HEADER = (".version", ".target", ".address_size")
SECTION = re.compile(r"(?m)^\t\.section\t\.text\.of(\d+)_\w+,.*$")


def resources(log: str) -> dict:
    """A program's resources, from the output of ptxas -v."""
    def number(pattern: str) -> int:
        return int(re.search(pattern, log).group(1))
    shared = re.search(r"(\d+) bytes smem", log)
    return {"registers": number(r"Used (\d+) registers"), "scalars": None,
            "spill": number(r"(\d+) bytes spill stores") + number(r"(\d+) bytes spill loads"),
            "stack": number(r"(\d+) bytes stack frame"), "local": int(shared.group(1)) if shared else 0}
