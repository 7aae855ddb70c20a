"""Two texts side by side, with the words marked that only one of them has."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from pilah.service.highlight import Segment

MAX_WORDS = 400
"""Most words of a text that are compared; the rest follows unmarked."""


def side_by_side(one: str, other: str) -> tuple[list[Segment], list[Segment]]:
    """Both texts in pieces; what differs has the kind ``only``. The pieces joined give the text."""
    a, b = _pieces(one), _pieces(other)
    keys = [[word.casefold() for word in words[: 2 * MAX_WORDS]] for words in (a, b)]
    steps = SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_opcodes()
    left: list[Segment] = []
    right: list[Segment] = []
    for kind, i, j, m, n in steps:
        mark = "" if kind == "equal" else "only"
        left += _segment(a[i:j], mark)
        right += _segment(b[m:n], mark)
    left += _segment(a[2 * MAX_WORDS :], "")
    right += _segment(b[2 * MAX_WORDS :], "")
    return left, right


def _pieces(text: str) -> list[str]:
    """Words and what stands between them, in turn."""
    return re.findall(r"\w+|\W+", text)


def _segment(pieces: list[str], kind: str) -> list[Segment]:
    """One piece of text; blanks around what is marked stay unmarked."""
    text = "".join(pieces)
    core = text.strip()
    if not kind or not core:
        return [Segment(text)] if text else []
    before, after = text.split(core, 1)
    return [Segment(t, k) for t, k in ((before, ""), (core, kind), (after, "")) if t]
