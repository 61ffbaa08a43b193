"""No regular expression of the package takes more than linear time, whatever text a stranger gives."""

import ast
import itertools
import re
import time
from pathlib import Path

import pytest

import labcolor

try:
    from re import _parser as parser  # Python 3.11 and newer
except ImportError:
    parser = pytest.importorskip("sre_parse")

NOTICEABLE = 0.02  # seconds; less is no growth that could be measured


def expressions():
    """Each call of ``re`` in the package: its place, its pattern, its flags, and the methods by which it is used."""
    for path in sorted(Path(labcolor.__file__).parent.rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        names = {node.value: ast.unparse(node.targets[0]) for node in nodes if isinstance(node, ast.Assign)}
        attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
        for node in nodes:
            if not (isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.") and node.args):
                continue
            methods = {node.func.attr}
            if methods == {"compile"}:
                methods = {one.attr for one in attributes if ast.unparse(one.value) == names.get(node)}
            if methods != {"escape"}:
                flags = [flag for flag in ("MULTILINE", "DOTALL", "IGNORECASE") if flag in ast.unparse(node)]
                anchored = methods & {"match", "fullmatch"}
                yield f"{path.name}:{node.lineno}", node.args[0], flags, min(anchored, default="search")


def literal(node):
    """The pattern of a call, with a digit for what an f-string inserts; None if it is not written there."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "1" for part in node.values)
    return None


def example(items):
    """A short text that a parsed pattern matches, as a list of its parts."""
    for kind, value in items:
        name = str(kind)
        if name == "LITERAL":
            yield chr(value)
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            low, _, inner = value
            yield "".join(example(inner)) * max(1, low)
        elif name == "SUBPATTERN":
            yield from example(value[3])
        elif name == "ATOMIC_GROUP":
            yield from example(value)
        elif name == "BRANCH":
            yield from example(value[1][0])
        elif name == "IN":
            yield next((c for c in "a1 :.\0\n(=" if re.match(_class(value), c)), "a")
        elif name == "NOT_LITERAL":
            yield "a" if chr(value) != "a" else "b"
        elif name == "ANY":
            yield "a"


def _class(items):
    """A character class as a pattern."""
    text = ""
    for kind, value in items:
        name = str(kind)
        if name == "NEGATE":
            text = "^" + text
        elif name == "LITERAL":
            text += re.escape(chr(value))
        elif name == "RANGE":
            text += f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
        elif name == "CATEGORY":
            text += {"CATEGORY_DIGIT": r"\d", "CATEGORY_SPACE": r"\s", "CATEGORY_WORD": r"\w"}.get(str(value), r"\S")
    return f"[{text}]"


def attacks(pattern):
    """Pieces whose repetition makes a search start, or go on, again and again."""
    parts = list(example(parser.parse(pattern if isinstance(pattern, str) else pattern.decode())))
    pieces = {"".join(parts[:end]) for end in range(1, len(parts) + 1)} | set(parts)
    return sorted(piece for piece in pieces if piece)


def seconds(search, text, searches):
    """The least processor time of several searches."""
    times = []
    for _ in range(searches):
        start = time.process_time()
        search(text)
        times.append(time.process_time() - start)
    return min(times)


def superlinear(pattern, flags=(), method="search"):
    """The piece whose repetition takes a time that grows faster than its length; None if there is none."""
    search = getattr(re.compile(pattern, sum(getattr(re, flag) for flag in flags)), method)
    for piece, last in itertools.product(attacks(pattern), ("", "\0")):
        texts = [piece * int(2 ** (step / 2)) + last for step in range(6, 27)]  # from 8 to 8,192 pieces
        if isinstance(pattern, bytes):
            texts = [text.encode() for text in texts]
        for half, text in zip(texts, texts[2:], strict=False):  # two steps for twice the length
            if seconds(search, text, 1) > NOTICEABLE:
                if seconds(search, text, 3) > 3 * seconds(search, half, 3):
                    return piece
                break
    return None


ROWS = [(place, literal(node), flags, method) for place, node, flags, method in expressions()]


@pytest.mark.parametrize(("place", "pattern", "flags", "method"), ROWS, ids=[row[0] for row in ROWS])
def test_time_grows_with_the_length(place, pattern, flags, method):
    """Twice the text takes about twice the time, for texts that repeat a part of what the pattern matches."""
    assert pattern is not None, f"{place}: write the pattern where it is used"
    assert superlinear(pattern, flags, method) is None, place


@pytest.mark.parametrize("pattern", [rb"<t>.*?</t>", r"(a+)+b", r"\s+$", r"time:(\S+).*?fmt:(\w+).*? sar:"])
def test_what_takes_longer_is_found(pattern):
    """The test above finds patterns whose time grows with the square of the length, or faster."""
    assert superlinear(pattern) is not None
