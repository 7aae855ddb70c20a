"""Text as models read it: repaired, normalised, cut into tokens, stemmed.

The slang table is ``datasets/data/slang.csv`` (``from,to``); root words come with Sastrawi.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import ftfy
from Sastrawi.Stemmer.StemmerFactory import StemmerFactory

from pilah.datasets.tables import read_table
from pilah.models.masking import LABELS, mask
from pilah.models.reading import CleanText
from pilah.models.stemmer import QuickStemmer

MAX_STEMMED = 30
"""Longest token that is stemmed, in characters; Sastrawi is slow on longer ones."""
MAX_CACHED = 1 << 16
"""Most words kept in each word cache of the process."""
_NOT_DOUBLED = re.compile(
    r"blok|gang|jalur|lantai|tahap|kelas|kelompok|kav|unit|tipe|type|shift|dosis|sesi|zona|pos|sdn"
    r"|smpn?|sman?|smkn?|mtsn?|man|dapil|covid|level|semester|simpang"
)
"""Words after which a 2 is a number, not a repetition (``blok2``)."""

_LETTER = r"[^\W\d_]"
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_MARKS = re.compile(r"([\u0300-\u036f]{2})[\u0300-\u036f]+")
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n[ \n]*")
_RUN = re.compile(rf"({_LETTER})\1{{2,}}")
_SUFFIXES = "nya|kan|an|ku|mu"
_PIECE = re.compile(
    r"(?P<url>(?:https?://|www\.)\S+|<url>"
    r"|\b[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,4}\.(?:com|net|org|id)\b\S*)"
    rf"|(?P<user>@\w+|<user>)"
    rf"|(?P<label>\[(?:{'|'.join(LABELS)}|url|user|emoji)\])"
    r"|(?P<emoji>[\U0001f000-\U0001faff\u2600-\u27bf\u2b50\u2b55\u203c\ufe0f\u200d]+)"
    rf"|(?P<number>\d+(?:[.,:/]\d+)*)"
    rf"|(?P<twice>{_LETTER}{{3,}})2(?P<suffix>{_SUFFIXES})?(?!\w)"
    rf"|(?P<word>{_LETTER}+(?:['\u2019`-]{_LETTER}+)*)"
    rf"|(?P<mark>[?!]+)",
    re.IGNORECASE,
)


def repair(text: str) -> str:
    r"""Mend broken Unicode: mojibake, full-width and other digits, control and unseen characters.

    Line ends are kept as ``\n``; all other space becomes single blanks. Linear in the length of
    the text (20,000 characters take some milliseconds). Source: ftfy (Speer), NFC.
    """
    text = ftfy.fix_text(_SURROGATE.sub("\ufffd", text))
    text = _CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    if not text.isascii():
        text = unicodedata.normalize("NFC", "".join(map(_plain, _MARKS.sub(r"\1", text))))
    return _LINES.sub("\n", _SPACES.sub(" ", text)).strip()


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    """A character without disguise: ASCII digit, nothing for an invisible one, else itself."""
    if char.isdigit():
        return str(unicodedata.digit(char))
    category = unicodedata.category(char)
    if category == "Cf":
        return ""
    return " " if category in ("Zs", "Zl", "Zp") else char


def normalise(text: str) -> str:
    """Bring a text into one form: lower case, slang expanded, elongations cut, no punctuation.

    ``Jln2 rusakkk bgt!!`` becomes ``jalan-jalan rusak banget !``. Web addresses, users, emoji and
    masked data become tokens in brackets. Question and exclamation marks stay, once each.
    Normalising twice changes nothing.
    """
    return " ".join(_piece(match) for match in _PIECE.finditer(text.lower()))


def _piece(match: re.Match[str]) -> str:
    kind = match.lastgroup
    if kind in ("url", "user", "emoji"):
        return f"[{kind}]"
    if kind in ("label", "number"):
        return match[0]
    if kind == "mark":
        return "?" if "?" in match[0] else "!"
    if kind == "word":
        return _word(match[0])
    return _twice(match["twice"], match["suffix"] or "")


def _twice(word: str, suffix: str) -> str:
    """``jalan2`` -> ``jalan-jalan``; but ``blok2`` -> ``blok 2``."""
    word = _word(word)
    if _NOT_DOUBLED.fullmatch(word) or " " in word:
        return f"{word} 2 {_word(suffix)}" if suffix else f"{word} 2"
    return _word(f"{word}-{word}{suffix}")


@lru_cache(maxsize=MAX_CACHED)
def _word(word: str) -> str:
    """The normal form of one word; several words where slang stands for several."""
    parts = [_simple(part) for part in re.sub(r"['\u2019`]", "", word).split("-")]
    return (" " if any(" " in part for part in parts) else "-").join(parts)


def _simple(word: str) -> str:
    if word in slang():
        return slang()[word]
    word = _squeeze(word)
    return slang().get(word, word)


def _squeeze(word: str) -> str:
    """Cut a letter written three times or more, and a doubled last letter, down to what is known.

    ``tolooong`` -> ``tolong``, ``maaaf`` -> ``maaf``, ``rusakk`` -> ``rusak``.
    """
    known = roots()
    if _RUN.search(word):
        double = _RUN.sub(r"\1\1", word)
        word = double if double in known else _RUN.sub(r"\1", word)
    if word[-1:] == word[-2:-1] and word not in known and word[:-1] in known:
        return word[:-1]
    return word


def tokens(normal: str) -> tuple[str, ...]:
    """The tokens of a normalised text in order, without question and exclamation marks."""
    return tuple(token for token in normal.split() if token not in ("?", "!"))


@lru_cache(maxsize=MAX_CACHED)
def stem(token: str) -> str:
    """The root of one normalised token; unchanged when it is no word or longer than MAX_STEMMED.

    Source: Sastrawi (Nazief-Adriani with the Confix-Stripping extensions).
    """
    if len(token) > MAX_STEMMED or not token.isascii() or not token.replace("-", "").isalpha():
        return token
    return str(_stemmer().stem(token)) or token


@lru_cache(maxsize=1)
def _stemmer() -> QuickStemmer:
    return QuickStemmer(roots())


@lru_cache(maxsize=1)
def roots() -> frozenset[str]:
    """About 29,900 Indonesian root words (Sastrawi's list, in lower case)."""
    return frozenset(word.lower() for word in StemmerFactory().get_words())


@lru_cache(maxsize=1)
def slang() -> dict[str, str]:
    """The slang table: word -> standard words.

    Raises:
        TableError: a row is broken; it names the line.
    """
    rows = (row for _, row in read_table("slang.csv", ("from", "to")))
    return {row["from"]: row["to"] for row in rows}


def read_text(raw: str) -> CleanText:
    """Repair, mask and normalise one text, in this order, so that no disguise escapes the mask."""
    fixed = repair(raw)
    masked = mask(fixed)
    return CleanText(fixed=fixed, masked=masked, normal=normalise(masked))
