"""Parts of an address that are no regions: streets, RT/RW, km, house numbers, blocks, landmarks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pilah.models.gazetteer import Token, place_words
from pilah.models.text import roots, slang, stem

MAX_STREET_WORDS = 4
"""Most words of a street name."""
MAX_LANDMARK_WORDS = 3
"""Most words after the kind of a landmark ("pasar", "masjid")."""
_STREET_CUES = frozenset(("jalan", "jln", "jl", "jlan", "jlnn", "gang", "gg", "lorong", "lrg"))
_SHORT_CUES = frozenset(("jln", "jl", "gg", "lrg"))
_LANES = frozenset(("gang", "gg", "lorong", "lrg"))
_ONES = ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
_ROMAN = {"x" * (n // 10) + _ONES[n % 10]: str(n) for n in range(1, 40)}
_SEP = r"[\s.:,;=-]*(?:no\.?\s*)?"
_PAIR = re.compile(
    rf"(?<![a-z])rt\s*[/\\-]?\s*rw{_SEP}0*(\d{{1,3}})\s*[/\\-]\s*0*(\d{{1,3}})(?!\d)"
    rf"|(?<![a-z])rt{_SEP}0*(\d{{1,3}})\s*[/\\]\s*0*(\d{{1,3}})(?!\d)",
    re.IGNORECASE,
)
_RT = re.compile(rf"(?<![a-z])rt{_SEP}(?:0*(\d{{1,3}})(?!\d)|([ivx]{{1,5}})(?![a-z]))", re.I)
_RW = re.compile(rf"(?<![a-z])rw{_SEP}(?:0*(\d{{1,3}})(?!\d)|([ivx]{{1,5}})(?![a-z]))", re.I)
_KM = re.compile(r"(?<![a-z\d])km\.?\s*(\d{1,4}(?:[.,+]\d{1,3})?)(?![\d/])", re.IGNORECASE)
_NO = re.compile(
    r"(?<![a-z])(?:no|nomor|nomer|nmr)[\s.:]*(\d{1,4}(?:\s?-\s?\d{1,4})?(?:\s?[a-e](?![a-z]))?)(?![\d/.,]\d)",
    re.IGNORECASE,
)
_BLOCK = re.compile(
    r"(?<![a-z])(?:blok|blk)[\s.:]*([a-z]{1,2}(?:[\s.-]?\d{1,3})?|\d{1,3})(?![a-z\d])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an address.

    Attributes:
        kind: street, rt_rw, km, number or landmark.
        name: normalised value, such as ``kaliurang`` or ``rt 3``.
        start: first character in the text.
        end: one past the last character.
    """

    kind: str
    name: str
    start: int
    end: int


def read_numbers(text: str) -> tuple[dict[str, tuple[str, ...]], list[Part]]:
    """RT, RW, km, house number and block, without leading zeros, in order of the text.

    A house number counts only in a text with a street, RT or block around it (40 characters
    before). "5 km" is a distance and no place; "km 5" is one.

    Returns:
        kind (rt, rw, km, no, blok) -> values, and the parts.
    """
    parts = [*_rt_rw(text), *_km(text), *_blocks(text)]
    parts += _house(text)
    parts.sort(key=lambda part: part.start)
    values: dict[str, list[str]] = {kind: [] for kind in ("rt", "rw", "km", "no", "blok")}
    for part in parts:
        for field in part.name.split("/"):
            kind, _, value = field.partition(" ")
            if value not in values[kind]:
                values[kind].append(value)
    return {kind: tuple(found) for kind, found in values.items()}, parts


def _rt_rw(text: str) -> Iterator[Part]:
    pairs = list(_PAIR.finditer(text))
    for match in pairs:
        rt, rw = match[1] or match[3], match[2] or match[4]
        yield Part("rt_rw", f"rt {int(rt)}/rw {int(rw)}", *match.span())
    for kind, pattern in (("rt", _RT), ("rw", _RW)):
        for match in pattern.finditer(text):
            number = match[1] or _ROMAN.get(match[2].lower(), "")
            if number and not any(p.start() <= match.start() < p.end() for p in pairs):
                yield Part("rt_rw", f"{kind} {int(number)}", *match.span())


