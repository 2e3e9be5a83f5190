"""Intel's machine code by ocloc, the driver's own compiler without a device, and its disassembler."""

import pathlib
import re

import gpu_listing
import gpu_model
import gpu_targets

TARGETS = tuple(gpu_model.INTEL)
LABEL = re.compile(r"^(L\d+):")
CODE = re.compile(r"^\s*(?:\(([^)]*)\))?\s*([a-z][a-z0-9_.]*)\s*(?:\((\d+)\|M\d+\))?\s*(.*)$")
# Patch tokens of a kernel that tell what it takes: scratch memory, local memory, the width that it was compiled for.
SCRATCH, LOCAL, ENVIRONMENT = 18, 15, 23
NO_ARITHMETIC = ("sync", "nop", "jmpi", "goto", "join", "brd", "brc", "while", "if", "else", "endif", "break", "cont",
                 "halt", "call", "calla", "ret")


def width_of(message: str) -> tuple[int, bool]:
    """(bytes per lane, True if one block serves all lanes) of a message such as load.ugm.d32x4t.a32 or untyped surface read
    with xyzw."""
    if found := re.search(r"\.d(\d+)(?:u\d+)?(?:x(\d+)(t?))?", message):
        return int(found.group(1)) // 8 * int(found.group(2) or 1), bool(found.group(3))
    if found := re.search(r"oword.* x(\d+)", message):
        return 16 * int(found.group(1)), True
    if found := re.search(r"with ([xyzw]+)", message):
        return 4 * len(found.group(1)), False
    return (1 if "byte" in message else 4), False


def classify_message(message: str, descriptor: int) -> tuple[str, int, bool]:
    """(kind, bytes, uniform) of a send, by its decoded description."""
    if "barrier" in message:
        return "barrier", 0, False
    if "end of thread" in message:
        return "branch", 0, False
    if "fence" in message:
        return "other", 0, False
    width, uniform = width_of(message)
    # Surface 254 is local memory.
    local = ".slm" in message or ("." not in message.split(";")[-1] and descriptor & 0xFF == 0xFE)
    if "atomic" in message:
        return "atomic", width, uniform
    if "store" in message or "write" in message:
        return ("local store" if local else "store"), width, uniform
    if "load" in message or "read" in message:
        return ("local load" if local else "load"), width, uniform
    return "other", 0, False


def classify(name: str, operands: str) -> str:
    """Kind of an instruction that is no send: by the type of what it writes."""
    base = name.split(".")[0]
    floats = re.search(r":(f|hf|df)\b", operands.split()[0] if base != "cmp" else operands) is not None
    if base == "mad" or base == "mac":
        return "fma" if floats else "integer"
    if base in ("mov", "movi"):
        return "other"
    return "float" if floats or base == "math" else "integer"


def parse(listing: str, target: str, simd: int) -> tuple[list[gpu_listing.Instruction], dict[str, int]]:
    """(instructions, labels) of a disassembled kernel of that many work-items per thread."""
    rates = gpu_model.INTEL[target]
    instructions, labels = [], {}
    for line in listing.splitlines():
        if found := LABEL.match(line):
            labels[found.group(1)] = len(instructions)
            continue
        code, _, comment = line.partition("//")
        found = CODE.match(code)
        if not found or not code.strip():
            continue
        guard, name, lanes, operands = found.groups()
        lanes = int(lanes or 1)
        base = name.split(".")[0]
        guarded = guard is not None and "f" in guard
        instruction = gpu_listing.Instruction(code.strip(), "other", weight=lanes / simd)
        if base in ("send", "sends", "sendc"):
            descriptor = int(re.findall(r"0x([0-9A-Fa-f]+)", operands)[-1], 16)
            instruction.kind, instruction.width, uniform = classify_message(comment, descriptor)
            if uniform or instruction.kind == "barrier":
                instruction.offsets, instruction.weight = (0,) * simd, 1.0
            instruction.falls = "EOT" not in operands
        elif base in NO_ARITHMETIC:
            if base not in ("sync", "nop"):
                instruction.kind, instruction.weight = "branch", 1.0
                instruction.targets = tuple(re.findall(r"\bL\d+\b", operands))
                instruction.falls = guarded or base not in ("jmpi", "goto", "ret", "halt", "break", "cont")
        else:
            instruction.kind = classify(name, operands)
            instruction.fmas = lanes / simd if instruction.kind == "fma" else 0.0
        instruction.cycles = cycles(instruction, base, operands, lanes, rates)
        instructions.append(instruction)
    return instructions, labels


