"""A copy of PoCL with few built-in functions: it reads the library of all of them anew in every process, which takes it
longer than to compile a small kernel."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

# The functions that kernels call or that a mutant may call in their place, by their names in OpenCL C.
FUNCTIONS = (
    r"get_[a-z_]+|barrier|mem_fence|select|v(load|store)(4|8|16)|exp|log|sqrt|rsqrt|fma|mad|min|max|clamp|sign|floor"
    r"|fabs|copysign|abs|mul_hi|popcount|clz|any|all|convert_(int|uint|float|uchar|long|ulong)[0-9]*"
)
# PoCL's own, which its linker asks for, and the functions in their mangled form.
KEPT = ("printf|^_*pocl", rf"^_Z[0-9]+(_cl_)?({FUNCTIONS})([jifhclmDPv]|$)")


def installed():
    """The path of the PoCL library, or None."""
    for icd in pathlib.Path("/etc/OpenCL/vendors").glob("pocl*.icd"):
        name = icd.read_text().strip()
        if name.startswith("/"):
            return pathlib.Path(name)
        known = subprocess.run(["/sbin/ldconfig", "-p"], stdout=subprocess.PIPE, text=True, check=True).stdout
        found = re.search(r"=> (\S*/libpocl\.so\.\S+)", known)
        if found:
            return pathlib.Path(found.group(1)).resolve()
    return None


def tool(library):
    """The llvm-extract of the LLVM that PoCL reads its library with, or None."""
    linked = subprocess.run(["ldd", str(library)], stdout=subprocess.PIPE, text=True, check=True).stdout
    version = re.search(r"libLLVM[-.](?:so\.)?(\d+)", linked)
    return shutil.which(f"llvm-extract-{version.group(1)}") if version else None


def environment(folder):
    """The environment variables that have a process use the copy made in `folder`; none where that cannot be."""
    library = installed()
    data = library.parents[2] / "share" / "pocl" if library else None
    if data is None or not data.is_dir():
        return {}
    extract = tool(library)
    if extract is None:
        print("mutate: without the llvm-extract of PoCL's LLVM each mutant takes half a second more", file=sys.stderr)
        return {}
    # PoCL finds its files by the place of its library.
    copy = pathlib.Path(folder, *library.parent.parts[-2:])
    shutil.copytree(library.parent / "pocl", copy / "pocl")
    shutil.copy(library, copy)
    shutil.copytree(data / "include", pathlib.Path(folder, "share", "pocl", "include"))
    jobs = []
    for functions in data.glob("*.bc"):
        target = pathlib.Path(folder, "share", "pocl", functions.name)
        chosen = [f"--rfunc={pattern}" for pattern in KEPT]
        jobs.append(subprocess.Popen([extract, "--recursive", *chosen, str(functions), "-o", str(target)]))
    if any([job.wait() for job in jobs]):
        sys.exit("mutate: llvm-extract failed")
    vendors = pathlib.Path(folder, "vendors")
    vendors.mkdir()
    (vendors / "pocl.icd").write_text(f"{copy / library.name}\n")
    return {"OCL_ICD_VENDORS": os.fspath(vendors)}
