"""How a region's name is written, and read: keys, level words, and parts of an address line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

LEVEL_OF_LENGTH = {2: 0, 5: 1, 8: 2, 13: 3}
"""Length of a dotted code -> level: 0 provinsi, 1 kabupaten/kota, 2 kecamatan, 3 desa/kelurahan."""

_NOT_KEY = re.compile(r"[^a-z0-9]+")
_KEPULAUAN = re.compile(r"\bkep\b\.?")
_REGENCY = re.compile(r"^(?:kabupaten|kota)(?: administrasi)? ", re.IGNORECASE)
_SPLIT = re.compile(r"[,;>|\n]|\s-\s")
_CODE = re.compile(r"^(\d{2})(?:\.?(\d{2})(?:\.?(\d{2})(?:\.?(\d{4}))?)?)?$")
_CUE = re.compile(
    r"^(?:(?P<l0>provinsi|propinsi|prov|prop)|(?P<kab>kabupaten|kab)"
    r"|(?P<kota>kotamadya|kodya|kota)"
    r"|(?P<l2>kecamatan|kec|kapanewon|kapanewonan|kemantren|distrik)"
    r"|(?P<l3>kelurahan|kel|kalurahan|desa|ds|nagari|gampong|pekon|kampung))"
    r"\b\.?\s*(?:adm(?:inistrasi|inistratif)?\b\.?\s*)?(?P<rest>\S.*)$"
)
_SUFFIX = re.compile(r"^(?P<rest>.+?)\s+(?P<cue>kota|kab|kabupaten)\.?$")


def fold(name: str) -> str:
    """Lower-case ASCII letters of a name with its spaces kept (``Du'ên`` -> ``du'en``)."""
    if not name.isascii():
        name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return name.lower().strip()


def key_of(name: str) -> str:
    """The form under which names are compared: ASCII letters and digits only, no spaces.

    ``Gunung Kidul``, ``gunung-kidul`` and ``Gunungkidul`` share the key ``gunungkidul``.
    """
    return _NOT_KEY.sub("", _KEPULAUAN.sub("kepulauan", fold(name)))


def canonical_code(text: str) -> str | None:
    """``3404`` and ``34.04`` -> ``34.04``; None when it is not shaped like a code."""
    match = _CODE.match(text.strip())
    return ".".join(part for part in match.groups() if part) if match else None


def keys_of_row(code: str, name: str) -> Iterator[str]:
    """Every key under which one row of the table can be found."""
    yield key_of(name)
    if len(code) == 5:
        yield key_of(_REGENCY.sub("", name))
    if "(" in name:
        yield key_of(name.partition("(")[0])
    if "/" in name:
        yield from (key for part in name.split("/") if len(key := key_of(part)) > 4)


def build_index(names: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Key -> codes that carry it, over all rows (about 60,000 keys)."""
    index: dict[str, tuple[str, ...]] = {}
    for code, name in names.items():
        for key in {*keys_of_row(code, name)}:
            index[key] = (*index.get(key, ()), code)
    return index


def split_parts(text: str) -> list[str]:
    """The parts of an address line, "Indonesia" and empty ones left out."""
    parts = (part.strip(" .") for part in _SPLIT.split(fold(text)))
    return [part for part in parts if part and part != "indonesia"]


class NameReader:
    """Finds the codes that one part of an address line can mean."""

    def __init__(
        self,
        names: Mapping[str, str],
        index: Mapping[str, tuple[str, ...]],
        aliases: Mapping[str, str],
    ) -> None:
        """Keep the tables.

        Args:
            names: code -> name.
            index: key -> codes.
            aliases: key -> code.
        """
        self._names, self._index, self._aliases = names, index, aliases

    def candidates(self, part: str, level: int | None = None) -> frozenset[str]:
        """Codes that one folded part can mean, at one level or at any.

        A level word decides where a region of that level carries the name; else it is read as
        part of the name ("Kota Baru", "Kampung Melayu").
        """
        code = canonical_code(part)
        if code is not None:
            return self._at({code} & self._names.keys(), level)
        return (
            self._cued(part, level)
            or self._at(self.named(key_of(part)), level)
            or self._at(self._suffixed(part), level)
        )

    def named(self, key: str) -> frozenset[str]:
        """Codes that carry a key as name or alias."""
        codes = frozenset(self._index.get(key, ()))
        return codes | {self._aliases[key]} if key in self._aliases else codes

    @staticmethod
    def strip_level(part: str) -> str:
        """A part without its level word: ``Kabupaten Sleman`` -> ``sleman``."""
        match = _CUE.match(fold(part))
        return match["rest"] if match else part

    def _cued(self, part: str, level: int | None) -> frozenset[str]:
        match = _CUE.match(part)
        if match is None:
            return frozenset()
        rest = self.named(key_of(match["rest"]))
        if match["kab"] or match["kota"]:
            found = self._regencies(rest, kota=bool(match["kota"]))
        else:
            found = self._at(rest, 0 if match["l0"] else 2 if match["l2"] else 3)
        return self._at(found, level)

    def _suffixed(self, part: str) -> frozenset[str]:
        match = _SUFFIX.match(part)
        if match is None:
            return frozenset()
        return self._regencies(self.named(key_of(match["rest"])), kota=match["cue"] == "kota")

    @staticmethod
    def _at(codes: Iterable[str], level: int | None) -> frozenset[str]:
        return frozenset(c for c in codes if level is None or LEVEL_OF_LENGTH[len(c)] == level)

    @staticmethod
    def _regencies(codes: Iterable[str], *, kota: bool) -> frozenset[str]:
        return frozenset(c for c in codes if len(c) == 5 and (c[3] == "7") == kota)
