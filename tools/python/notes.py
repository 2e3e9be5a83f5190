"""What the scripts of docs/recipes/notes.md share: how they end, how they write, and how they read lines of JSON."""

import argparse
import contextlib
import json
import os
import sys
import tempfile


def name():
    """The script's name, as people call it."""
    return os.path.splitext(os.path.basename(sys.argv[0]))[0].replace("_", "-")


def fail(status, sentence):
    """Ends the script with a code of sysexits.h and one sentence, in which nothing can break the line."""
    print(f"{name()}: {shown(sentence)}", file=sys.stderr)
    sys.exit(status)


def note(sentence):
    print(f"{name()}: {shown(sentence)}", file=sys.stderr)


def shown(text):
    """Text without control characters, and with escapes for bytes that are not UTF-8."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


class Parser(argparse.ArgumentParser):
    """Options whose errors are one sentence with exit code 64; the shell scripts have the help."""

    def __init__(self):
        super().__init__(prog=name(), add_help=False, allow_abbrev=False)

    def error(self, message):
        fail(64, f"{message}; see tools/recipes/{name()} --help")


def whole(low, high):
    """A type for options: a whole number from `low` to `high`."""
    def parse(text):
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from {low:,} to {high:,}")
        return int(text)
    return parse


@contextlib.contextmanager
def replacing(path):
    """A binary file that takes the place of `path` when it is complete, and never before."""
    folder = os.path.dirname(os.path.abspath(path))
    try:
        if os.path.isdir(path):
            fail(73, f"{path}: is a folder; a file is to be written there")
        handle, temporary = tempfile.mkstemp(prefix=f".{name()}-", dir=folder)
    except OSError as error:
        fail(73, f"{path}: cannot be created: {error.strerror}")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~umask())
        os.replace(temporary, path)
    except OSError as error:
        fail(74, f"{path}: writing failed: {error.strerror}")
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def umask():
    value = os.umask(0)
    os.umask(value)
    return value


def line(entry):
    """An object as a line of JSONL, in UTF-8."""
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n"


def entries(path, fields):
    """The objects of a JSONL file, one by one.

    `fields` names what each must have, and its type: a line without it ends the script with code 65.
    """
    words = {str: "a text", int: "a whole number", float: "a number", list: "a list of texts", dict: "an object"}
    try:
        file = open(path, "rb")
    except OSError as error:
        fail(66, f"{path}: {error.strerror}")
    with file:
        count = 0
        for count, raw in enumerate(lines(file, path), 1):
            where = f"{path}: line {count:,}"
            try:
                entry = json.loads(raw.decode("utf-8"))
                json.dumps(entry, ensure_ascii=False).encode("utf-8")
            except UnicodeDecodeError:
                fail(65, f"{where} is not in UTF-8")
            except UnicodeEncodeError:
                fail(65, f"{where} has half of a surrogate pair")
            except (ValueError, RecursionError):
                fail(65, f"{where} is not JSON")
            if not isinstance(entry, dict):
                fail(65, f"{where} is not an object {{…}}")
            for field, kind in fields.items():
                value = entry.get(field)
                fits = isinstance(value, kind) and not isinstance(value, bool)
                if not fits or kind is list and not all(isinstance(element, str) for element in value):
                    fail(65, f'{where}: "{field}" is {"missing" if field not in entry else "not " + words[kind]}; '
                             f"{words[kind]} is needed")
            yield entry
        if not count:
            fail(65, f"{path}: has no lines")


def lines(file, path):
    """The lines of a file that can be read."""
    try:
        yield from file
    except OSError as error:
        fail(66, f"{path}: {error.strerror}")


def embedder():
    """The static model and its tokenizer, both from wordllama's wheel: nothing is fetched."""
    import logging
    import pathlib

    import wordllama
    logging.disable(logging.INFO)
    # Its own search looks for the tokenizer in a folder that the wheel does not have; the cache's layout is the wheel's.
    return wordllama.WordLlama.load(cache_dir=pathlib.Path(wordllama.__file__).parent, disable_download=True)
