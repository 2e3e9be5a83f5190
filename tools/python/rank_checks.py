"""Shared parts of the checks of ranks: made samples, the launchers of two MPIs, and clusterings by one process to compare with."""

import array
import os
import random
import struct
import subprocess
from pathlib import Path

FILES = ("labels.npy", "distances.npy", "centroids.npy")


def environment(**more: str) -> dict[str, str]:
    """The variables of a launcher. Open MPI refuses root, and more ranks than cores, unless it is told that both are meant."""
    openmpi = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
               "OMPI_MCA_rmaps_base_oversubscribe": "1"}
    return {name: value for name, value in os.environ.items() if name != "COPPICE_MPI"} | openmpi | more


def write_npy(path: Path, kind: str, shape: tuple[int, ...], values: array.array) -> None:
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        values.tofile(file)


def write_noise(path: Path, rows: int, columns: int, seed: int) -> None:
    """Uniform float32 numbers, which Lloyd's iterations take long to sort."""
    numbers = random.Random(seed)
    write_npy(path, "<f4", (rows, columns), array.array("f", (numbers.random() for _ in range(rows * columns))))


def alone(program: str, *arguments: str) -> None:
    """Runs the program as one process."""
    ended = subprocess.run([program, *arguments, "--quiet"], env=environment(COPPICE_MPI="none"),
                           stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert ended.returncode == 0, f"one process ended with {ended.returncode}: {ended.stderr}"


def differences(found: Path, expected: Path) -> list[str]:
    """The names of the files that only one of the folders has, or that differ."""
    names = {entry.name for folder in (found, expected) if folder.is_dir() for entry in folder.iterdir()}
    return sorted(
        name for name in names
        if not ((found / name).is_file() and (expected / name).is_file()
                and (found / name).read_bytes() == (expected / name).read_bytes())
    )


def marked(mark: str) -> dict[int, str]:
    """The running processes that have this entry, `NAME=VALUE`, in their environment: their names by their numbers."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                if (folder / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                    found[int(folder.name)] = (folder / "comm").read_text().strip()
        except OSError:
            pass
    return found
