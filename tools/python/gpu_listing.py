"""Machine code of any vendor as basic blocks and loops. tools/check-gpu-code reads it."""

import collections
import dataclasses

# Kinds of instructions, in the order in which a mix is printed. "wide" accesses are those of more than 4 bytes a lane.
KINDS = ("fma", "float", "integer", "load", "store", "local load", "local store", "scalar load", "scalar", "atomic",
         "barrier", "branch", "other")


@dataclasses.dataclass
class Instruction:
    """One instruction, as its vendor's reader understands it."""

    text: str
    kind: str
    # Multiply-adds in float32 per work-item.
    fmas: float = 0.0
    # Bytes per work-item that an access moves.
    width: int = 0
    # Each lane's address less that of the first, where that is known, in bytes.
    offsets: tuple[int, ...] | None = None
    # Cycles of a compute unit that its parts are busy with it, per wave: "issue", "float", "integer", "rare" (functions and
    # conversions), "global" and "local" (accesses to that memory).
    cycles: dict[str, float] = dataclasses.field(default_factory=dict)
    # Labels that it may jump to, and if the next instruction may follow.
    targets: tuple[str, ...] = ()
    falls: bool = True
    # Part of the work-items that it does its work for.
    weight: float = 1.0

    @property
    def uniform(self) -> bool:
        """All lanes access one address."""
        return self.offsets is not None and len(set(self.offsets)) == 1


@dataclasses.dataclass
class Loop:
    """The instructions whose innermost loop this is; of depth 0, those outside every loop."""

    depth: int
    instructions: list[Instruction]

    def total(self, part: str) -> float:
        return sum(instruction.cycles.get(part, 0.0) for instruction in self.instructions)

    @property
    def fmas(self) -> float:
        return sum(instruction.fmas for instruction in self.instructions)

    def mix(self) -> dict[str, float]:
        """{kind: instructions per work-item}, of "fma" multiply-adds; accesses by their width, as "load 16"."""
        counts = collections.Counter()
        for instruction in self.instructions:
            width = f" {instruction.width}" if instruction.width else ""
            uniform = " uniform" if instruction.width and instruction.uniform else ""
            counts[instruction.kind + width + uniform] += instruction.fmas or instruction.weight
        whole = {entry: int(number) if number == int(number) else round(number, 2) for entry, number in counts.items()}
        return dict(sorted(whole.items(), key=lambda item: (KINDS.index(kind_of(item[0])), item[0])))

    def accesses(self, *kinds: str) -> list[Instruction]:
        return [instruction for instruction in self.instructions if instruction.kind in kinds]


def kind_of(entry: str) -> str:
    """The kind of an entry of a mix: "local load" of "local load 16 uniform"."""
    return next(kind for kind in sorted(KINDS, key=len, reverse=True) if entry.startswith(kind))


def blocks_of(instructions: list[Instruction], labels: dict[str, int]) -> list[tuple[int, int, set[int]]]:
    """[(first, last + 1, successors)] of basic blocks. `labels` is {label: index of the instruction after it}."""
    starts = {0} | {place for place in labels.values() if place < len(instructions)}
    starts |= {index + 1 for index, instruction in enumerate(instructions[:-1])
               if instruction.targets or not instruction.falls}
    starts = sorted(starts)
    number = {start: block for block, start in enumerate(starts)}
    blocks = []
    for block, start in enumerate(starts):
        end = starts[block + 1] if block + 1 < len(starts) else len(instructions)
        last = instructions[end - 1]
        successors = {number[labels[target]] for target in last.targets if labels.get(target, len(instructions))
                      < len(instructions)}
        if last.falls and end < len(instructions):
            successors.add(block + 1)
        blocks.append((start, end, successors))
    return blocks


def dominators(blocks: list[tuple[int, int, set[int]]]) -> tuple[list[int], list[list[int]]]:
    """For each block the blocks, as bits, that every path to it passes, 0 where no path leads; and the blocks before it."""
    everything = (1 << len(blocks)) - 1
    before = [[] for _ in blocks]
    for block, (_, _, successors) in enumerate(blocks):
        for successor in successors:
            before[successor].append(block)
    reached, waiting = {0}, [0]
    while waiting:
        for successor in blocks[waiting.pop()][2]:
            if successor not in reached:
                reached.add(successor)
                waiting.append(successor)
    found = [everything if block in reached else 0 for block in range(len(blocks))]
    found[0] = 1
    changed = True
    while changed:
        changed = False
        for block in range(1, len(blocks)):
            if block in reached:
                common = everything
                for other in before[block]:
                    if other in reached:
                        common &= found[other]
                if common | 1 << block != found[block]:
                    found[block] = common | 1 << block
                    changed = True
    return found, before


def loops_of(instructions: list[Instruction], labels: dict[str, int]) -> list[Loop]:
    """All loops that have instructions of their own, and the code outside loops as one of depth 0.

    A loop is what can reach a back edge, a jump to a block that dominates the jumping one, without passing that block.
    """
    blocks = blocks_of(instructions, labels)
    dominating, before = dominators(blocks)
    bodies = {}
    for block, (_, _, successors) in enumerate(blocks):
        for header in successors:
            if dominating[block] >> header & 1:
                body = bodies.setdefault(header, {header})
                waiting = [block]
                while waiting:
                    member = waiting.pop()
                    if member not in body:
                        body.add(member)
                        waiting += [other for other in before[member] if dominating[other]]
    members = collections.defaultdict(list)
    for block in range(len(blocks)):
        if dominating[block]:
            around = [header for header, body in bodies.items() if block in body]
            inner = min(around, key=lambda header: len(bodies[header]), default=None)
            members[inner, len(around)].append(block)
    return [Loop(depth, [instruction for block in its for instruction in instructions[blocks[block][0]:blocks[block][1]]])
            for (_, depth), its in members.items()]


def hot_loop(loops: list[Loop]) -> Loop:
    """The loop that most of the time is spent in: the one with most multiply-adds, or without any the most bytes accessed.

    A level of nesting counts for three: more, and the remainders of unrolled loops, small and nested as deep or deeper, would be
    taken for the loops themselves. A body that is unrolled entirely counts as a part of the loop around it.
    """
    def weight(loop: Loop) -> tuple[float, int, int]:
        times = 3 ** loop.depth
        accessed = sum(access.width for access in loop.accesses("load", "store", "local load", "local store", "atomic"))
        return loop.fmas * times, accessed * times, len(loop.instructions) * times
    return max(loops, key=weight)
