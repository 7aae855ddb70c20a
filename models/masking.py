"""Masking of personal data: what is found is replaced by a label such as ``[NIK]``.

Labels: NIK and KK (identity and family-card numbers), TELEPON, EMAIL, PLAT (vehicle plate),
REKENING (bank and virtual accounts), IDPEL (meter, customer and member numbers, driving licences),
NPWP, PASPOR. Names of people are not found.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pilah.models.personal import CASES, PATTERNS, Pattern, only_digits

LABELS = ("NIK", "KK", "TELEPON", "EMAIL", "PLAT", "REKENING", "IDPEL", "NPWP", "PASPOR")
FEWEST_DIGITS = 6
"""No number of fewer digits is personal; plates apart."""
_CASE_KINDS = frozenset(("NIK", "KK", "REKENING", "IDPEL", "NPWP", "PASPOR"))
_OF_CASES = [pattern for pattern in PATTERNS if pattern.kind in _CASE_KINDS]
_THREE_DIGITS = re.compile(r"\d{3}")
_SPELT_AT = re.compile(r"[(\[]\s?(?:at|@)\s?[)\]]", re.IGNORECASE)
_CASE_KEY = b"pilah case number"
_DIGIT = re.compile(r"[0-9]")


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of personal data: kind (a label without brackets) and its place in the text."""

    kind: str
    start: int
    end: int


def find_personal_data(text: str) -> tuple[Span, ...]:
    """Every piece of personal data in a text, in order and without overlap.

    Disguised digits and invisible characters do not hide anything. Other disguises (mojibake) must
    be mended first, with ``text.repair``.

    Returns:
        Spans that index the text as it was given.
    """
    plain, places = _plain(text)
    taken: list[tuple[int, int]] = []
    spans = []
    for kind, start, end in _candidates(plain, PATTERNS):
        if all(end <= a or b <= start for a, b in taken):
            taken.append((start, end))
            spans.append(Span(kind, places[start], places[end - 1] + 1))
    return tuple(sorted(spans, key=lambda span: span.start))


def _candidates(plain: str, patterns: Sequence[Pattern]) -> Iterator[tuple[str, int, int]]:
    """Kind, start and end of every match, stronger kinds first."""
    for pattern in _worth_trying(plain, patterns):
        for match in pattern.regex.finditer(plain):
            if pattern.accept is None or pattern.accept(match):
                yield pattern.kind, match.start("value"), match.end("value")


def _worth_trying(plain: str, patterns: Sequence[Pattern]) -> list[Pattern]:
    """The patterns that can match at all, by what the text holds."""
    digits = len(_DIGIT.findall(plain))
    held = {"digit": digits > 0, "digits": digits >= FEWEST_DIGITS, "@": "@" in plain}
    held["at"] = _SPELT_AT.search(plain) is not None
    return [pattern for pattern in patterns if held[pattern.hint]]


def _plain(text: str) -> tuple[str, range | list[int]]:
    """The text with ASCII digits and no invisible characters, and where each character stood."""
    if text.isascii():
        return text, range(len(text))
    places = [i for i, char in enumerate(text) if unicodedata.category(char) != "Cf"]
    return "".join(_ascii_digit(text[i]) for i in places), places


def _ascii_digit(char: str) -> str:
    if char.isascii() or not char.isdigit():
        return "\u0020" if char.isspace() else char
    return str(unicodedata.digit(char))


def mask(text: str) -> str:
    """Replace personal data by labels.

    The result holds nothing that ``find_personal_data`` still finds; masking twice changes nothing.
    Every round removes digits or an @, so it ends.
    """
    while spans := find_personal_data(text):
        parts, last = [], 0
        for span in spans:
            parts += [text[last : span.start], f"[{span.kind}]"]
            last = span.end
        text = "".join([*parts, text[last:]])
    return text


def case_numbers(text: str, *, key: bytes = _CASE_KEY) -> frozenset[str]:
    """Keyed hashes of the numbers that name one case: meter, account, NIK, ticket, registration.

    Two reports that share one of them most likely tell of the same case; the number itself is not
    kept. The default key is public, so whoever holds the hashes can try all NIK: give a secret key
    (up to 32 bytes) where the hashes leave the house.

    Args:
        text: the unmasked text.
        key: key of the hash.

    Returns:
        Hex digests of 16 bytes (BLAKE2s, RFC 7693).
    """
    plain, _ = _plain(text)
    found = {only_digits(plain[start:end]) for _, start, end in _candidates(plain, _OF_CASES)}
    if _THREE_DIGITS.search(plain):
        found |= {re.sub(r"\W", "", match["value"]).lower() for match in CASES.finditer(plain)}
    return frozenset(
        hashlib.blake2s(number.encode(), key=key, digest_size=16).hexdigest()
        for number in found
        if number
    )
