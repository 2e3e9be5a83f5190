"""The addresses of a warp's lanes relative to each other, by following NVIDIA's registers from the local id to the access.

A value is None, if unknown, or (modulus, offsets): lane i has a number that is the same for all lanes and a multiple of the
modulus, plus offsets[i]. Modulus 0 means that this number is 0. Lanes are taken to go through a program together.
"""

import math
import re
import struct

LANES = 32
ZEROS = (0,) * LANES
LANE = tuple(range(LANES))
UNIFORM = (1, ZEROS)
Value = tuple[int, tuple[int, ...]] | None
REGISTER = re.compile(r"^[-~|!]*(U?R(?:\d+|Z))\b")
NUMBER = re.compile(r"^-?0x[0-9a-f]+$|^-?\d+$")


def exact(number: int) -> Value:
    return 0, ZEROS if number == 0 else (number,) * LANES


def is_uniform(value: Value) -> bool:
    return value is not None and (value[1] is ZEROS or all(offset == value[1][0] for offset in value[1]))


def constant(value: Value) -> int | None:
    """The number that is known exactly and the same in all lanes, or None."""
    return value[1][0] if value is not None and value[0] == 0 and is_uniform(value) else None


def add(first: Value, second: Value) -> Value:
    if first is None or second is None:
        return None
    if second[1] is ZEROS:
        return math.gcd(first[0], second[0]), first[1]
    if first[1] is ZEROS:
        return math.gcd(first[0], second[0]), second[1]
    return math.gcd(first[0], second[0]), tuple(map(int.__add__, first[1], second[1]))


def scale(value: Value, factor: int) -> Value:
    if value is None:
        return None
    if factor == 0:
        return exact(0)
    return value[0] * abs(factor), value[1] if value[1] is ZEROS else tuple(offset * factor for offset in value[1])


def multiply(first: Value, second: Value) -> Value:
    for one, other in ((first, second), (second, first)):
        if (number := constant(other)) is not None:
            return scale(one, number)
    if is_uniform(first) and is_uniform(second):
        modulus = next((value[0] for value in (first, second) if value[1][0] == 0), 1)
        return modulus, ZEROS
    return None


def shift_right(value: Value, places: int | None) -> Value:
    if value is None or places is None:
        return UNIFORM if is_uniform(value) else None
    if value[0] % (1 << places) == 0:
        return value[0] >> places, tuple(offset >> places for offset in value[1])
    return UNIFORM if is_uniform(value) else None


def mask(value: Value, bits: int) -> Value:
    """value & bits, where bits is a constant."""
    if value is None:
        return None
    if bits >= 0 and value[0] % (1 << bits.bit_length()) == 0:
        return 0, tuple(offset & bits for offset in value[1])
    # A mask that clears the low bits leaves multiples of the modulus as they are.
    low = (bits & -bits) - 1 if bits else 0
    if (bits | low) & 0xFFFFFFFF == 0xFFFFFFFF and value[0] % (low + 1) == 0:
        return value[0], tuple(offset & ~low for offset in value[1])
    return UNIFORM if is_uniform(value) else None


def join(first: Value, second: Value) -> Value:
    """The most that holds of both values."""
    if first is None or second is None or first == second:
        return first if first == second else None
    difference = second[1][0] - first[1][0]
    if any(b - a != difference for a, b in zip(first[1], second[1])):
        return None
    return math.gcd(first[0], second[0], difference), first[1]


