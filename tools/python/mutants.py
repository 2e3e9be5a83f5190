"""Mutants of OpenCL C: every text that differs from a kernel by one small mistake."""

import collections
import dataclasses
import re

TYPES = {
    "char", "uchar", "short", "ushort", "int", "uint", "long", "ulong", "float", "size_t", "bool", "void",
    "floatv", "intv", "uintv", "ucharv", "packedv", "sumv", "value_t", "packed_t", "sum_t", "labels_t", "distances_t",
    "tiles_t", "norm_t", "norm_gradient_t",
}  # fmt: skip
TYPES |= {f"{base}{width}" for base in ("char", "uchar", "int", "uint", "float", "ulong") for width in (2, 4, 8, 16)}
NOT_VALUES = TYPES | {"const", "restrict", "__global", "__local", "__private", "return", "else", "unsigned", "union"}

TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<number>0[xX][0-9a-fA-F]+[uUlL]*|(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?[uUlLfF]*)
    |(?P<name>[A-Za-z_]\w*)|(?P<string>"[^"]*")
    |(?P<op><<=|>>=|\+\+|--|\+=|-=|\*=|/=|%=|&=|\|=|\^=|<<|>>|<=|>=|==|!=|&&|\|\||->|.)""",
    re.VERBOSE | re.DOTALL,
)

# Each operator's mistakes: the neighbour at the bound and the opposite.
BINARY = {
    "+": ("-",), "-": ("+",), "*": ("+",), "/": ("*",), "%": ("/",),
    "<": ("<=", ">"), "<=": ("<", ">"), ">": (">=", "<"), ">=": (">", "<"), "==": ("!=",), "!=": ("==",),
    "&&": ("||",), "||": ("&&",), "<<": (">>",), ">>": ("<<",), "&": ("|",), "|": ("&",), "^": ("&",),
    "+=": ("-=", "="), "-=": ("+=", "="), "*=": ("/=", "="), "/=": ("*=", "="), "^=": ("|=", "="), "|=": ("=",),
    "<<=": (">>=",), ">>=": ("<<=",),
}  # fmt: skip
CALLS = {
    "min": ("max",), "max": ("min",), "fma": ("-fma",), "sqrt": ("-sqrt", ""), "exp": ("-exp", ""), "log": ("-log", ""),
    "rsqrt": ("sqrt",), "mul_hi": ("",), "get_group_id": ("get_local_id",), "get_local_id": ("get_group_id",),
    "get_global_id": ("get_local_id",), "convert_floatv": ("-convert_floatv",), "floor": ("",), "clamp": ("min",),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Mutant:
    kernel: str
    line: int
    kind: str
    before: str
    after: str
    text: str = dataclasses.field(repr=False, compare=False)
    # The next line that holds anything.
    following: str = ""
    # Which of the places where the file has this change of this line.
    place: int = 1

    @property
    def key(self):
        """What names the mutant while its file stays as it is."""
        return (self.kernel if self.place == 1 else f"{self.kernel}#{self.place}", self.before, self.after)


@dataclasses.dataclass
class Token:
    kind: str
    text: str
    start: int

    @property
    def end(self):
        return self.start + len(self.text)


def blank_comments(text):
    """The text with comments and #pragma, #error and #undef lines blanked, so that positions stay."""
    blank = lambda found: re.sub(r"[^\n]", " ", found.group())
    text = re.sub(r"//[^\n]*|/\*.*?\*/", blank, text, flags=re.DOTALL)
    return re.sub(r"^#\s*(pragma|error|undef|include)[^\n]*", blank, text, flags=re.MULTILINE)


def tokens_of(text):
    tokens = [Token(m.lastgroup, m.group(), m.start()) for m in TOKEN.finditer(blank_comments(text))]
    return [token for token in tokens if token.kind != "space"]


def is_value(token):
    """Whether an expression can end in the token."""
    if token.kind == "name":
        return token.text not in NOT_VALUES
    return token.kind == "number" or token.text in (")", "]")


def closing(tokens, index):
    """The index of the bracket that closes the one at `index`."""
    pairs = {"(": ")", "[": "]", "{": "}"}
    depth = 0
    for i in range(index, len(tokens)):
        depth += (tokens[i].text == tokens[index].text) - (tokens[i].text == pairs[tokens[index].text])
        if depth == 0:
            return i
    return None


def is_cast(tokens, index):
    """Whether the ")" at `index` ends a cast."""
    if tokens[index].text != ")":
        return False
    i = index - 1
    while i >= 0 and (tokens[i].text in NOT_VALUES or tokens[i].text == "*"):
        i -= 1
    return i < index - 1 and tokens[i].text == "("


