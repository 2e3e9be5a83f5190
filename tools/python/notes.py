"""What the programs of docs/recipes/notes.md share: lines of JSON, and the model that embeds."""

import json

from recipes import fail


def counted(count, noun):
    """A number and what it is of: 1 section, 2,000 sections."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


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
