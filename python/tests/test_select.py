"""The installed wheel: `python -m unittest discover -s python/tests`, in an environment that has it."""

import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import numpy as np

import coppice_cli
from coppice_cli import CoppiceError, program, select

X = np.random.default_rng(5).normal(size=(300, 12)).astype(np.float32)


class SelectTests(unittest.TestCase):
    def by_command(self, *options):
        """What the command line keeps of X."""
        with tempfile.TemporaryDirectory() as folder:
            np.save(os.path.join(folder, "X.npy"), X)
            subprocess.run(
                [program(), "select", "--features", "X.npy", "--out", "kept.npy", "--device", "cpu", "--quiet", *options],
                cwd=folder, check=True, stdout=subprocess.DEVNULL,
            )
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
        self.assertFalse(np.array_equal(select(X, 9, k=3, seed=1, device="cpu"), select(X, 9, k=3, seed=2, device="cpu")))

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
            (ValueError, r"X\[0, 0\]", dict(X=[[1e39]], k=1, size=1)),
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
        ]:
            with self.subTest(arguments=str(arguments)[:60]), self.assertRaisesRegex(error, words):
                select(**{**dict(X=X, size=10, k=3, device="cpu"), **arguments})

    def test_raises_the_programs_sentence(self):
        with self.assertRaises(CoppiceError) as raised:
            select(X, 10, k=3, device="no such device")
        self.assertEqual(raised.exception.exit_code, 69)
        self.assertIn("no such device", str(raised.exception))
        self.assertFalse(str(raised.exception).startswith("coppice: "))

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
