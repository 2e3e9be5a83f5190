"""AMD's machine code by clang."""

import os
import re

import gpu_targets


class Toolchain:
    """Compiles for AMD's targets and reads the result."""

    vendor = "AMD"

    def __init__(self, tools):
        self.clang = tools["clang"]

    def compile(self, source, options, local, targets, scratch):
        """{target: registers, scalars, spill, stack, local, code} of the source's one kernel in work-groups of size `local`."""
        command = gpu_targets.clang_command(self.clang, source, options, "amdgcn-mesa-mesa3d",
                                            "gfx906-amdgcn-mesa-mesa3d.bc", os.devnull)
        return {target: resources(gpu_targets.run(
            [*command, f"-mcpu={target}", "-Rpass-analysis=kernel-resource-usage"])) | {"code": None} for target in targets}


def resources(log):
    """What clang's remarks say of a program."""
    def number(name):
        return int(re.search(re.escape(name) + r": (\d+) \[-Rpass", log).group(1))
    accumulation = number("AGPRs") if "AGPRs:" in log else 0
    return {"registers": number(" VGPRs") + accumulation, "scalars": number(" SGPRs"),
            "spill": number("SGPRs Spill") + number("VGPRs Spill"),
            "stack": number("ScratchSize [bytes/lane]"), "local": number("LDS Size [bytes/block]")}
