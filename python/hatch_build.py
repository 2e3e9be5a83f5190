"""Puts the program that tools/package built into the wheel, and the wheel's tags and version where they belong."""

import os

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface


class ProgramHook(BuildHookInterface):
    def initialize(self, version, build_data):
        glibc = os.environ["COPPICE_GLIBC"].replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-manylinux_{glibc}_x86_64"
        build_data["shared_scripts"][os.environ["COPPICE_PROGRAM"]] = "coppice"


class VersionHook(MetadataHookInterface):
    def update(self, metadata):
        metadata["version"] = os.environ["COPPICE_VERSION"]
