"""The GPUs that programs are compiled for, and the share of their work-items that a compute unit can hold at once."""

import collections
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import typing

# Limits of a compute unit.
# NVIDIA: CUDA C++ Programming Guide, "Technical Specifications per Compute Capability"; register and shared-memory
# granularity as in NVIDIA's occupancy calculator: registers go to warps in units of 256, warps to 4 schedulers.
Nvidia = collections.namedtuple("Nvidia", "warps groups registers shared shared_unit shared_reserved")
# AMD: LLVM's "User Guide for AMDGPU Backend" and the ISA guides of CDNA 2, CDNA 3, RDNA 2 and RDNA 3: waves of `wave`
# work-items on `simds` units, each with `registers` vector registers a lane, given out in units of `unit`.
Amd = collections.namedtuple("Amd", "wave simds waves registers unit local groups")
# Intel: "Intel Processor Graphics Gen9" and the oneAPI GPU Optimization Guide: `engines` vector engines with `threads` hardware
# threads of 128 registers each, whatever a program takes; `local` bytes of local memory.
Intel = collections.namedtuple("Intel", "engines threads local groups")
TARGETS = {
    "sm_70": Nvidia(64, 32, 65536, 98304, 256, 0),
    "sm_75": Nvidia(32, 16, 65536, 65536, 256, 0),
    "sm_80": Nvidia(64, 32, 65536, 167936, 128, 1024),
    "sm_90": Nvidia(64, 32, 65536, 233472, 128, 1024),
    "sm_100": Nvidia(64, 32, 65536, 233472, 128, 1024),
    "sm_120": Nvidia(48, 24, 65536, 102400, 128, 1024),
    "gfx90a": Amd(64, 4, 8, 512, 8, 65536, 16),
    "gfx940": Amd(64, 4, 8, 512, 8, 65536, 16),
    "gfx1030": Amd(32, 2, 16, 1024, 16, 65536, 16),
    "gfx1100": Amd(32, 2, 16, 1536, 24, 65536, 16),
    "skl": Intel(8, 7, 65536, 16),
    "dg2-g10": Intel(16, 8, 131072, 64),
    "pvc": Intel(8, 8, 131072, 64),
}


# A program to compile: the file with its source, the build options, the size of its work-groups, the targets.
Job = collections.namedtuple("Job", "source options local targets")
# Compiled only for the kernels that have a bound to reach, and of each for the program with the largest launch, unless
# they are asked for: compiling for them takes longest.
FEW = ("gfx940", "gfx1100", "skl", "dg2-g10", "pvc")


def vendor_of(target: str) -> str:
    return {Nvidia: "NVIDIA", Amd: "AMD", Intel: "Intel"}[type(TARGETS[target])]


def profile_of(target: str) -> str:
    """The form that kernels take there."""
    limit = TARGETS[target]
    return "gpu64" if isinstance(limit, Amd) and limit.wave == 64 else "gpu"


def occupancy(target: str, registers: int, local: int, items: int, lanes: int | None) -> float:
    """Work-items that a compute unit holds at once, as a share of the most that it could. `lanes`: of a thread on Intel."""
    limit = TARGETS[target]
    if isinstance(limit, Nvidia):
        warps = -(-items // 32)
        a_warp = -(-max(registers, 1) * 32 // 256) * 256
        by_registers = limit.registers // 4 // a_warp * 4 // warps
        shared = -(-(local + limit.shared_reserved) // limit.shared_unit) * limit.shared_unit
        by_local = limit.shared // shared if shared else limit.groups
        groups = min(limit.groups, limit.warps // warps, by_registers, by_local)
        return groups * warps / limit.warps
    if isinstance(limit, Intel):
        threads = -(-items // lanes)
        most = limit.engines * limit.threads
        groups = min(limit.groups, most // threads, limit.local // local if local else limit.groups)
        return groups * threads / most
    waves = -(-items // limit.wave)
    by_registers = min(limit.waves, limit.registers // (-(-max(registers, 1) // limit.unit) * limit.unit))
    groups = by_registers * limit.simds // waves
    if local:
        groups = min(groups, limit.local // local)
    # A group of one wave needs no barrier, of which there are so many.
    if waves > 1:
        groups = min(groups, limit.groups)
    return groups * waves / (limit.simds * limit.waves)


def clang_command(clang: str, source: pathlib.Path, options: str, triple: str, library: str, output: pathlib.Path) -> list:
    return [clang, "-x", "cl", "-target", triple, *options.split(), "-O3", "-S", "-Werror", "-Wno-linker-warnings",
            "-Xclang", "-finclude-default-header", "-Xclang", "-mlink-builtin-bitcode", "-Xclang", f"/usr/lib/clc/{library}",
            source, "-o", output]


def run(command: list, environment: dict[str, str] | None = None) -> str:
    """Runs it and gives what it printed; a failure ends the program with a sentence."""
    process = subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             env=os.environ | (environment or {}))
    if process.returncode:
        # Threads run this, and sys.exit would end one alone.
        raise ToolFailed(f"{' '.join(map(str, command))}\n{process.stdout}")
    return process.stdout


class ByProgram:
    """A toolchain whose compiler takes one program at a time."""

    def compile_all(self, jobs: list[Job], scratch: pathlib.Path,
                    pool: concurrent.futures.Executor) -> list[dict[str, dict]]:
        """For each job {target: results}."""
        return list(pool.map(lambda numbered: self.compile(numbered[1], scratch / str(numbered[0])), enumerate(jobs)))

    def compile(self, job: Job, scratch: pathlib.Path) -> dict[str, dict]:
        """{target: results} of one job."""
        raise NotImplementedError


class ToolFailed(Exception):
    """A compiler or disassembler ended with an error; has the command and its output."""


def product(numbers: list[int]) -> int:
    result = 1
    for number in numbers:
        result *= number
    return result


def stop(sentence: object) -> typing.NoReturn:
    sys.exit(f"check-gpu-code: {sentence}")