def is_declared(tokens, index):
    """Whether the "[" at `index` is part of a declaration: its name follows a type."""
    i = index - 1
    while i > 0 and tokens[i].text == "]":
        depth = 0
        while i > 0:
            depth += (tokens[i].text == "]") - (tokens[i].text == "[")
            i -= 1
            if depth == 0:
                break
    if i > 0 and tokens[i - 1].text == ",":
        # Perhaps not the first name of its declaration.
        start = next((j for j in range(i, -1, -1) if tokens[j].text in (";", "{", "}")), -1) + 1
        return tokens[start].text in TYPES and not {"=", "("} & {token.text for token in tokens[start:i]}
    return i > 0 and (tokens[i - 1].text in TYPES or (tokens[i - 1].text == "*" and tokens[i - 2].text in NOT_VALUES))


def edits(text):
    """Every edit as (kind, start, end, replacement)."""
    tokens = tokens_of(text)
    for i, token in enumerate(tokens):
        before = tokens[i - 1] if i else None
        after = tokens[i + 1] if i + 1 < len(tokens) else None
        if token.kind == "op":
            yield from operator_edits(tokens, i, token, before, after)
        elif token.kind == "number":
            yield from number_edits(tokens, i, token)
        elif token.kind == "name" and after is not None and after.text == "(":
            for other in CALLS.get(token.text, ()):
                yield "call", token.start, token.end, other
            end = closing(tokens, i + 1)
            if token.text in ("if", "while") and end is not None:
                for value in ("0", "1") if token.text == "if" else ("0",):
                    yield "condition", after.end, tokens[end].start, value
            if token.text == "barrier" and end is not None:
                yield "barrier", token.start, tokens[end + 1].end, ";"
            if token.text in ("VECTOR", "VECTOR_OUT") and end is not None:
                yield "index", tokens[end].start, tokens[end].start, " + TILE"
            if token.text in ("choose", "choose_int") and end is not None:
                yield "condition", token.start, after.end, f"{token.text}(!("
        elif token.text in ("CLK_LOCAL_MEM_FENCE", "CLK_GLOBAL_MEM_FENCE"):
            swapped = "GLOBAL" if "LOCAL" in token.text else "LOCAL"
            yield "barrier", token.start, token.end, f"CLK_{swapped}_MEM_FENCE"
        elif token.text in ("break", "continue", "return") and after is not None and after.text == ";":
            yield "statement", token.start, after.end, ";"
        elif token.text in ("ifdef", "ifndef"):
            continue
    yield from statement_edits(tokens, text)


def operator_edits(tokens, i, token, before, after):
    if before is None or after is None:
        return
    if token.text in ("++", "--"):
        # Not the opposite step: such loops do not end, and waiting for them says nothing.
        if before.kind == "name":
            yield "step", token.start, token.end, " += 2"
        return
    if token.text == "!" and before.text != "#":
        yield "logic", token.start, token.end, ""
        return
    if token.text == "[" and is_value(before):
        end = closing(tokens, i)
        if end is not None and not is_declared(tokens, i):
            yield "index", tokens[end].start, tokens[end].start, " + 1"
        return
    if token.text == "?":
        yield "condition", token.start, token.end, "? 0 ?"  # resolved in mutants()
        return
    if token.text not in BINARY:
        return
    if not is_value(before) or is_cast(tokens, i - 1):
        # A sign: unary plus and minus.
        if token.text == "-" and not is_value(before):
            yield "sign", token.start, token.end, "+"
        return
    if token.text == "*" and (before.text in NOT_VALUES or after.text in ("restrict", "const", ")", ",")):
        return
    for other in BINARY[token.text]:
        yield "operator", token.start, token.end, other


def number_edits(tokens, i, token):
    # Names of types and their widths hold no numbers; attributes' arguments are alignment and group sizes.
    context = [t.text for t in tokens[max(0, i - 6) : i]]
    if "aligned" in context or "reqd_work_group_size" in context or "vec_type_hint" in context:
        return
    text = token.text
    # A longer array is the same program.
    start = next((j for j in range(i, -1, -1) if tokens[j].text in ("[", ";", "{", "}")), 0)
    size = tokens[start].text == "[" and is_declared(tokens, start) and tokens[i - 1].text in ("[", "*")
    if re.fullmatch(r"\d+", text):
        if not size:
            yield "constant", token.start, token.end, str(int(text) + 1)
        if int(text) > 0:
            yield "constant", token.start, token.end, str(int(text) - 1)
    elif re.fullmatch(r"(0[xX][0-9a-fA-F]+|\d+)[uUlL]+", text):
        digits = re.match(r"0[xX][0-9a-fA-F]+|\d+", text).group()
        yield "constant", token.start, token.end, f"{int(digits, 0) + 1}{text[len(digits):]}"
    else:
        yield "constant", token.start, token.end, f"({text} + 1.0f)"


