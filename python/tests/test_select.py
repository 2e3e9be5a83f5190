"""The installed wheel: `python -m unittest discover -s python/tests`, in an environment that has it."""

import os
import subprocess
import sys
import tempfile
import unittest
import warnings
from unittest import mock

import numpy as np

import coppice_cli
from coppice_cli import CoppiceError, program, select

X = np.random.default_rng(5).normal(size=(300, 12)).astype(np.float32)


class SelectTests(unittest.TestCase):
    def by_command(self, *options, features=X):
        """What the command line keeps of `features`."""
        fixed = ["--features", "X.npy", "--out", "kept.npy", "--device", "cpu", "--quiet"]
        with tempfile.TemporaryDirectory() as folder:
            np.save(os.path.join(folder, "X.npy"), features)
            subprocess.run(
                [program(), "select", *fixed, *options], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            return np.load(os.path.join(folder, "kept.npy"))

    def test_is_the_command_lines_result(self):
        for strategy in ["furthest", "closest", "hybrid", "random"]:
            kept = select(X, 40, strategy=strategy, k=7, pca=5, seed=3, device="cpu")
            self.assertEqual((kept.dtype, kept.shape), (np.int64, (40,)))
            self.assertEqual(len(set(kept.tolist())), 40)
            expected = self.by_command(
                "--strategy", strategy, "--size", "40", "--k", "7", "--pca", "5", "--seed", "3")
            np.testing.assert_array_equal(kept, expected)
        np.testing.assert_array_equal(
            select(X, 9, strategy="random", device="cpu"),
            self.by_command("--strategy", "random", "--size", "9", "--seed", "1"))
        first, second = (select(X, 9, k=3, seed=seed, device="cpu") for seed in (1, 2))
        self.assertFalse(np.array_equal(first, second))

    def test_keeps_the_types_that_the_program_reads(self):
        far = X.astype(np.float64) + 1.7e9
        pixels = np.random.default_rng(6).integers(0, 256, size=(300, 16)).astype(np.uint8)
        for features in [far, np.round(X * 9).astype(np.int64) + 2**40, pixels]:
            kept = select(features, 30, k=5, device="cpu")
            expected = self.by_command("--strategy", "furthest", "--size", "30", "--k", "5", features=features)
            np.testing.assert_array_equal(kept, expected)
        # Far from the origin float32 has one value for all of them, whose first samples are the furthest ones.
        self.assertFalse(np.array_equal(np.sort(select(far, 30, k=5, device="cpu")), np.arange(30)))
        for other, same in [(np.float16, np.float32), (np.int16, np.int32), (np.uint32, np.int64), (">f8", "<f8")]:
            values = np.round(X * 9).astype(other) if other != np.uint32 else pixels.astype(other)
            np.testing.assert_array_equal(
                select(values, 30, k=5, device="cpu"), select(values.astype(same), 30, k=5, device="cpu"))

    def test_warns_where_a_device_failed(self):
        with tempfile.TemporaryDirectory() as folder:
            np.save(os.path.join(folder, "kept.npy"), np.arange(3))
            for line, warned in [("device: built-in CPU path: GPU failed: CL_OUT_OF_RESOURCES (-5)", True),
                                 ("device: GPU (driver 1): auto takes the first GPU", False)]:
                with open(os.path.join(folder, "coppice"), "w") as file:
                    file.write(f"#!/bin/sh\necho '{line}' >&2\nwhile [ $1 != --out ]; do shift; done\n"
                               f"cp '{folder}/kept.npy' \"$2\"\n")
                os.chmod(file.name, 0o755)
                with mock.patch.object(coppice_cli, "program", lambda: file.name):
                    with warnings.catch_warnings(record=True) as caught, self.assertLogs("coppice_cli", "INFO") as log:
                        warnings.simplefilter("always")
                        coppice_cli._log.info("begin")
                        select(X, 3, k=3)
                self.assertEqual([str(warning.message) for warning in caught], [line] if warned else [])
                self.assertEqual(len(log.records), 1 if warned else 2)

    def test_takes_what_numpy_takes(self):
        expected = select(X, 5, k=3, device="cpu")
        wide = np.zeros((300, 24), np.float64)
        wide[:, ::2] = X
        for same in [X.astype(np.float64), np.asfortranarray(X), wide[:, ::2], X.tolist()]:
            np.testing.assert_array_equal(select(same, 5, k=3, device="cpu"), expected)
        np.testing.assert_array_equal(select(X, np.int32(5), k=np.uint8(3), device="cpu"), expected)

    def test_refuses_wrong_arguments(self):
        bad = X.copy()
        bad[7, 2] = np.nan
        for error, words, arguments in [
            (ValueError, r"\[300\]", dict(X=X[:, 0])),
            (ValueError, r"\[0, 12\]", dict(X=X[:0])),
            (ValueError, r"X\[7, 2\]", dict(X=bad)),
            (ValueError, r"X\[0, 0\]", dict(X=[[float("inf")]], k=1, size=1)),
            (TypeError, "complex64", dict(X=X.astype(np.complex64))),
            (TypeError, "object", dict(X=X.astype(object))),
            (ValueError, "from 1 to 300", dict(size=0)),
            (ValueError, "from 1 to 300", dict(size=301)),
            (TypeError, "size is 4.5", dict(size=4.5)),
            (TypeError, "size is True", dict(size=True)),
            (ValueError, "give k", dict(k=None)),
            (ValueError, "from 1 to 300", dict(k=0)),
            (ValueError, "from 1 to 12", dict(pca=13)),
            (ValueError, "give k", dict(pca=2, k=None, strategy="random")),
            (ValueError, "farthest", dict(strategy="farthest")),
            (ValueError, "seed", dict(seed=-1)),
            (TypeError, "device", dict(device="")),
            (TypeError, "device", dict(device="cpu\n")),
            (ValueError, "masked", dict(X=np.ma.masked_array(X, mask=X > 1.5))),
        ]:
            with self.subTest(arguments=str(arguments)[:60]), self.assertRaisesRegex(error, words):
                select(**{**dict(X=X, size=10, k=3, device="cpu"), **arguments})

    def test_raises_the_programs_sentence(self):
        with self.assertRaises(CoppiceError) as raised:
            select(X, 10, k=3, device="no such device")
        self.assertEqual(raised.exception.exit_code, 69)
        self.assertIn("no such device", str(raised.exception))
        self.assertFalse(str(raised.exception).startswith("coppice: "))
        with self.assertRaisesRegex(CoppiceError, "--help"):
            select(X, 10, k=3, device="--help")
        with self.assertRaisesRegex(CoppiceError, r"^X: .*multiply the values") as raised:
            select(X * np.float64(1e-300), 10, k=3, device="cpu")
        self.assertEqual(raised.exception.exit_code, 65)

    def test_says_when_the_program_dies(self):
        with tempfile.TemporaryDirectory() as folder:
            dying = os.path.join(folder, "coppice")
            with open(dying, "w") as file:
                file.write("#!/bin/sh\nkill -9 $$\n")
            os.chmod(dying, 0o755)
            with mock.patch.object(coppice_cli, "program", lambda: dying):
                with self.assertRaisesRegex(CoppiceError, "signal 9"):
                    select(X, 10, k=3)

    def test_is_a_program(self):
        self.assertEqual(os.path.dirname(program()), os.path.realpath(os.path.join(sys.prefix, "bin")))
        said = subprocess.run([program(), "--version"], capture_output=True, text=True, check=True).stdout
        self.assertRegex(said, r"^(coppice )?\d+\.\d+\.\d+")


if __name__ == "__main__":
    unittest.main()
