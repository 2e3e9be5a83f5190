"""Faults that are planted into copies of the kernels to see whether verify_everywhere.py notices them."""

import dataclasses
import pathlib
import shutil
import tempfile


@dataclasses.dataclass
class Fault:
    """`before` in a file of Kernels becomes `after`; `kernel` is verified with it."""
    name: str
    file: str
    kernel: str
    before: str
    after: str
    # What Oclgrind has to report; none where the numbers have to be wrong, on every implementation.
    finding: str | None = None


FAULTS = [
    Fault("a wrong sign", "linear.clh", "classifier_step", "rectified ? relu(sum[k][o]) : sum[k][o]",
          "rectified ? relu(sum[k][o]) : -sum[k][o]"),
    Fault("a race in local memory", "block_statistics.clh", "conv2d_block_forward",
          "    team_barrier();\n    for (int place = item_number(); place < channels * STRIPS; place += ITEMS) {\n        const int strip",
          "    for (int place = item_number(); place < channels * STRIPS; place += ITEMS) {\n        const int strip",
          finding=r"(?i)read-write data race.* local"),
    Fault("a race in global memory", "kmeans_accumulate.cl", "kmeans_accumulate",
          "if (lane == 0) partial_count[cluster]++;", "partial_count[cluster]++;",
          finding=r"(?i)data race.* global"),
    Fault("a read behind the end", "points_pack.cl", "points_pack",
          "rows + (size_t)row * D", "rows + (size_t)(row + 100000) * D", finding=r"(?i)invalid read"),
    Fault("a write behind the end", "points_pack.cl", "points_pack",
          "out[column * P + lane] = row", "out[column * P + lane + 100000 * P] = row", finding=r"(?i)invalid write"),
    Fault("a read of what was never written", "pca_project.cl", "pca_project",
          "p < by_rows; p++", "p < by_rows - 1; p++", finding=r"(?i)uninitialized value"),
    Fault("an argument of another size", "points_pack.cl", "points_pack",
          "const int first_tile", "const long first_tile", finding=r"CL_INVALID_ARG_SIZE"),
    # A division and its remainder together make an instruction that Oclgrind does not know, at which it ends the kernel
    # as if it were done.
    Fault("an instruction that ends the kernel", "points_gather.cl", "points_gather",
          "(index - from_tile * P)", "(index % P)", finding=r"Unsupported instruction: freeze"),
    Fault("a kernel that ends early", "points_gather.cl", "points_gather",
          "const int tile = get_group_id(0);", "const int tile = get_group_id(0);\n    if (tile == 0) return;"),
]


def kernels_with(fault, kernels, scratch):
    """A copy of the folder `kernels` with the fault in it."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=scratch, prefix="kernels"))
    for file in pathlib.Path(kernels).iterdir():
        shutil.copy(file, folder)
    text = (folder / fault.file).read_text()
    if text.count(fault.before) != 1:
        raise SystemExit(f"plants: {fault.file} has {text.count(fault.before)} places for {fault.name}, 1 is wanted")
    (folder / fault.file).write_text(text.replace(fault.before, fault.after))
    return folder
