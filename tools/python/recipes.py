"""What the programs of the recipes share: how they end, how they read their options, how they write files."""

import argparse
import contextlib
import errno
import os
import signal
import sys
import tempfile

program = os.path.basename(sys.argv[0]).removesuffix(".py").replace("_", "-")


def say(sentence):
    """Prints one line on stderr; what would break it, such as a line end in a path, is escaped."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in sentence)
    print(f"{program}: {shown}", file=sys.stderr, flush=True)


def fail(status, sentence):
    """Ends the program with an exit code of sysexits.h and one sentence."""
    say(sentence)
    sys.exit(status)


class Options(argparse.ArgumentParser):
    """Options whose faults end in one sentence and code 64. The help is the comment at the top of the script."""

    def __init__(self):
        super().__init__(prog=program, add_help=False, allow_abbrev=False)

    def error(self, message):
        fail(64, f"{message}; see {program} --help")


def whole(least, most=None):
    """A type of option: a whole number from `least` to `most`."""
    def parse(text):
        accepted = f"a whole number from {least:,}" + (f" to {most:,}" if most else " up")
        if not (text.isascii() and text.isdigit()) or int(text) < least or (most and int(text) > most):
            raise argparse.ArgumentTypeError(f"'{text}' is not {accepted}")
        return int(text)
    return parse


@contextlib.contextmanager
def replacing(path, mode="wb", **options):
    """A file that appears at `path` whole, when the block ends without an error. Errors of the system end the program."""
    with replacing_all([path], mode, **options) as files:
        yield files[0]


@contextlib.contextmanager
def replacing_all(paths, mode="wb", **options):
    """Files that appear at `paths` when the block ends without an error, once all of them are on the disk."""
    written, path = [], None
    try:
        for path in paths:
            folder, name = os.path.split(os.path.abspath(path))
            try:
                number, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
            except OSError as error:
                fail(73, f"{path}: cannot be created: {error.strerror}")
            written.append((path, temporary, open(number, mode, **options)))
        path = " and ".join(paths)
        yield [file for _, _, file in written]
        mask = os.umask(0)
        os.umask(mask)
        for path, temporary, file in written:
            file.flush()
            os.fsync(file.fileno())
            file.close()
            os.chmod(temporary, 0o666 & ~mask)
        for path in paths:
            if os.path.isdir(path):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        for path, temporary, _ in written:
            os.replace(temporary, path)
    except OSError as error:
        fail(74, f"{path}: writing failed: {error.strerror or error}")
    finally:
        for _, temporary, file in written:
            with contextlib.suppress(OSError):
                file.close()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)


def run(main):
    """Runs a program's main function; Ctrl-C and SIGTERM end it with 130."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        main()
    except KeyboardInterrupt:
        print(file=sys.stderr)
        fail(130, "interrupted; what is done is kept, and the same command goes on from there")