def statement_edits(tokens, text):
    """Assignments and calls left out, one at a time; a declaration cannot be."""
    start = 0
    depth = 0
    directive_end = -1
    for i, token in enumerate(tokens):
        if token.text == "#":
            directive_end = text.find("\n", token.start)
            while directive_end > 0 and text[directive_end - 1] == "\\":
                directive_end = text.find("\n", directive_end + 1)
        if token.start < directive_end:
            start = i + 1
            continue
        if token.text in ("(", "["):
            depth += 1
        elif token.text in (")", "]"):
            depth -= 1
            # The statement under an `if (...)` or `for (...)` begins behind its bracket.
            if depth == 0 and tokens[start].text in ("if", "for", "while", "UNROLL") and token.text == ")":
                start = i + 1
        elif depth == 0 and token.text in ("{", "}", "else"):
            start = i + 1
        elif depth == 0 and token.text == ";":
            body = tokens[start:i]
            texts = [t.text for t in body]
            declares = texts and (texts[0] in NOT_VALUES)
            if body and not declares and "=" in "".join(t for t in texts if t not in ("==", "!=", "<=", ">=")):
                yield "statement", body[0].start, token.end, ";"
            elif body and not declares and len(body) > 2 and texts[1] == "(" and texts[0] != "barrier":
                yield "statement", body[0].start, token.end, ";"
            start = i + 1


def swapped_arms(text, at):
    """`text` with the arms of the conditional operator at `at` exchanged, or None."""
    masked = blank_comments(text)
    depth, nested, colon = 0, 0, None
    for i in range(at + 1, len(masked)):
        c = masked[i]
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        if depth < 0 or (depth == 0 and c in ",;") or (c == "\n" and masked[i - 1] != "\\" and colon and depth == 0
                                                       and "#define" in masked[masked.rfind("\n", 0, at) + 1 : at]):
            if colon is None:
                return None
            return text[: at + 1] + " " + text[colon + 1 : i] + " : " + text[at + 1 : colon] + text[i:]
        if depth == 0 and c == "?":
            nested += 1
        elif depth == 0 and c == ":":
            if nested == 0:
                colon = i
            else:
                nested -= 1
    return None


def mutants(kernel, text):
    """The mutants of a kernel's text, in the order of their places; no text comes twice."""
    seen = {text}
    made = []
    for kind, start, end, replacement in edits(text):
        if replacement == "? 0 ?":
            changed = swapped_arms(text, start)
        elif replacement.endswith("(!("):
            changed = negated_choice(text, start, end, replacement)
        elif replacement == "(" or kind != "call" or replacement:
            changed = text[:start] + replacement + text[end:]
        else:
            changed = text[:start] + text[end:]
        if changed is None or changed in seen:
            continue
        seen.add(changed)
        line = text.count("\n", 0, start) + 1
        first = text.rfind("\n", 0, start) + 1
        # The lines that differ, without what they share at either end of the file.
        tail = len(text) - len(text[max(start, end) :])
        stop = text.find("\n", tail)
        stop = len(text) if stop < 0 else stop
        before = " ".join(text[first:stop].split())
        after = " ".join(changed[first : len(changed) - (len(text) - stop)].split())
        following = " ".join(text[stop:].lstrip().split("\n", 1)[0].split())
        made.append(Mutant(kernel, line, kind, before, after, changed, following))
    made.sort(key=lambda mutant: mutant.line)
    places = collections.Counter()
    for i, mutant in enumerate(made):
        places[mutant.key] += 1
        made[i] = dataclasses.replace(mutant, place=places[mutant.key])
    return made


def negated_choice(text, start, end, replacement):
    """choose(c, …) as choose(!(c), …)."""
    depth = 0
    for i in range(end, len(text)):
        if text[i] in "([":
            depth += 1
        elif text[i] in ")]":
            depth -= 1
        elif text[i] == "," and depth == 0:
            return text[:start] + replacement + text[end:i] + ")" + text[i:]
    return None
