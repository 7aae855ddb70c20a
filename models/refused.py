"""The answer without the bodies that said "bukan wewenang": the next best takes the place."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pilah.models.answer import Agency, AgencyAlternative


@dataclass(frozen=True, slots=True)
class Body:
    """A body by name and government; without a government, that name anywhere."""

    name: str
    government: str | None = None

    def is_same(self, name: str | None, government: str | None) -> bool:
        """Whether a name, case aside, at a government means this body."""
        if name is None or name.casefold() != self.name.casefold():
            return False
        return None in (government, self.government) or _same(government, self.government)


def without(agency: Agency, refused: Collection[Body]) -> Agency:
    """The same answer with refused bodies left out, most probable first.

    Probabilities are those given that none of the refused is right: p / (1 - sum of refused p).
    When nobody is left, the answer names nobody with probability 0.
    """
    first = AgencyAlternative(
        agency.name or "", agency.government, agency.probability, agency.level, agency.rule
    )
    every = [*([first] if agency.name else []), *agency.alternatives]
    kept = [a for a in every if not _among(a, refused)]
    gone = sum(a.probability for a in every if _among(a, refused))
    if not kept:
        return Agency(None, None, None, 0.0, None, source=agency.source)
    if kept[0] is first:
        return _keep_first(agency, kept[1:], gone)
    best, *others = (_given(a, gone) for a in kept)
    return Agency(
        name=best.name,
        government=best.government,
        level=best.level,
        probability=best.probability,
        rule=best.rule,
        source="rules" if best.rule else "learned",
        alternatives=tuple(others),
    )


def _keep_first(agency: Agency, others: list[AgencyAlternative], gone: float) -> Agency:
    return Agency(
        name=agency.name,
        government=agency.government,
        level=agency.level,
        probability=_share(agency.probability, gone),
        rule=agency.rule,
        ground=agency.ground,
        source=agency.source,
        alternatives=tuple(_given(a, gone) for a in others),
    )


def _given(a: AgencyAlternative, gone: float) -> AgencyAlternative:
    return AgencyAlternative(a.name, a.government, _share(a.probability, gone), a.level, a.rule)


def _share(probability: float, gone: float) -> float:
    return min(1.0, probability / (1 - gone)) if gone < 1 else 1.0


def _among(a: AgencyAlternative, refused: Collection[Body]) -> bool:
    return any(body.is_same(a.name, a.government) for body in refused)


def _same(left: str | None, right: str | None) -> bool:
    return left is not None and right is not None and left.casefold() == right.casefold()