def _km(text: str) -> Iterator[Part]:
    for match in _KM.finditer(text):
        value = match[1].replace(",", ".").replace("+", ".")
        whole, _, rest = value.partition(".")
        rest = rest.rstrip("0")
        yield Part("km", f"km {int(whole)}{'.' if rest else ''}{rest}", *match.span())


def _blocks(text: str) -> Iterator[Part]:
    for match in _BLOCK.finditer(text):
        yield Part("number", f"blok {re.sub(r'[^a-z0-9]', '', match[1].lower())}", *match.span())


_HOUSE_CONTEXT = re.compile(
    r"(?<![a-z])(?:jalan|jl|jln|gang|gg|blok|blk|perum\w*|komplek\w*|rumah|rt|rw|kav\w*)(?![a-z])",
    re.I,
)


def _house(text: str) -> Iterator[Part]:
    for match in _NO.finditer(text):
        if _HOUSE_CONTEXT.search(text, max(0, match.start() - 40), match.start()):
            value = re.sub(r"\s", "", match[1].lower()).lstrip("0")
            if value:
                yield Part("number", f"no {value}", *match.span())


def read_streets(tokens: Sequence[Token]) -> list[Part]:
    """Streets and lanes that are named, "jalan" and "raya" left out of the name."""
    found, i = [], 0
    while i < len(tokens):
        last = _street_end(tokens, i) if tokens[i].text in _STREET_CUES else i
        name = _street_name(tokens[i:last]) if last > i else ""
        if name:
            found.append(Part("street", name, tokens[i].start, tokens[last - 1].end))
        i = max(last, i + 1)
    return found


def _street_end(tokens: Sequence[Token], i: int) -> int:
    """One past the last token of the street that starts at a cue; ``i`` when it has no name."""
    lane = tokens[i].text in _LANES
    j = i + 1
    if j < len(tokens) and tokens[j].text == ".":
        j += 1
    first, words = j, 0
    while j < len(tokens) and words < MAX_STREET_WORDS and _continues(tokens, first, j, lane=lane):
        words += tokens[j].text != "."
        j += 1
    if j > first and tokens[j - 1].text == ".":
        j -= 1
    return j if j > first else i


def _continues(tokens: Sequence[Token], first: int, j: int, *, lane: bool) -> bool:
    """Whether a token carries on the name of a street."""
    token = tokens[j]
    if token.text == ".":
        return j > first and j + 1 < len(tokens) and _is_short(tokens[j - 1].text)
    if not token.is_word:
        return _is_street_number(tokens, first, j, lane=lane)
    if _is_stop(token.text) and not (j == first and _is_told(tokens, first)):
        return False
    return not (tokens[first].capital and not token.capital and j > first)


def _is_told(tokens: Sequence[Token], first: int) -> bool:
    """Whether a capital after "Jl" shows a name that only looks like a verb ("Jl Menoreh")."""
    word, cue = tokens[first], tokens[first - 2 if tokens[first - 1].text == "." else first - 1]
    return word.capital and cue.text in _SHORT_CUES and word.text not in place_words()["stop"]


def _is_stop(word: str) -> bool:
    """Whether a word, or what it is short for, cannot stand in a name."""
    stop = place_words()["stop"]
    plain = slang().get(word, word)
    return word in stop or plain in stop or (len(word) > 5 and _is_verb(word))


def _is_short(word: str) -> bool:
    """Whether a dot after the word marks an abbreviation ("a. yani", "ir. juanda")."""
    return len(word) <= 2 or word in place_words()["street_word"]


def _is_street_number(tokens: Sequence[Token], first: int, j: int, *, lane: bool) -> bool:
    """Whether a number is of the name: "pucang anom 5", "gang 3"; "17 agustus" opens with it."""
    number = tokens[j].text
    if not number.isdigit() or len(number) > 2:
        return False
    if j > first or lane:
        return True
    return j + 1 < len(tokens) and tokens[j + 1].text in (
        "agustus",
        "november",
        "nopember",
        "maret",
    )


