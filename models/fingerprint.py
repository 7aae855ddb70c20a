"""What is kept of a report so that its incident can be recognised again."""

from __future__ import annotations

import re
import zlib
from functools import cache, lru_cache
from hashlib import blake2s
from typing import TYPE_CHECKING

from pilah.datasets.tables import read_table
from pilah.models.masking import case_numbers
from pilah.models.phrases import PhraseFinder
from pilah.models.reading import Fingerprint
from pilah.models.regional import in_indonesian
from pilah.models.text import MAX_CACHED, roots, slang, stem, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from pilah.datasets.records import Report
    from pilah.models.reading import CleanText, PlaceReading, Spoken

FORMAT = 4
"""Version of what is kept: stored fingerprints of another one are made anew at the next start."""
MAX_FIGURES = 12
"""At most this many plain figures of one text are kept, in order of the text."""

DISTRICT = len("34.04.07")
"""Codes of districts and villages are this long or longer."""
_FIGURE = re.compile(r"(?<![\w.,/])\d{1,6}(?:[.,]\d{1,3})?(?![\w/])")
_WRITTEN = re.compile(r"\w+")
MONTHS = frozenset(
    ("januari", "februari", "maret", "april", "mei", "juni", "juli", "agustus", "september",
     "oktober", "november", "desember")
)  # fmt: skip
_MONTH = re.compile(rf"\b({'|'.join(sorted(MONTHS))})\b")
_DATE = re.compile(r"\b(?:tanggal|tgl) 0?(\d{1,2})(?![\w.:])")
_NAME = re.compile(
    r"\b(?:atas nama|an|a n|bernama|nama|pak|bapak|bu|ibu|sdr|saudara|almarhumah?)\s+"
    r"([^\W\d_]{3,})"
)
_SELF = re.compile(
    r"(?:\b(?i:nama saya)(?: ?[:,]| (?i:adalah))? ((?:[A-Z][^\W\d_]{2,} ?){1,4})"
    r"|(?:(?:^|[^\w\s])\s*|\b(?i:perkenalkan|dengan|hormat|ini|pak|bu|wb|pagi|siang|sore|malam)\s+)"
    r"(?i:saya)(?: ?[:,]| (?i:adalah|bernama))? ((?:[A-Z][a-z][^\W\d_]+ ?){1,4}))"
)
"""Not "rumah saya Tirtoadi" or "saya PNS": what somebody has or is, is no name."""
_OWN = re.compile(
    r"\b(?:(?:gaji|upah|ktp|kk|akta|bpjs|kis|pkh|bpnt|bansos|bantuan|kartu|sertifikat|paspor|sim|"
    r"stnk|ijazah|tagihan|token|meteran|klaim|jht|berkas|rekening|akun|desil|thr|pesangon|motor|"
    r"data|nama|pupuk|pip|kip|rumah) (?:\w+ )?(?:saya|kami|aku|ibu|bapak|anak|orang tua|istri|"
    r"suami|adik|kakak)|(?:anak|ibu|bapak|istri|suami|adik|kakak|mertua) (?:kandung )?saya|"
    r"saya (?:peserta|pemohon|penerima|dirawat|mengurus|daftar|mendaftar|mengajukan|bekerja)|"
    r"atas nama)\b"
)
_KIN = re.compile(
    r"\b((?:anak|ibu|bapak|ayah|istri|suami|adik|kakak|mertua|menantu|nenek|kakek|cucu|paman)"
    r"(?: pertama| kedua| ketiga)?)(?: kandung)? (?:saya|kami|aku)\b"
)


def make_fingerprint(
    report_id: str,
    report: Report,
    clean: CleanText,
    place: PlaceReading,
    topics: Spoken,
    received_at: datetime,
    *,
    key: bytes = b"",
) -> Fingerprint:
    """Keep of a report what tells its incident apart, and nothing that can be read.

    Args:
        report_id: id under which the report is stored.
        report: the report as it came in.
        clean: its text forms; words are taken from ``clean.normal``.
        place: where it happened.
        topics: the likeliest, best first, any stable strings; none where nothing is known.
        received_at: with a time zone; ``report.reported_at`` is preferred when given.
        key: secret of the installation (at most 32 bytes) for the hashes of persons and cases.
    """
    plain = in_indonesian(clean.normal)
    told = dict(place.numbers) | _figures(plain, place.numbers)
    return Fingerprint(
        report_id=report_id,
        text_hash=blake2s(" ".join(clean.normal.split()).encode()).hexdigest(),
        words=frozenset(map(hash_word, content_words(plain))),
        place=place.code,
        streets=place.streets,
        numbers={kind: values for kind, values in told.items() if values},
        landmarks=place.landmarks,
        cases=case_numbers(clean.fixed, **({"key": key} if key else {})),
        topic=topics[0][0] if topics else None,
        reporter=_keyed(report.reporter_ref, key) if report.reporter_ref else None,
        visibility=report.visibility,
        received_at=report.reported_at or received_at,
        lat=report.location.lat if report.location else None,
        lon=report.location.lon if report.location else None,
        problems=problems_in(plain),
        names=frozenset(map(hash_word, _names(plain))),
        spots=frozenset(map(hash_word, spot_words(plain))),
        things=frozenset(map(hash_word, thing_words(plain))),
        own_case=_OWN.search(plain) is not None,
        regions=frozenset(p.code for p in place.found if p.code and len(p.code) >= DISTRICT),
        kin=frozenset(_KIN.findall(plain)),
        senders=frozenset(map(hash_word, _senders(clean.masked))),
        topics=tuple((hash_word(label), share) for label, share in topics),
        written=frozenset(map(hash_word, written_words(clean.masked))),
    )


