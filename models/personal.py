"""What personal data looks like in Indonesian text: the patterns, and the checks beyond them.

Every pattern keeps what it masks in the group ``value``. Kinds are tried in the order of
``PATTERNS``; where two meet, the earlier one wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from pilah.datasets.regions import load_regions

GAP = r"[ .\-_]{0,2}"
"""What may stand between two digits of one number."""
_FILLER = (
    r"no|nmr|nomor|nomer|adalah|yaitu|saya|sy|ini|a\.?n|atas nama|dgn|dengan|di|ke|nya|aktif|ibu"
)
_TO = rf"(?:[\s.:;,=#()/'\"-]|\b(?:{_FILLER})\b){{0,8}}?"
"""What may stand between a keyword and its number."""
_NO = r"(?:\b(?:no|nmr|nomor|nomer)\b[\s.:]{0,3})?"


def _digits(low: int, high: int) -> str:
    """A number of ``low`` to ``high`` digits with gaps, as group ``value``."""
    return rf"(?P<value>\d(?:{GAP}\d){{{low - 1},{high - 1}}})(?!\d)"


def _keyed(words: str, value: str) -> re.Pattern[str]:
    """A keyword, a little filler, and the value after it."""
    return re.compile(rf"(?<![a-z\[]){_NO}(?:{words})(?![a-z]){_TO}{value}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way in which one kind of personal data is written.

    Attributes:
        kind: label without brackets, such as ``NIK``.
        regex: pattern with a group ``value``.
        accept: a check on the match that a pattern cannot say; None accepts all.
        hint: what a text must hold to be worth trying: "digit", "digits" (six), "@", or "at" in
            brackets.
    """

    kind: str
    regex: re.Pattern[str]
    accept: Callable[[re.Match[str]], bool] | None = None
    hint: str = "digits"


@lru_cache(maxsize=1)
def _provinces() -> frozenset[str]:
    return frozenset(region.code for region in load_regions().children(""))


def only_digits(text: str) -> str:
    """The ASCII digits of a text."""
    return "".join(char for char in text if "0" <= char <= "9")


def is_nik(digits: str) -> bool:
    """Whether 16 digits have the structure of a NIK (or of a KK number).

    Province code, then day 1-31 (41-71 for women) and month 1-12 at places 7 to 10. Source:
    Permendagri on population numbers; regency codes are not checked, old ones stay in use.
    """
    day, month = int(digits[6:8]), int(digits[8:10])
    return digits[:2] in _provinces() and (0 < day < 32 or 40 < day < 72) and 0 < month < 13


def _nik(match: re.Match[str]) -> bool:
    return is_nik(only_digits(match["value"])) and not _after_rupiah(match)


def _after_rupiah(match: re.Match[str]) -> bool:
    """Whether the number is an amount: "Rp" before it, and dots at the thousands."""
    before = match.string[max(0, match.start("value") - 4) : match.start("value")].lower()
    amount = re.fullmatch(r"\d{1,3}(?:\.\d{3})+", match["value"])
    return amount is not None and bool(re.search(r"rp\.?\s?$|idr\s?$", before))


def _phone(match: re.Match[str]) -> bool:
    return 9 <= len(only_digits(match["value"]).removeprefix("62")) <= 14 and not _after_rupiah(
        match
    )


_AREAS = (
    "A[ABDEG]?|B[ABDEGHKLMNP]?|D[ABCDEGHKLMNPRSTW]?|E[ABD]?|F|G|H|K[BHTU]?|L|M|N|P[ABGS]?|R|S|T|W|Z"
)
"""Letters that open a plate, by registration area. Source: Perpol 7/2021."""
_NOT_SUFFIX = re.compile(
    r"r[tw]|k[mgkw]|[cm]m|rb|jt|th|hr|di|ke|yg|dan|no|dr|ja?m|org|thn|bln|tgl|pcs|wib|wit|kva|pm|am"
    r"|ja?ln?|gg|per|pak|bu|ada|ini|itu|dgn|utk|sd|smp|sma|hari|mtr|lt|blm|sdh|kali|bh|m|x"
)
"""Words and units that follow numbers; in small letters they do not end a plate."""
_SMALL = re.compile(r"[a-z]")
_YEAR = re.compile(r"19\d\d|20[0-4]\d")
_BLOCK = re.compile(r"(?:blok|blk|kav|kavling|gang|gg|jalur|no|nomor|tipe|type|lantai|kelas)\W*$")


_VEHICLE = re.compile(
    r"motor|mobil|truk|truck|bus|angkot|kendaraan|nopol|plat|pol\b|taksi|pick ?up|sepeda|vario|beat"
    r"|avanza|xenia|innova|nomor|pengemudi|sopir|supir|driver"
)
_SPACED_PLATE = re.compile(r"[A-Z]{1,2}[ -]\d{1,2}[ -][A-Z]{2,3}")


def _plate(match: re.Match[str]) -> bool:
    """Whether letters, digits, letters are a plate, not a house number, a measure or a year.

    Short numbers and years in small letters are taken for plates beside a vehicle only.
    """
    number, suffix, upper = match["number"], match["suffix"], not _SMALL.search(match["value"])
    before = match.string[max(0, match.start() - 40) : match.start()].lower()
    vehicle = _VEHICLE.search(before) is not None
    if _BLOCK.search(before):
        return False
    if _NOT_SUFFIX.fullmatch(suffix.lower()):
        return upper and len(number) == 4
    if len(number) <= 2:
        return vehicle or bool(_SPACED_PLATE.fullmatch(match["value"]))
    return upper or vehicle or not _YEAR.fullmatch(number)