def local_ids(local: list[int]) -> dict[str, Value]:
    """{"X": value ...} of the local id in a work-group of that size."""
    x, y, z = (list(local) + [1, 1, 1])[:3]
    if x % LANES == 0:
        return {"X": (0 if x == LANES else LANES, LANE), "Y": UNIFORM, "Z": UNIFORM}
    if LANES % x == 0 and x * y % LANES == 0:
        rows = LANES // x
        return {"X": (0, tuple(lane % x for lane in LANE)),
                "Y": (0 if y == rows else rows, tuple(lane // x for lane in LANE)), "Z": UNIFORM}
    return {"X": None, "Y": None, "Z": None}


class Lanes:
    """Follows registers through instructions. A state is {register: value}; a register that nothing has written is absent."""

    def __init__(self, ids):
        self.ids = ids

    def read(self, state: dict[str, Value], operand: str) -> Value:
        operand = operand.replace(".reuse", "")
        if operand == "SRZ":
            return exact(0)
        if NUMBER.match(operand):
            return exact(int(operand, 0))
        if found := REGISTER.match(operand):
            name = found.group(1)
            if name in ("RZ", "URZ"):
                return exact(0)
            value = state.get(name, UNIFORM if name.startswith("U") else None)
            return scale(value, -1) if operand.startswith("-") else value if operand[0] != "~" else (
                UNIFORM if is_uniform(value) else None)
        if operand.startswith(("c[", "cx[", "P", "!P", "UP", "!UP")):
            return UNIFORM
        return UNIFORM if re.match(r"^[-+]?[\d.]|^[+-]?(INF|QNAN)", operand) else None

    def address(self, state: dict[str, Value], operands: str) -> Value:
        """The value of an access's address, such as desc[UR6][R2.64+0x100] or [R5.X16+UR4]."""
        found = re.findall(r"\[([^\[\]]*)\]", operands)
        if not found:
            return None
        total = exact(0)
        for part in found[-1].replace("-0x", "+-0x").split("+"):
            if part:
                name, _, suffix = part.partition(".X")
                value = self.read(state, name.split(".")[0])
                total = add(total, scale(value, int(suffix)) if suffix.isdigit() else value)
        return total

    def step(self, state: dict[str, Value], guard: str | None, name: str, operands: str, width: int):
        """Changes the state as the instruction does."""
        parts = [part.strip() for part in operands.split(",")]
        found = re.match(r"^(U?R)(\d+)", parts[0]) if parts[0] else None
        base = name.split(".")[0]
        if not found or base.startswith(("ST", "RED", "ISETP", "FSETP", "BSSY", "BSYNC", "BAR")):
            return
        bank, number = found.group(1), int(found.group(2))
        sources = [part for part in parts[1:] if not re.match(r"^!?U?P(\d|T)", part)]
        value = self.result(state, name, base[1:] if bank == "UR" and base[0] == "U" else base, sources, operands)
        registers = max(1, width // 4)
        wide = ".WIDE" in name or ".64" in name or base == "CS2R" and ".32" not in name or base[0] == "D"
        if wide and registers == 1:
            registers = 2
        for place in range(registers):
            result = value
            # The upper half of an address; what is loaded, or is 0, is as known as its lower half.
            if place and base not in ("CS2R", "MOV") and not base.startswith("L") and value is not None:
                result = UNIFORM
            register = f"{bank}{number + place}"
            state[register] = join(state.get(register), result) if guard and register in state else result

    def result(self, state: dict[str, Value], name: str, base: str, sources: list[str], operands: str) -> Value:
        if base == "S2R":
            kind, _, axis = sources[0].removeprefix("SR_").partition(".")
            if kind == "TID":
                return self.ids[axis]
            return {"LANEID": (0, LANE), "CTAID": UNIFORM}.get(kind)
        if base in ("S2UR", "LDC", "LDCU", "ULDC"):
            return UNIFORM
        if base.startswith("LD"):
            return UNIFORM if is_uniform(self.address(state, operands)) else None
        values = [self.read(state, source) for source in sources]
        if base == "IMAD" and len(values) >= 3 and ".HI" not in name:
            return add(multiply(values[0], values[1]), values[2])
        if base in ("IADD3", "VIADD", "IADD", "IADD2"):
            total = exact(0)
            for value in values:
                total = add(total, value)
            return total
        if base == "LEA" and ".HI" not in name and len(values) >= 3:
            places = constant(values[2])
            return add(scale(values[0], 1 << places), values[1]) if places is not None else None
        if base == "LEA" and name.endswith(".X"):
            return UNIFORM if values[0] is not None else None
        if base in ("SHF", "SHL", "SHR"):
            return self.shifted(name, base, values)
        if base == "LOP3" and len(values) >= 4:
            return self.logic(values, constant(values[3]))
        if base in ("MOV", "CS2R", "R2UR") and values:
            return values[0]
        if base == "HFMA2" and [source.lstrip("-") for source in sources[:2]] == ["RZ", "RZ"]:
            # A way to load a constant: two halves, of which 2^-24 is the bits 0x0001.
            high, low = (struct.unpack("<H", struct.pack("<e", float(source)))[0] for source in sources[2:4])
            return exact(high << 16 | low)
        return UNIFORM if values and all(map(is_uniform, values)) else None

    @staticmethod
    def shifted(name: str, base: str, values: list[Value]) -> Value:
        places = constant(values[1]) if len(values) > 1 else None
        if base == "SHF":
            if ".R" in name and ".HI" in name and len(values) > 2:
                return shift_right(values[2], places)
            if ".L" in name and ".HI" not in name and places is not None:
                return scale(values[0], 1 << places)
            # The lower half of a pair shifted right, of which the lower register is 0.
            if ".R.S64" in name and constant(values[0]) == 0 and places is not None and 0 < places < 32:
                return scale(values[2], 1 << 32 - places)
        elif places is not None:
            return shift_right(values[0], places) if base == "SHR" else scale(values[0], 1 << places)
        return UNIFORM if all(map(is_uniform, values)) else None

    @staticmethod
    def logic(values: list[Value], table: int | None) -> Value:
        first, second, third = values[:3]
        result = None
        if table in (0xC0, 0xF8):
            for one, other in ((first, second), (second, first)):
                if (bits := constant(other)) is not None:
                    result = mask(one, bits)
            if result is None and is_uniform(first) and is_uniform(second):
                result = UNIFORM
        elif table in (0xFC, 0x3C, 0xFE):
            result = combine(first, second)
            return combine(result, third) if table == 0xFE else result
        if table == 0xF8:
            return combine(result, third)
        if result is None and all(map(is_uniform, values[:3])):
            return UNIFORM
        return result


def combine(first: Value, second: Value) -> Value:
    """first | second or first ^ second, where no bit is set in both; None if that is not known."""
    if first is None or second is None:
        return None
    for one, other in ((first, second), (second, first)):
        low = max(other[1]).bit_length() if other[0] == 0 and min(other[1]) >= 0 else None
        if low is not None and one[0] % (1 << low) == 0 and all(offset % (1 << low) == 0 for offset in one[1]):
            return add(one, other)
    return UNIFORM if is_uniform(first) and is_uniform(second) else None


def find_offsets(instructions: list, blocks: list[tuple[int, int, set[int]]],
                 raw: list[tuple[str | None, str, str]], local: list[int]):
    """Sets the offsets of every access. `raw` has (guard, name, operands) of each instruction; `local` is a work-group's size."""
    lanes = Lanes(local_ids(local))
    states = {0: {}}
    waiting = [0]
    rounds = dict.fromkeys(range(len(blocks)), 0)
    while waiting:
        block = waiting.pop(0)
        start, end, successors = blocks[block]
        state = dict(states[block])
        for index in range(start, end):
            instruction = instructions[index]
            if instruction.width:
                address = lanes.address(state, raw[index][2])
                instruction.offsets = address[1] if address is not None else None
            lanes.step(state, *raw[index], instruction.width)
        for successor in successors:
            if successor not in states:
                states[successor] = dict(state)
            else:
                old = states[successor]
                merged = {register: join(value, state[register]) if register in state else value
                          for register, value in old.items()}
                merged |= {register: value for register, value in state.items() if register not in old}
                if merged == old or rounds[successor] > 40:
                    continue
                states[successor] = merged
            rounds[successor] += 1
            if successor not in waiting:
                waiting.append(successor)