@lru_cache(maxsize=1 << 14)
def _is_verb(word: str) -> bool:
    """Whether a word is derived with a verb's prefix from a known root ("berlubang", "menuju")."""
    if not re.match(r"(?:ber|ter|me|di|pe)[a-z]{3}", word):
        return False
    root = stem(word)
    return root != word and root in roots()


def _street_name(tokens: Sequence[Token]) -> str:
    """``jl. jend. soedirman`` -> ``jenderal sudirman``; "" when nothing is left."""
    table = place_words()["street_word"]
    words = [token.text for token in tokens[1:] if token.text != "."]
    words = [
        table.get(word, word) if len(word) > 1 or not k else word for k, word in enumerate(words)
    ]
    while words and words[0] == "raya":
        words = words[1:]
    lane = tokens[0].text in _LANES
    words = [_ROMAN.get(word, word) if k or lane else word for k, word in enumerate(words)]
    return " ".join(["gang", *words] if lane and words else words)


def read_landmarks(tokens: Sequence[Token]) -> list[Part]:
    """Known kinds of places with a name ("pasar keputran"), or after "depan", "dekat" and so on."""
    found, i = [], 0
    while i < len(tokens):
        last = _landmark_end(tokens, i)
        if last > i:
            name = _landmark_name(tokens[i:last])
            found.append(Part("landmark", name, tokens[i].start, tokens[last - 1].end))
        i = max(last, i + 1)
    return found


def _landmark_end(tokens: Sequence[Token], i: int) -> int:
    """One past the last token of the landmark that starts here; ``i`` when none does."""
    words = place_words()
    before = tokens[i - 1].text if i else ""
    after_position = before in words["position"]
    beside = after_position or before in words["local_position"]
    if tokens[i].text in words["kind"]:
        first = i + 1
        if first < len(tokens) and tokens[first].text in _AFTER_KIND.get(tokens[i].text, ()):
            first += 1
        last = _name_end(tokens, first)
        named = last > i + 1 and tokens[last - 1].text != "negeri"
        return last if named or (beside and tokens[i].text in words["alone"]) else i
    # After a local language's "beside" come its own words, which are in no list and no names.
    if after_position and tokens[i].is_word and _is_proper(tokens[i].text):
        return _name_end(tokens, i)
    return i


_SCHOOLS = dict.fromkeys(("sd", "smp", "sma", "smk"), frozenset(("negeri",)))
_AFTER_KIND = {
    "pasar": frozenset(("baru", "lama", "besar", "induk", "minggu", "pagi", "senen")),
    **_SCHOOLS,
}
"""Words that may open the name of a kind of place though they open no other name."""


def _name_end(tokens: Sequence[Token], first: int) -> int:
    j, stop = first, place_words()["landmark_stop"]
    while j < len(tokens) and j - first < MAX_LANDMARK_WORDS:
        token = tokens[j]
        number = token.text.isdigit() and len(token.text) <= 3
        if not number and (not token.is_word or token.text in stop or _is_stop(token.text)):
            break
        j += 1
    return j


def _landmark_name(tokens: Sequence[Token]) -> str:
    """``mesjid al ikhlas`` -> ``masjid al ikhlas``, ``sd negeri 1`` -> ``sdn 1``."""
    kinds = place_words()["kind"]
    words = [kinds.get(tokens[0].text, tokens[0].text), *(token.text for token in tokens[1:])]
    if len(words) > 2 and words[1] == "negeri":
        words = [f"{words[0]}n", *words[2:]]
    return " ".join(words)


def _is_proper(word: str) -> bool:
    """Whether a word is none of the language, so likely a name ("excelso")."""
    return (
        len(word) > 2
        and word not in place_words()["stop"]
        and word not in roots()
        and word not in slang()
    )
