"""Where a report happened: regions, streets, numbers and landmarks, read from its text.

How sure a region is: every mention has a reliability (how likely it tells the place at all) and
spreads it over the regions it can mean, in shares by level, frame and agreement with the other
mentions. The support of a region is the noisy-or over the mentions inside it, and siblings share
what they contend for. From the given region (or the whole country) the answer goes down as long as
one child keeps at least ``SURE``. The figures were set by hand and checked on labelled reports.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from pilah.datasets.records import Location
from pilah.datasets.regions import Region, Regions, lineage
from pilah.datasets.seats import nearest_regency
from pilah.models.address import Part, read_landmarks, read_numbers, read_streets
from pilah.models.answer import PlaceFound
from pilah.models.gazetteer import Gazetteer, Mention, Token, cue_of, cut, place_words
from pilah.models.reading import PlaceReading
from pilah.models.text import roots, slang

SURE = 0.5
"""Least probability at which a deeper region is taken."""
GIVEN = 0.95
"""How sure a region is that came with the report; half of it when the text names another one."""
SHOWN = 0.15
"""Least probability at which a region named in the text is listed."""
CLEAR = 0.8
"""Least reliability of a mention that may contradict the given region."""
_CUED = 0.97
_LEVEL_WEIGHT = {2: 1.0, 5: 1.0, 8: 0.3, 13: 0.1}
_INSIDE = 50.0
_AGREES = 8.0
_PART = 0.5
_DEEP = 0.6
_CONTEXT = {"plain": 1.0, "street": 0.62, "landmark": 0.7, "passing": 0.3}


@dataclass(frozen=True, slots=True)
class Weighed:
    """A mention, how likely it tells the place, and what it means (code -> share, sum 1)."""

    mention: Mention
    context: str
    reliability: float
    shares: dict[str, float]

    @property
    def best(self) -> str:
        """The code with the largest share; the higher level and smaller code on a tie."""
        return min(self.shares, key=lambda code: (-self.shares[code], len(code), code))


class PlaceReader:
    """Reads where a report happened. Build it once; threads may share it."""

    def __init__(self, regions: Regions) -> None:
        """Build the gazetteer (a few tenths of a second)."""
        self._regions = regions
        self._gazetteer = Gazetteer(regions)
        self._ordinary = frozenset(place_words()["common"].keys() | place_words()["stop"].keys())
        self._common = self._ordinary | roots() | slang().keys()

    def read(
        self, text: str, given: Region | None = None, location: Location | None = None
    ) -> PlaceReading:
        """Read the places of one text.

        Args:
            text: repaired or normalised text; capitals and punctuation help.
            given: the region that came with the report; the text may refine it.
            location: coordinates in degrees, used when neither text nor caller names a region.
        """
        tokens = cut(text)
        numbers, counted = read_numbers(text)
        streets, landmarks = read_streets(tokens), read_landmarks(tokens)
        weighed = self._weigh(tokens, [*streets, *landmarks], given)
        conflict = given is not None and _conflicts(weighed, given)
        code, probability = _descend(weighed, given.code if given else "")
        if given is not None:
            probability *= GIVEN / 2 if conflict else GIVEN
        elif not code and location is not None:
            code, probability = nearest_regency(location)
        return PlaceReading(
            code=code or None,
            probability=round(probability, 3) if code else 0.0,
            found=self._found(text, tokens, weighed, [*counted, *streets, *landmarks]),
            streets=frozenset(part.name for part in streets),
            numbers=numbers,
            landmarks=frozenset(part.name for part in landmarks),
            conflict=conflict,
        )

    def _weigh(
        self, tokens: Sequence[Token], parts: Sequence[Part], given: Region | None
    ) -> list[Weighed]:
        mentions = self._gazetteer.mentions(tokens)
        contexts = [_context(tokens, mention, parts) for mention in mentions]
        plain = [m for m, context in zip(mentions, contexts, strict=True) if context == "plain"]
        frame = self._frame(tokens, plain, given)
        trusted: list[tuple[Mention, str, float, list[str]]] = []
        for mention, context in zip(mentions, contexts, strict=True):
            inside = [code for code in mention.codes if _within(code, frame)]
            reliability = self._reliability(tokens, mention, context, inside, framed=bool(frame))
            if not mention.cue and _is_part(tokens, mention, mentions):
                reliability *= _PART
            if reliability > 0:
                trusted.append((mention, context, reliability, inside))
        agreement = _Agreement([_possible(mention, inside) for mention, _, _, inside in trusted])
        return [
            Weighed(mention, context, reliability, agreement.shares(i, set(inside)))
            for i, (mention, context, reliability, inside) in enumerate(trusted)
        ]

    def _frame(
        self, tokens: Sequence[Token], mentions: Sequence[Mention], given: Region | None
    ) -> frozenset[str]:
        """Codes inside which names of kecamatan and desa are expected.

        The kabupaten/kota of the given region; else those, or the provinces, that the text names.
        """
        if given is not None and len(given.code) > 2:
            return frozenset({given.code[:5]})
        named = {
            code
            for mention in mentions
            if mention.cue or not self._is_common(tokens, mention)
            for code in mention.codes
            if len(code) <= 5 and (given is None or _within(code, {given.code}))
        }
        regencies = frozenset(code for code in named if len(code) == 5)
        return regencies or frozenset(named) or frozenset({given.code} if given else ())

    def _is_common(self, tokens: Sequence[Token], mention: Mention) -> bool:
        """Whether the name is made of ordinary words only ("Baru", "Sumber Air").

        Names of kabupaten/kota are well known, and names of several words are rarely an accident:
        against them only the words of the table count, against others every root word.
        """
        known = mention.last - mention.first > 1 or any(len(code) <= 5 for code in mention.codes)
        ordinary = self._ordinary if known else self._common
        return all(
            token.text in ordinary or not token.is_word
            for token in tokens[mention.first : mention.last]
        )

    def _reliability(
        self,
        tokens: Sequence[Token],
        mention: Mention,
        context: str,
        inside: Sequence[str],
        *,
        framed: bool,
    ) -> float:
        """How likely a mention tells the place of the report, 0 when it must not count."""
        if mention.cue:
            return _CUED * _CONTEXT[context]
        common = self._is_common(tokens, mention)
        local = _before(tokens, mention.first) in place_words()["locative"]
        if inside:
            trust = 0.9 if not common else 0.6 if local or _is_capital(tokens, mention) else 0.0
        elif context in ("street", "landmark"):
            return 0.0
        else:
            trust = self._outside(mention, common=common, local=local, framed=framed)
        return trust * _CONTEXT[context]

    def _outside(self, mention: Mention, *, common: bool, local: bool, framed: bool) -> float:
        """Reliability of a name without level word that lies in no frame."""
        if any(len(code) <= 5 for code in mention.codes):
            return (0.4 if local else 0.0) if common else (0.85 if local else 0.6)
        districts = [code for code in mention.codes if len(code) == 8]
        alone = len(districts) == 1 and len(self._regions.by_code[districts[0]].name) > 5
        return 0.6 if alone and not framed and not common else 0.0

    def _found(
        self,
        text: str,
        tokens: Sequence[Token],
        weighed: Iterable[Weighed],
        parts: Iterable[Part],
    ) -> tuple[PlaceFound, ...]:
        """Every mention in order of the text."""
        places = [
            (p.start, PlaceFound(text[p.start : p.end], None, p.name, p.kind, 1.0)) for p in parts
        ]
        for item in weighed:
            code = item.best
            probability = round(item.reliability * item.shares[code], 3)
            if probability >= SHOWN:
                start = tokens[item.mention.first].start
                end = tokens[item.mention.last - 1].end
                name = self._regions.by_code[code].name
                found = PlaceFound(text[start:end], code, name, cue_of(code), probability)
                places.append((start, found))
        return tuple(found for _, found in sorted(places, key=lambda place: place[0]))


def _possible(mention: Mention, inside: Sequence[str]) -> list[str]:
    """What a name can mean: where it has a meaning inside the frame, small places outside fall."""
    if not inside:
        return list(mention.codes)
    return [*inside, *(code for code in mention.codes if len(code) <= 5 and code not in inside)]


class _Agreement:
    """What several mentions can mean, and how far they fit into each other."""

    def __init__(self, meanings: Sequence[Sequence[str]]) -> None:
        self._meanings = meanings
        self._exact: dict[str, set[int]] = defaultdict(set)
        self._under: dict[str, set[int]] = defaultdict(set)
        for i, codes in enumerate(meanings) if len(meanings) > 1 else ():
            for code in codes:
                self._exact[code].add(i)
                for above in lineage(code)[:-1]:
                    self._under[above].add(i)

    def shares(self, i: int, inside: set[str]) -> dict[str, float]:
        """Code -> share (sum 1) of the meanings of mention ``i``."""
        weights = {
            code: _LEVEL_WEIGHT[len(code)]
            * (_INSIDE if code in inside else 1.0)
            * _AGREES ** min(self._count(code, i), 3)
            for code in self._meanings[i]
        }
        total = sum(weights.values())
        return {code: weight / total for code, weight in weights.items()}

    def _count(self, code: str, i: int) -> int:
        """How many mentions other than ``i`` can mean a region above or below this one."""
        if not self._exact:
            return 0
        above = (self._exact[up] for up in lineage(code)[:-1] if up in self._exact)
        others = set(chain.from_iterable(above)) | self._under.get(code, set())
        return len(others - {i})


def _within(code: str, frame: Iterable[str]) -> bool:
    return any(code == top or code.startswith(f"{top}.") for top in frame)


def _before(tokens: Sequence[Token], i: int) -> str:
    return tokens[i - 1].text if i else ""


def _is_capital(tokens: Sequence[Token], mention: Mention) -> bool:
    """Whether the name is written with a capital that does not merely open a sentence."""
    return tokens[mention.first].capital and _before(tokens, mention.first) not in (
        "",
        ".",
        "\n",
        "!",
    )


def _is_part(tokens: Sequence[Token], mention: Mention, mentions: Sequence[Mention]) -> bool:
    """Whether the name may be cut from a longer one ("Ngagel" of "Ngagel Jaya Utara").

    The next word goes on like a name, or another mention starts with the same words.
    """
    follows = tokens[mention.last].text if mention.last < len(tokens) else ""
    if follows in place_words()["name_part"]:
        return True
    words = [token.text for token in tokens[mention.first : mention.last]]
    return any(
        other.last - other.first > len(words)
        and words == [t.text for t in tokens[other.first : other.first + len(words)]]
        for other in mentions
    )


def _words_before(tokens: Sequence[Token], i: int) -> list[str]:
    """Up to three words right before a token, not across a comma or the like."""
    words: list[str] = []
    while i > 0 and len(words) < 3 and (tokens[i - 1].is_word or tokens[i - 1].text == "."):
        i -= 1
        if tokens[i].is_word:
            words.insert(0, tokens[i].text)
    return words


def _context(tokens: Sequence[Token], mention: Mention, parts: Sequence[Part]) -> str:
    """plain, street or landmark (the name is part of one), or passing ("arah Solo")."""
    words = _words_before(tokens, mention.first)
    if words and (words[-1] in place_words()["direction"] or words[-1] in ("ke", "dari")):
        return "passing"
    if len(words) > 1 and words[-2] in place_words()["direction"]:
        return "passing"
    if words and words[-1] in place_words()["kind"]:
        return "landmark"
    start = tokens[mention.first].start
    return next((part.kind for part in parts if part.start <= start < part.end), "plain")


def _descend(weighed: Sequence[Weighed], start: str) -> tuple[str, float]:
    """The deepest code below ``start`` that is sure enough, and how sure it is."""
    support = _support(weighed)
    children: dict[str, list[str]] = defaultdict(list)
    for code in support:
        children[code.rpartition(".")[0]].append(code)
    code, probability = start, 1.0 if start else 0.0
    while children[code]:
        total = sum(support[child] for child in children[code])
        best = max(children[code], key=lambda child: (support[child], child))
        sure = support[best] * min(1.0, support[best] / total)
        if sure < SURE:
            break
        code, probability = best, sure
    return code, probability


def _support(weighed: Sequence[Weighed]) -> dict[str, float]:
    """Noisy-or over the mentions inside each region, for every region with any.

    A street or landmark called after a desa often lies in the next one: there the desa gets less.
    """
    doubt: dict[str, float] = {}
    for item in weighed:
        inside: dict[str, float] = defaultdict(float)
        for code, share in item.shares.items():
            for up in lineage(code):
                deep = len(up) == 13 and item.context in ("street", "landmark")
                inside[up] += share * item.reliability * (_DEEP if deep else 1.0)
        for code, amount in inside.items():
            doubt[code] = doubt.get(code, 1.0) * (1.0 - min(amount, 0.999))
    return {code: 1.0 - left for code, left in doubt.items()}


def _conflicts(weighed: Sequence[Weighed], given: Region) -> bool:
    """Whether the text clearly names another kabupaten/kota (or province) and nothing inside.

    Names in streets and landmarks, and places only passed or headed for, do not contradict.
    """
    frame = {given.code[:5]}
    if any(_within(code, frame) for item in weighed for code in [item.best]):
        return False
    return any(
        item.context == "plain"
        and item.reliability >= CLEAR
        and len(item.best) <= 5
        and not given.code.startswith(item.best)
        for item in weighed
    )