def hash_word(word: str) -> int:
    """A word as a stable unsigned 32-bit integer (CRC-32 of its UTF-8 bytes)."""
    return zlib.crc32(word.encode())


def content_words(normal: str) -> tuple[str, ...]:
    """The words of a normalised text that carry its content, in order, with repeats.

    Stop words and labels in brackets fall out; the others are stemmed, so that "menyumbat" meets
    "tersumbat".
    """
    stop = words_of("stop")
    written = (t for t in tokens(normal) if len(t) > 1 and t[0].isalpha() and t not in stop)
    return tuple(root for root in map(stem, written) if root not in stop)


def written_words(masked: str) -> list[str]:
    """Words and numbers of a masked text in lower case, else as they stand.

    Not normalised and not stemmed: one writer, and neighbours who name one thing, share spellings.
    """
    return _WRITTEN.findall(masked.lower())


def problems_in(normal: str) -> frozenset[str]:
    """Slugs of the things a normalised text complains about, by the phrases of problems.csv."""
    maybe = _problem_finder().marks(normal)
    return frozenset(slug for slug in maybe if _problems()[slug].search(normal))


def spot_words(normal: str) -> Iterator[str]:
    """Words after "di", "depan", "dusun" and the like, up to three each and stemmed.

    They tell places that no gazetteer knows.
    """
    words, cues, stop = tokens(normal), words_of("place"), words_of("stop")
    for i, word in enumerate(words):
        for told in words[i + 1 : i + 4] if word in cues else ():
            if told in stop and told not in cues:
                break
            if told not in cues:
                yield stem(told)


def thing_words(normal: str) -> Iterator[str]:
    """Words that are none of the language, so likely names ("excelso", "karangmojo")."""
    known = words_of("stop") | MONTHS
    for word in tokens(normal):
        if len(word) > 2 and word.isalpha() and word not in known and not _is_common(word):
            yield stem(word)


@lru_cache(maxsize=MAX_CACHED)
def _is_common(word: str) -> bool:
    return word in roots() or stem(word) in roots() or word in _standard()


@cache
def _standard() -> frozenset[str]:
    """What slang stands for."""
    return frozenset(slang().values())


def _names(normal: str) -> Iterable[str]:
    known = words_of("stop") | words_of("role")
    return (name for name in _NAME.findall(normal) if name not in known)


def _senders(masked: str) -> Iterator[str]:
    """Names with a capital by which writers introduce themselves ("saya Wiryo")."""
    known = words_of("stop") | words_of("role")
    for found in map("".join, _SELF.findall(masked)):
        yield from (w for w in found.lower().split() if w not in known and not _is_common(w))


def _figures(normal: str, known: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Months, days of a month and plain figures of the text, as more kinds of numbers."""
    taken = {value for values in known.values() for value in values}
    dates = dict.fromkeys(_DATE.findall(normal))
    figures = [f for f in _FIGURE.findall(normal) if f.lstrip("0") not in taken and f not in taken]
    months = dict.fromkeys(_MONTH.findall(normal))
    plain = tuple(dict.fromkeys(figures))[:MAX_FIGURES]
    return {"month": tuple(months), "date": tuple(dates), "figure": plain}


def _keyed(value: str, key: bytes) -> str:
    return blake2s(value.strip().encode(), key=key).hexdigest()


@cache
def words_of(kind: str) -> frozenset[str]:
    """Words of one kind, from fingerprint_words.csv.

    "stop" carries no content; "role" follows "pak" but is no name; after "place" a place is told;
    "generic" in the name of a street or landmark tells no place by itself.
    """
    rows = [row for _, row in read_table("fingerprint_words.csv", ("word", "kind"))]
    return frozenset(row["word"] for row in rows if row["kind"] == kind)


@cache
def _problems() -> dict[str, re.Pattern[str]]:
    rows = [row for _, row in read_table("problems.csv", ("slug", "phrases"))]
    return {row["slug"]: _any_of(row["phrases"]) for row in rows}


@cache
def _problem_finder() -> PhraseFinder[str]:
    rows = [row for _, row in read_table("problems.csv", ("slug", "phrases"))]
    return PhraseFinder((p, row["slug"]) for row in rows for p in row["phrases"].split("|"))


def _any_of(phrases: str) -> re.Pattern[str]:
    longest_first = sorted(phrases.split("|"), key=len, reverse=True)
    choice = "|".join(map(re.escape, longest_first))
    return re.compile(rf"(?<!\w)(?:{choice})(?:nya)?(?!\w)")
