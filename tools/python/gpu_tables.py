"""The tables that tools/check-gpu-code prints."""

import typing

import gpu_listing

RESOURCES = ("kernel", "target", "registers", "spill", "stack", "local", "occupancy", "work-groups", "work-items", "per unit")
CODE = ("kernel", "target", "issue", "global", "local", "bound", "B/fma", "coalesced", "depth", "hot loop")
SHORT = {"local load": "local", "local store": "to local", "scalar load": "scalar"}


def percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f}%"


def mix_in_short(mix: dict[str, float]) -> str:
    """"16 fma, 6 integer, 1 load 4, 16 load 4 uniform": what a hot loop has, without what only moves values."""
    parts = []
    for entry, number in mix.items():
        kind = gpu_listing.kind_of(entry)
        if kind != "other":
            parts.append(f"{number} {SHORT.get(kind, kind)}{entry.removeprefix(kind)}")
    return ", ".join(parts)


def resources(row: dict) -> tuple[str, ...]:
    registers = str(row["registers"]) + ("" if row["scalars"] is None else f"/{row['scalars']}")
    return (row["kernel"], row["target"], registers, str(row["spill"]), str(row["stack"]), str(row["local"]),
            percent(row["occupancy"]), f"{row['groups']} x {row['group_items']}", str(row["items"]),
            f"{row['groups_per_unit']:.2g}")


def code(row: dict) -> tuple[str, ...]:
    hot = row["code"]["hot"]
    shares = hot["bounds"] or {}
    traffic = hot["l2_bytes_per_fma"]
    return (row["kernel"], row["target"], *(percent(shares.get(part)) for part in ("issue", "global", "local", "bound")),
            "" if traffic is None else f"{traffic:.2f}", percent(hot["coalesced"]), str(hot["depth"]), mix_in_short(hot["mix"]))


def worst(rows: list[dict], rank: typing.Callable) -> list[dict]:
    """For each kernel and target the row with the lowest rank."""
    found = {}
    for row in rows:
        key = (row["kernel"], row["target"])
        if key not in found or rank(row) < rank(found[key]):
            found[key] = row
    return list(found.values())


def print_columns(heads: tuple[str, ...], shown: list[dict], cells: typing.Callable, every: bool, left: tuple[int, ...]):
    """Prints a line for each row; the columns numbered in `left` are aligned to the left."""
    lines = [heads, *map(cells, shown)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for index, line in enumerate(lines):
        text = "  ".join(cell.ljust(width) if column in left else cell.rjust(width)
                         for column, (cell, width) in enumerate(zip(line, widths)))
        print((text + (f"  {shown[index - 1]['defines']}" if every and index else "")).rstrip())


def print_resources(rows: list[dict], every: bool):
    # The worst specialisation: a spill, then a stack, then the fewest work-items at once.
    shown = rows if every else worst(
        rows, lambda row: (-row["spill"], -row["stack"], row["occupancy"], -row["registers"]))
    print_columns(RESOURCES, shown, resources, every, (0, 1))


def print_code(rows: list[dict], every: bool):
    """The hot loops, of each kernel and target the one with the lowest bound."""
    rows = [row for row in rows if row["code"]]

    def rank(row):
        hot = row["code"]["hot"]
        return hot["bounds"]["bound"] if hot["bounds"] else 2.0, -(hot["coalesced"] or 0)
    print_columns(CODE, rows if every else worst(rows, rank), code, every, (0, 1, len(CODE) - 1))