_MOBILE = r"(?:\(?\+?62\)?|0062|0)[ .\-_(]{0,2}8\d{1,3}(?:[ .\-_()]{0,3}\d{2,5}){2,4}"
_MOBILE_SPELT = r"(?:\+?6[ .\-]?2|0)[ .\-]?8(?:[ .\-]\d){8,11}"
_MOBILE_PLAIN = r"(?:\(?\+?62\)?|0062|0)[ .\-]?8\d{7,11}"
_AREA_CODE = r"(?:2[1-9]|31|61|[2-9]\d\d)"
_LANDLINE = (
    rf"(?:\(0{_AREA_CODE}\)|(?:0|\+62[ -]?){_AREA_CODE}[ -])[ -]?[2-9]\d{{2,3}}[ -]?\d{{3,4}}"
)
_LOCAL = r"[\w.+%\-]{1,64}"
_HOST = r"(?:[\w\-]{1,63}\.){1,5}[a-z]{2,24}"
_DOT = r"(?:\.|\s?[(\[]\s?(?:dot|titik)\s?[)\]]\s?)"
_SPELT_HOST = rf"[\w\-]{{1,63}}(?:{_DOT}[\w\-]{{1,63}}){{0,4}}{_DOT}[a-z]{{2,24}}"
_KNOWN_HOST = r"(?:[\w\-]{1,63}\.){1,5}(?:com|net|org|id)"
_CARD = (
    r"kpj|bpjs(?: ?tk| kesehatan| ketenagakerjaan)?|jkn|kis|kartu|sim(?: ?[abcd]\d?)?|keanggotaan"
)
_METER = (
    r"id ?pel(?:anggan)?|pelanggan|meter(?:an)?|no\.?met|kwh|nosal|sambungan|nosamb|token|pdam|pln"
)
_BANK = (
    r"rek(?:ening)?|norek|va|virtual account|bca|bri|bni|btn|bsi|mandiri|bank|atm"
    r"|kartu (?:kredit|debit)"
)
_CALL = r"hp|wa|whatsapp|te?lpn?|telpon|telepon|telfon|hub|hubungi|kontak|call|phone|ponsel|cp|fax"

PATTERNS: tuple[Pattern, ...] = (
    Pattern("EMAIL", re.compile(rf"(?P<value>{_LOCAL}@{_HOST})", re.I), hint="@"),
    Pattern(
        "EMAIL",
        re.compile(rf"(?P<value>{_LOCAL}\s?@\s?{_KNOWN_HOST})(?![\w.-]*\w)", re.I),
        hint="@",
    ),
    Pattern(
        "EMAIL",
        re.compile(rf"(?P<value>{_LOCAL}\s?[(\[]\s?(?:at|@)\s?[)\]]\s?{_SPELT_HOST})", re.I),
        hint="at",
    ),
    Pattern("NPWP", re.compile(r"(?<!\d)(?P<value>\d\d\.\d{3}\.\d{3}\.\d[-.]\d{3}\.\d{3})(?!\d)")),
    Pattern("NPWP", _keyed("npwp", _digits(15, 16))),
    Pattern("KK", _keyed(r"no\.?kk|kk|kartu keluarga", _digits(16, 16))),
    Pattern("NIK", _keyed(r"nik|ktp|e-?ktp|noktp", _digits(13, 18))),
    Pattern("NIK", re.compile(rf"(?<!\d)(?={_digits(16, 16)})"), _nik),
    Pattern("PASPOR", _keyed("paspor|passport|pasport", r"(?P<value>[a-z]{1,2} ?\d{6,8})(?!\w)")),
    Pattern("REKENING", _keyed(_BANK, _digits(8, 20))),
    Pattern("IDPEL", _keyed(_METER, _digits(8, 20))),
    Pattern("IDPEL", _keyed(_CARD, _digits(10, 16))),
    Pattern("TELEPON", re.compile(rf"(?<!\d)(?P<value>{_MOBILE_PLAIN})(?!\d)")),
    Pattern("TELEPON", re.compile(rf"(?<!\d)(?P<value>{_MOBILE})(?!\d)"), _phone),
    Pattern("TELEPON", re.compile(rf"(?<!\d)(?P<value>{_MOBILE_SPELT})(?!\d)")),
    Pattern("TELEPON", re.compile(rf"(?<!\d)(?P<value>{_LANDLINE})(?!\d)")),
    Pattern("TELEPON", _keyed(_CALL, _digits(6, 14))),
    Pattern(
        "PLAT",
        _keyed(
            r"plat|nopol|no\.?pol|polisi|nomor kendaraan|tnkb",
            r"(?P<value>[a-z]{1,2}[ .\-]{0,2}\d{1,4}(?:[ .\-]{0,2}[a-z]{1,3})?)(?![\w])",
        ),
        hint="digit",
    ),
    Pattern(
        "PLAT",
        re.compile(
            r"(?<!\w)(?P<value>(?P<area>"
            rf"{_AREAS})"
            r"[ .\-]{0,2}(?P<number>[1-9]\d{0,3})[ .\-]{0,2}(?P<suffix>[a-z]{1,3}))(?!\w)",
            re.I,
        ),
        _plate,
        hint="digit",
    ),
)

CASES = _keyed(
    r"tiket|laporan|aduan|pengaduan|tracking(?: id)?|registrasi|reg|pendaftaran|berkas|booking|resi"
    r"|permohonan|antrian|antrean|sertifikat|surat|perkara|id laporan",
    r"(?P<value>(?=[\w./\-]*\d{3})[a-z0-9][\w./\-]{3,29})(?!\w)",
)
"""A registration or ticket number; it is not personal and stays readable."""
