"""The model of each architecture: how many cycles a compute unit's parts take, and the bound that follows. docs/kernels.md has
the sources."""

import collections

import gpu_listing

# Warp instructions per cycle and multiprocessor: issued; multiply-adds in float32; integer, of which multiply-adds run in
# the float unit; functions and conversions. CUDA C++ Programming Guide, "Arithmetic Instructions": results per cycle and
# multiprocessor, divided by the 32 lanes of a warp. And bytes per cycle of the L1 and local memory, which are one.
Nvidia = collections.namedtuple("Nvidia", "issue fma integer rare l1")
NVIDIA = {
    "sm_75": Nvidia(4, 2, 2, 0.5, 64),
    "sm_80": Nvidia(4, 2, 2, 0.5, 128),
    "sm_90": Nvidia(4, 4, 2, 0.5, 128),
    "sm_100": Nvidia(4, 4, 2, 0.5, 128),
    "sm_120": Nvidia(4, 4, 2, 0.5, 128),
}
# Work-items per wave; waves per cycle and compute unit of multiply-adds at their best (two in one instruction on CDNA 2 and 3,
# two instructions in one on RDNA 3), of vector instructions and of scalar ones; cycles that the addresses of an access take at
# least; bytes per cycle of the vector cache and of local memory. Sources in docs/kernels.md.
Amd = collections.namedtuple("Amd", "lanes fma vector scalar address cache local")
AMD = {
    "gfx90a": Amd(64, 2, 1, 1, 4, 64, 128),
    "gfx940": Amd(64, 2, 1, 1, 4, 64, 128),
    "gfx1030": Amd(32, 2, 2, 2, 1, 128, 128),
    "gfx1100": Amd(32, 4, 2, 2, 1, 128, 128),
}
# Vector engines per Xe core (on Gen9 EUs per subslice), float32 lanes of each, the fewest lanes that an instruction takes
# the time of, bytes per cycle of the core's cache and local memory, and if integers take the time of floats. Sources in
# docs/kernels.md.
Intel = collections.namedtuple("Intel", "engines lanes least memory one_pipe")
INTEL = {
    "skl": Intel(8, 8, 4, 64, True),
    "dg2-g10": Intel(16, 8, 8, 128, False),
    "pvc": Intel(8, 16, 16, 512, False),
}
LINE = 128
SECTOR = 32
BANKS = 32

# The least share of the peak that a kernel may be bound to on sm_90.
TARGETS = {"kmeans_assign": 0.75, "pca_project": 0.75, "covariance": 0.75, "kmeans_plus_plus_distances": 0.75,
           "conv2d_block_forward": 0.65, "conv2d_block_backward": 0.65, "conv2d_weight_gradients": 0.65,
           "classifier_step": 0.65}
TARGET_ON = "sm_90"
# Units of the device that a launch should fill: multiprocessors of an H100, compute units of an MI300X, Xe cores of a Data
# Center GPU Max 1550.
UNITS = {"NVIDIA": 132, "AMD": 304, "Intel": 128}


def nvidia_access(width: int, offsets: tuple[int, ...] | None, local: bool) -> int:
    """Cycles of 128 bytes that a warp's access takes the L1, which global and local memory share.

    All lanes at one address are served at once. Otherwise 64-bit accesses are served by half warps, 128-bit ones by quarters.
    Each part takes a cycle per line of 128 bytes in global memory, per word of one bank in local memory. Lanes whose
    addresses are not known are taken to be neighbours.
    """
    lanes = min(32, 128 // max(width, 4))
    if offsets is None:
        return 32 // lanes
    if len(set(offsets)) == 1:
        return 1
    taken = 0
    for first in range(0, 32, lanes):
        part = {offset - min(offsets) for offset in offsets[first:first + lanes]}
        if local:
            words = {offset // 4 + word for offset in part for word in range(max(1, width // 4))}
            taken += max(collections.Counter(word % BANKS for word in words).values())
        else:
            taken += len({offset // LINE for offset in part})
    return taken


def bounds(loop: gpu_listing.Loop, peak: float, together: bool) -> dict[str, float] | None:
    """{part: share of the peak in multiply-adds that it leaves}, or None without a multiply-add.

    `peak`: multiply-adds of a wave per cycle and unit. `together`: one unit serves global and local memory.
    issue: the schedulers' slots, or a unit of arithmetic where one is busy for longer; global: accesses to global memory;
    local: accesses to local memory; bound: the least of them.
    """
    if not loop.fmas:
        return None
    least = loop.fmas / peak

    def share(*parts: str) -> float:
        taken = sum(loop.total(part) for part in parts)
        return min(1.0, least / taken) if taken else 1.0

    found = {"issue": min(map(share, ("issue", "float", "integer", "rare"))), "global": share("global"),
             "local": share("local")}
    memory = share("global", "local") if together else min(found["global"], found["local"])
    return found | {"bound": min(found["issue"], memory)}


def sectors(instruction: gpu_listing.Instruction, lanes: int) -> int:
    """Bytes of the 32-byte sectors that an access of a wave touches, where lanes of unknown addresses are neighbours."""
    if instruction.offsets is None:
        return lanes * instruction.width
    first = min(instruction.offsets)
    return SECTOR * len({(offset - first + place) // SECTOR for offset in instruction.offsets
                         for place in range(0, instruction.width, 4)})


def asked(instruction: gpu_listing.Instruction, lanes: int) -> int:
    """Bytes that the lanes of a wave access, each once."""
    if instruction.offsets is None:
        return lanes * instruction.width
    return instruction.width * len(set(instruction.offsets))


def read(loops: list[gpu_listing.Loop], peak: float, lanes: int, together: bool) -> dict:
    """The report on a program: its hot loop, and each loop that multiplies and adds, with its depth, mix and bounds.

    l2_bytes_per_fma: bytes that loads fetch from the L2 if nothing is in the L1, per multiply-add of a lane.
    coalesced: the share of the bytes of all touched sectors that lanes asked for, in loads and stores of
    global memory that are not of one address.
    """
    def report(loop: gpu_listing.Loop) -> dict:
        accesses = [access for access in loop.accesses("load", "store") if not access.uniform]
        touched = sum(sectors(access, lanes) for access in accesses)
        loads = sum(sectors(load, lanes) for load in loop.accesses("load"))
        return {"depth": loop.depth, "fmas": loop.fmas, "mix": loop.mix(), "bounds": bounds(loop, peak, together),
                "l2_bytes_per_fma": loads / (lanes * loop.fmas) if loop.fmas else None,
                "coalesced": min(1.0, sum(asked(access, lanes) for access in accesses) / touched) if touched else None}
    hot = gpu_listing.hot_loop(loops)
    return {"hot": report(hot), "loops": [report(loop) for loop in loops if loop.fmas]}
