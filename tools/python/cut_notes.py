"""Cuts a folder of Markdown notes at their headings into JSONL; tools/recipes/cut-notes --help has the options."""

import bisect
import hashlib
import os
import re
import stat
import unicodedata

import markdown_it
import tokenizers

from notes import counted, embedder, line
from recipes import Options, fail, replacing_all, run, say, whole

# Inline markup is parsed in headings alone.
BLOCKS = markdown_it.MarkdownIt("commonmark").enable("table").disable("inline")
INLINE = markdown_it.MarkdownIt("commonmark")
SHOWN = 10


def options():
    parser = Options()
    parser.add_argument("folder")
    parser.add_argument("--out", required=True)
    parser.add_argument("--most", type=whole(16, 10**9), default=1000)
    parser.add_argument("--tokenizer")
    parser.add_argument("--skip-bad", action="store_true")
    parser.add_argument("--held-out")
    parser.add_argument("--share", type=whole(1, 99), default=10)
    parser.add_argument("--seed", type=whole(0, 2**63), default=1)
    return parser.parse_args()


def main():
    given = options()
    if given.held_out and os.path.realpath(given.held_out) == os.path.realpath(given.out):
        fail(64, f"{given.out}: --out and --held-out name the same file")
    count = counter(given.tokenizer)
    paths = notes_below(given.folder)
    texts, bad = {}, []
    for path in paths:
        try:
            texts[path] = text_of(os.path.join(given.folder, path), path)
        except Unreadable as fault:
            bad.append(str(fault))
    if bad:
        told = "; ".join(bad[:SHOWN]) + (f"; and {len(bad) - SHOWN:,} more" if len(bad) > SHOWN else "")
        if not given.skip_bad:
            fail(65, f"{given.folder}: {told} (--skip-bad goes on without {'it' if len(bad) == 1 else 'them'})")
        say(f"left out {len(bad):,}: {told}")
    aside = held_out(texts, given.share, given.seed) if given.held_out else set()
    if given.held_out and len(aside) == len(texts):
        fail(65, f"{given.folder}: has {counted(len(texts), 'document')} that can be read; at least 2 are needed for --held-out")
    kept = {True: [], False: []}
    empty, without = 0, 0
    for path, text in texts.items():
        sections, bare = cut(path, text, given.most, count)
        kept[path in aside] += sections
        empty += not sections
        without += bare
    if not kept[False]:
        fail(65, f"{given.folder}: there is no text in its {len(texts):,} Markdown files")
    outputs = [(given.out, kept[False], len(texts) - len(aside))]
    if given.held_out:
        outputs.append((given.held_out, kept[True], len(aside)))
    write(outputs)
    if empty or without:
        say(f"left out {counted(empty, 'document')} without text and {counted(without, 'heading')} with nothing below")


def write(outputs):
    """Writes the outputs, each a path, its sections and the number of their documents: all of them, or none."""
    with replacing_all([path for path, _, _ in outputs]) as files:
        for file, (_, sections, _) in zip(files, outputs):
            file.writelines(line(section) for section in sections)
    for path, sections, documents in outputs:
        print(f"{path}: {counted(len(sections), 'section')} of {counted(documents, 'document')}, "
              f"{sum(s['tokens'] for s in sections):,} tokens, {sum(s['bytes'] for s in sections):,} bytes")


def counter(path):
    """A function from a text to its number of tokens, without those that mark its start and end."""
    if path is None:
        tokenizer = embedder().tokenizer
    else:
        try:
            with open(path, encoding="utf-8") as file:
                content = file.read()
        except OSError as error:
            fail(66, f"{path}: {error.strerror}")
        except UnicodeDecodeError:
            fail(65, f"{path}: is not a tokenizer.json: it is not in UTF-8")
        try:
            tokenizer = tokenizers.Tokenizer.from_str(content)
        except Exception as error:  # The library raises nothing more precise.
            fail(65, f"{path}: is not a tokenizer.json: {error}")
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


class Unreadable(Exception):
    """A file that is no text; says which and why."""


def notes_below(folder):
    """The paths of the Markdown files in `folder`, relative to it, in the order of their bytes."""
    if not os.path.isdir(folder):
        fail(66, f"{folder}: {'is not a folder' if os.path.exists(folder) else 'no such folder'}")

    def refuse(error):
        fail(66, f"{error.filename}: {error.strerror}")

    found, others = [], 0
    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if name.startswith("."):
                continue
            if name.lower().endswith((".md", ".markdown")):
                found.append(os.path.relpath(os.path.join(parent, name), folder))
            else:
                others += 1
    if not found:
        fail(66, f"{folder}: has no files named *.md or *.markdown")
    if others:
        say(f"left out {counted(others, 'file')} not named *.md or *.markdown")
    return sorted(found, key=os.fsencode)


