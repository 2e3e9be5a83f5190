"""Select the samples of an array to keep, with the program ``coppice``."""

from __future__ import annotations

import logging
import operator
import os
import subprocess
import sysconfig
import tempfile
import warnings
from importlib import metadata
from pathlib import Path

import numpy as np

__all__ = ["CoppiceError", "program", "select"]

_log = logging.getLogger(__name__)
_STRATEGIES = ("random", "closest", "furthest", "hybrid")


class CoppiceError(RuntimeError):
    """The program failed. The message is its own; ``exit_code`` is one of sysexits.h, or minus a signal's number."""

    def __init__(self, message: str, exit_code: int):
        super().__init__(message)
        self.exit_code = exit_code


def program() -> str:
    """The path of the program ``coppice`` that was installed with this module.

    Raises FileNotFoundError where it is gone.
    """
    places = []
    try:
        files = metadata.files("coppice-cli") or []
        places += [Path(file.locate()) for file in files if file.name == "coppice" and file.parent.name == "bin"]
    except metadata.PackageNotFoundError:
        pass
    places.append(Path(sysconfig.get_path("scripts")) / "coppice")
    # `pip install --target` puts it beside the module.
    places.append(Path(__file__).resolve().parent.parent / "bin" / "coppice")
    for place in places:
        if place.is_file() and os.access(place, os.X_OK):
            return str(place.resolve())
    raise FileNotFoundError("the program coppice is not where pip put it: install coppice-cli again")


def select(
    X,
    size: int,
    strategy: str = "furthest",
    k: int | None = None,
    pca: int | None = None,
    seed: int = 1,
    device: str = "auto",
) -> np.ndarray:
    """Indices of the ``size`` samples of ``X`` to keep, int64 [size], the most wanted first.

    X: samples in rows, finite real numbers [n, d]. uint8, int32, int64, float32 and float64 are taken as they are; other
        types become the smallest of these that holds them (uint64 and long double: float64).
    strategy: "furthest" from their centroid, "closest", "hybrid" (both in turn), or "random" (from each cluster where k
        is given, else from all samples).
    k: number of clusters; required except for "random".
    pca: cluster in so many principal components.
    seed: the same seed gives the same samples, on every device.
    device: "auto", "gpu", "opencl-cpu", "cpu" (no OpenCL), or a part of a device's name.

    What the program says of its device goes to the logger "coppice_cli"; where a device failed and another one took over
    that is a RuntimeWarning. Invalid arguments raise TypeError or ValueError; an error of the program raises CoppiceError
    with its message.
    """
    array = _array(X)
    n, d = array.shape
    size = _integer("size", size, 1, n)
    if strategy not in _STRATEGIES:
        raise ValueError(f"strategy is {strategy!r}; it must be one of {', '.join(_STRATEGIES)}")
    if k is None and strategy != "random":
        raise ValueError(f"strategy {strategy!r} needs clusters: give k")
    if pca is not None and k is None:
        raise ValueError("pca is for a clustering: give k as well")
    if not isinstance(device, str) or not device.isprintable() or not device.strip():
        raise TypeError(f"device is {device!r}; it must be a word such as 'auto', 'gpu' or 'cpu'")
    options = ["--strategy", strategy, "--size", str(size), f"--device={device}"]
    options += ["--seed", str(_integer("seed", seed, 0, 2**64 - 1))]
    if k is not None:
        options += ["--k", str(_integer("k", k, 1, n))]
    if pca is not None:
        options += ["--pca", str(_integer("pca", pca, 1, min(n, d)))]
    with tempfile.TemporaryDirectory(prefix="coppice-") as folder:
        features, kept = os.path.join(folder, "features.npy"), os.path.join(folder, "kept.npy")
        np.save(features, array, allow_pickle=False)
        try:
            _run(["select", "--features", features, "--out", kept, *options])
        except CoppiceError as error:
            # That file is gone when anybody reads of it.
            raise CoppiceError(str(error).replace(features, "X"), error.exit_code) from None
        return np.load(kept, allow_pickle=False).astype(np.int64, copy=False)


def _array(X) -> np.ndarray:
    if np.ma.is_masked(X):
        raise ValueError("X has masked values; fill them or leave their rows out")
    array = np.asarray(X)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"X holds {array.dtype}; it must hold real numbers")
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"X has the shape {list(array.shape)}; it must be [n, d] with at least one row and one column")
    # The types that the program reads.
    kept = next((kept for kept in ("u1", "i4", "i8", "f4", "f8") if np.can_cast(array.dtype, kept)), "f8")
    with np.errstate(over="ignore"):
        array = np.ascontiguousarray(array, dtype="<" + kept)
    if not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(f"X[{row}, {column}] is not a finite number of {array.dtype.itemsize * 8} bits")
    return array


def _integer(name: str, value, least: int, most: int) -> int:
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}; it must be a whole number") from None
    if not least <= number <= most:
        raise ValueError(f"{name} is {number}; it must be from {least} to {most}")
    return number


def _run(arguments: list[str]) -> None:
    done = subprocess.run(
        [program(), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    lines = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
    if done.returncode == 0:
        for line in lines:
            if line.startswith("device: ") and " failed: " in line:
                warnings.warn(line, RuntimeWarning, stacklevel=3)
            else:
                _log.info("%s", line)
        return
    said = [line for line in lines if line.startswith("coppice: ")] or lines[-1:]
    if done.returncode < 0:
        raise CoppiceError(f"coppice was ended by signal {-done.returncode}", done.returncode)
    message = said[-1] if said else f"coppice ended with status {done.returncode}"
    raise CoppiceError(message.removeprefix("coppice: "), done.returncode)
