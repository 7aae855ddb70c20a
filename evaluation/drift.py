"""Labels that came, went or changed their name between two bundles, or a bundle and its data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from pilah.datasets.agencies import fold, load_agencies
from pilah.datasets.taxonomy import load_taxonomy
from pilah.evaluation.asking import given_label

if TYPE_CHECKING:
    from pilah.datasets.records import LabelledReport
    from pilah.models.bundle import Bundle

Fate = Literal["renamed", "retired", "emptied", "dropped", "unknown"]


@dataclass(frozen=True, slots=True)
class Gone:
    """A label that the later side does not have.

    Attributes:
        label: its name, an id for a topic of SP4N.
        fate: ``renamed`` (``to`` says into what), ``retired`` by SP4N's table, ``emptied`` (the
            later bundle saw ``rows`` of it, too few to learn), ``dropped`` without a trace, or, of
            data beside a bundle, ``unknown`` to it.
        to: the name it has now.
        rows: how many rows carry it.
    """

    label: str
    fate: Fate
    to: str | None = None
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Drift:
    """How the labels of one head differ.

    Attributes:
        kept: how many labels both sides have.
        new: labels that only the later side has; those that others were renamed to are not new.
        gone: labels that only the earlier side has.
    """

    kept: int
    new: tuple[str, ...]
    gone: tuple[Gone, ...]

    @property
    def changed(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.new or self.gone)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def bundle_drift(a: Bundle, b: Bundle) -> dict[str, Drift]:
    """How the labels of B differ from those of A, by head; a head that is missing has none."""
    renamed = b.facts.get("config", {}).get("rename", {})
    rare = b.facts.get("not_learned", {})
    found = {}
    for name in dict.fromkeys((*a.heads, *b.heads)):
        before, after = (x.heads[name].labels if name in x.heads else () for x in (a, b))
        found[name] = _drift(name, before, after, renamed, rare.get(name, {}), "emptied")
    return found


def data_drift(bundle: Bundle, rows: Sequence[LabelledReport]) -> dict[str, Drift]:
    """How the labels of a bundle differ from those that labelled rows carry.

    The rows are the earlier side: ``gone`` are their labels that the bundle does not know, ``new``
    are labels of the bundle that no row carries. Heads without labelled rows are left out.
    """
    own = not bundle.label_set.startswith("sp4n-")
    renamed = bundle.facts.get("config", {}).get("rename", {})
    found = {}
    for name, head in bundle.heads.items():
        count = Counter(label for r in rows if (label := given_label(r, name, own=own)) is not None)
        if count:
            found[name] = _drift(name, tuple(count), head.labels, renamed, count, "unknown")
    return found


def _drift(
    target: str,
    before: Sequence[str],
    after: Sequence[str],
    renamed: Mapping[str, str],
    rows: Mapping[str, int],
    counted: Fate,
) -> Drift:
    """``rows`` counts some labels; one that is counted has the fate ``counted``."""
    gone = []
    for label in sorted(set(before) - set(after)):
        to = _successor(target, label, after, renamed)
        fate = "renamed" if to else _fate(target, label, counted if label in rows else "dropped")
        gone.append(Gone(label, fate, to, rows.get(label, 0)))
    taken = {g.to for g in gone} | set(before)
    return Drift(
        kept=len(set(before) & set(after)),
        new=tuple(label for label in sorted(after) if label not in taken),
        gone=tuple(gone),
    )


def _fate(target: str, label: str, otherwise: Fate) -> Fate:
    topic = load_taxonomy().by_id.get(label) if target.startswith("topic") else None
    return "retired" if topic is not None and topic.status != "living" else otherwise


def _successor(
    target: str, label: str, after: Collection[str], renamed: Mapping[str, str]
) -> str | None:
    """The label's present name, by the experiment, by spelling, or by the table of successors."""
    present = {fold(name): name for name in after}
    body = load_agencies().resolve(label) if target == "agency" else None
    for name in (renamed.get(label), label, body.name if body else None):
        if name is not None and fold(name) in present:
            return present[fold(name)]
    return None