def text_of(file, path):
    """The text of a file, lines ending in LF, without a byte order mark."""
    try:
        os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable(f"{path}: its name is not in UTF-8") from None
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):
            raise Unreadable(f"{path}: is not a file")
        with open(file, "rb") as opened:
            data = opened.read()
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable(f"{path}: is in UTF-16; UTF-8 is needed")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"{path}: line {where:,} is not in UTF-8") from None
    if "\0" in text:
        raise Unreadable(f"{path}: line {text[:text.index(chr(0))].count(chr(10)) + 1:,} has a zero byte; it is no text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def held_out(paths, share, seed):
    """The documents that are set aside: a share of them, rounded up, by a hash, so that one more moves few others."""
    ranked = sorted(paths, key=lambda path: hashlib.sha256(f"{seed}/{path}".encode("utf-8")).digest())
    return set(ranked[:-(-len(ranked) * share // 100)])


def after_front_matter(lines):
    """The number of lines that are front matter, YAML's or TOML's, at the start of a document."""
    for mark, ends in (("---", ("---", "...")), ("+++", ("+++",))):
        if lines and lines[0].rstrip() == mark:
            for number, content in enumerate(lines[1:], 1):
                if content.rstrip() in ends:
                    return number + 1
    return 0


def cut(path, text, most, count):
    """The sections of a document, and how many headings have nothing below them."""
    lines = text.split("\n")
    skipped = after_front_matter(lines)
    lines = lines[skipped:]
    tokens = BLOCKS.parse("\n".join(lines))
    starts = sorted({token.map[0] for token in tokens if token.level == 0 and token.map})
    anchors, sections, bare = Anchors(), [], 0
    # Where a section starts, where its body does, the headings above it and its own, its anchor.
    marks = [(0, 0, [], None)]
    above = []
    for index, token in enumerate(tokens):
        if token.type != "heading_open":
            continue
        title = plain(tokens[index + 1].content)
        anchor = anchors.next(title)
        if token.level == 0:
            level = int(token.tag[1:])
            above = [entry for entry in above if entry[0] < level] + [(level, title)]
            marks.append((token.map[0], token.map[1], [name for _, name in above], anchor))
    for number, (start, body, heading, anchor) in enumerate(marks):
        end = marks[number + 1][0] if number + 1 < len(marks) else len(lines)
        if not "".join(lines[body:end]).strip():
            bare += anchor is not None
            continue
        while not lines[start].strip():
            start += 1
        while not lines[end - 1].strip():
            end -= 1
        parts = fitting(lines[start:end], [at - start for at in starts if start < at < end], most, count)
        for part, (offset, piece, size) in enumerate(parts, 1):
            name = path + (f"#{anchor}" if anchor else "") + (f"~{part}" if part > 1 else "")
            sections.append({
                "id": name, "path": path, "heading": heading, "anchor": anchor or "", "line": skipped + start + offset + 1,
                "part": part, "tokens": size, "bytes": len(piece.encode("utf-8")), "text": piece})
    return sections, bare


def fitting(lines, blocks, most, count):
    """Pieces of a section of at most `most` tokens each, in order: (line within the section, text, tokens).

    A section that is too long is halved between blocks, else between lines, words or characters, and its halves again:
    where this happens in a code block, the pieces have a part of the code each.
    """
    text = "\n".join(lines)
    size = count(text)
    if size <= most or len(text) < 2:
        bare = text.strip("\n")
        return [(len(text) - len(text.lstrip("\n")), bare, count(bare))] if text.strip() else []
    # Offsets of the lines in `text`.
    offsets = [0]
    for content in lines[:-1]:
        offsets.append(offsets[-1] + len(content) + 1)
    at = nearest([offsets[block] for block in blocks], len(text)) or nearest(offsets[1:], len(text))
    if at is not None:
        number = offsets.index(at)
        first = fitting(lines[:number], [block for block in blocks if block < number], most, count)
        second = fitting(lines[number:], [block - number for block in blocks if block > number], most, count)
        return first + [(number + offset, piece, tokens) for offset, piece, tokens in second]
    # A long line: near the middle there is no end of one.
    at = nearest([match.end() for match in re.finditer(r"\s", text)], len(text)) or len(text) // 2
    number = text.count("\n", 0, at)
    first = fitting(text[:at].split("\n"), [], most, count)
    return first + [(number + offset, piece, tokens) for offset, piece, tokens in
                    fitting(text[at:].split("\n"), [], most, count)]


def nearest(offsets, length):
    """The offset nearest to the middle, if it leaves a quarter on either side."""
    if not offsets:
        return None
    place = bisect.bisect(offsets, length // 2)
    best = min(offsets[max(0, place - 1):place + 1], key=lambda offset: abs(offset - length // 2))
    return best if length // 4 <= best <= length - length // 4 and best > 0 else None


def plain(content):
    """A heading without its markup."""
    def text(tokens):
        return "".join(
            text(token.children) if token.children else " " if token.type in ("softbreak", "hardbreak") else
            token.content if token.type in ("text", "code_inline", "text_special") else "" for token in tokens)
    return text(INLINE.parseInline(content)).strip()


class Anchors:
    """Names of a document's headings as GitHub makes them, each once."""

    def __init__(self):
        self.seen = {}

    def next(self, title):
        kept = (c for c in title.lower() if c in " -" or unicodedata.category(c)[0] in "LMN" or unicodedata.category(c) == "Pc")
        first = name = "".join(kept).replace(" ", "-")
        while name in self.seen:
            self.seen[first] += 1
            name = f"{first}-{self.seen[first]}"
        self.seen[name] = 0
        return name


run(main)