def cycles(instruction: gpu_listing.Instruction, base: str, operands: str, lanes: int,
           rates: gpu_model.Intel) -> dict[str, float]:
    """Cycles of an Xe core (a subslice of Gen9) per thread, of which each vector engine runs its own."""
    if instruction.kind in ("load", "store", "atomic", "local load", "local store"):
        uniform = instruction.offsets is not None
        moved = instruction.width * (1 if uniform else lanes)
        return {"local" if instruction.kind.startswith("local") else "global": max(1, moved / rates.memory)}
    if base in NO_ARITHMETIC or base.startswith("send"):
        return {}
    taken = max(lanes, rates.least) / rates.lanes / rates.engines
    if base == "math":
        return {"rare": taken * 4}
    floats = instruction.kind in ("fma", "float") or re.search(r":f\b", operands.split()[0]) is not None
    return {"float" if floats or rates.one_pipe else "integer": taken}


def tokens(text: str) -> dict[int, list[int]]:
    """{token: its numbers of 32 bits} of a kernel's patch tokens."""
    found = {}
    for token, numbers in re.findall(r"4 Token (\d+)\n\t4 Size \d+\n\tHex ([0-9a-f ]+)", text):
        data = bytes(int(byte, 16) for byte in numbers.split())
        found[int(token)] = [int.from_bytes(data[place:place + 4], "little") for place in range(0, len(data), 4)]
    return found


class Toolchain(gpu_targets.ByProgram):
    """Compiles for Intel's targets and reads the result. `root` has the unpacked packages of ocloc."""

    vendor = "Intel"

    def __init__(self, tools: dict[str, str]):
        self.root = pathlib.Path(tools["ocloc"])
        library = next(self.root.glob("usr/lib/*/libocloc.so")).parent
        self.environment = {"LD_LIBRARY_PATH": str(library)}

    def compile(self, job: gpu_targets.Job, scratch: pathlib.Path) -> dict[str, dict]:
        """{target: registers, scalars, spill, stack, local, lanes, code} of the program's one kernel."""
        scratch.mkdir()
        found = {}
        ocloc = self.root / "usr" / "bin" / "ocloc"
        for target in job.targets:
            log = gpu_targets.run([ocloc, "compile", "-file", job.source, "-device", target, "-options", job.options,
                                   "-output", target, "-output_no_suffix", "-out_dir", scratch], self.environment)
            dump = scratch / f"dump-{target}"
            gpu_targets.run([ocloc, "disasm", "-file", scratch / target, "-device", target, "-dump", dump], self.environment)
            listing = list(dump.glob("*_KernelHeap.asm"))
            if len(listing) != 1:
                raise gpu_targets.ToolFailed(f"ocloc disasm -device {target} gave {len(listing)} listings of {job.source}")
            token = tokens((dump / "PTM.txt").read_text())
            simd = token[ENVIRONMENT][3]
            spill = re.search(r"spilled around (\d+)", log)
            scratch_memory = token.get(SCRATCH, [0, 0])[1]
            rates = gpu_model.INTEL[target]
            loops = gpu_listing.loops_of(*parse(listing[0].read_text(), target, simd))
            found[target] = {
                "registers": 128, "scalars": None, "spill": int(spill.group(1)) if spill else 0,
                "stack": 0 if spill else scratch_memory // simd, "local": token.get(LOCAL, [0, 0])[1], "lanes": simd,
                "code": gpu_model.read(loops, rates.engines * rates.lanes / simd, simd, together=True)}
        return found
