"""Measures the routing table on held-out topics, and what a bundle must know to rely on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from pilah.datasets.agencies import load_agencies, load_units
from pilah.datasets.regions import load_regions
from pilah.datasets.routing_table import load_routing
from pilah.datasets.taxonomy import load_taxonomy
from pilah.evaluation.asking import same_body
from pilah.evaluation.thresholds import NEVER, threshold
from pilah.models.agency import AgencyReader
from pilah.models.places import PlaceReader
from pilah.models.routing import Place, Route, Router, mixed
from pilah.models.topics import TopicReader
from pilah.training.mix import judging
from pilah.training.targets import worth_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pilah.datasets.records import LabelledReport
    from pilah.models.linear import FloatArray
    from pilah.models.reading import CleanText
    from pilah.training.data import Prepared
    from pilah.training.heads import FittedHead

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the learned head that are tried."""
MIN_ROWS = 50
"""Fewer rows with an agency and a topic leave the defaults."""


@dataclass(frozen=True, slots=True)
class RoutingFit:
    """What held-out rows say of the agency answer.

    Attributes:
        route_weight: share of the learned route head with the fewest wrong answers.
        weight: share of a learned agency head with the fewest wrong answers.
        sure: probability from which the answers reach the precision target.
        rows: how many rows were asked.
        accuracy: share of right answers at these weights.
    """

    route_weight: float
    weight: float
    sure: float
    rows: int
    accuracy: float


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A fitted head and the rows its held-out probabilities belong to, shape (n,)."""

    fitted: FittedHead
    index: NDArray[np.int64]

    def rows(self) -> dict[int, FloatArray]:
        """Row number -> held-out probabilities, shape (labels,)."""
        return dict(zip(self.index.tolist(), self.fitted.held_out, strict=True))


def fit_routing(
    data: Prepared, heads: Mapping[str, HeldOut], precision: float
) -> RoutingFit | None:
    """Route every row by its held-out topic and compare with the labelled agency.

    Args:
        data: labelled reports.
        heads: target -> held-out head; SP4N's topics are needed.
        precision: target of the ``sure`` threshold.

    Returns:
        None when there is no topic head, or hardly a row with both labels.
    """
    if "topic_main" not in heads:
        return None
    rows, cleans = data.rows, data.cleans
    asked = [i for i in heads["topic_main"].rows() if rows[i].labels.agency]
    if len(asked) < MIN_ROWS:
        return None
    router = Router(load_routing(), load_agencies(), load_units(), load_regions())
    rules, learned = _routes(router, rows, cleans, heads, asked)
    head = heads["agency"].fitted.head if "agency" in heads else None
    spoken = heads["agency"].rows() if "agency" in heads else {}
    tried = product(WEIGHTS if "route" in heads else (0.0,), WEIGHTS if head else (0.0,))
    worth = np.array([worth_of(rows[i], "agency") for i in asked])
    proving = judging(worth, data.represents[asked])
    votes = np.ones(len(asked)) if proving is None else proving
    seen = votes > 0
    best: RoutingFit | None = None
    for route_weight, weight in tried:
        reader = AgencyReader(head, weight)
        answers = [
            reader.answer(mixed(rules[i], learned[i], route_weight), spoken.get(i)) for i in asked
        ]
        right = np.array([
            same_body(a.name, rows[i].labels.agency) for a, i in zip(answers, asked, strict=True)
        ])  # fmt: skip
        accuracy = float(np.average(right, weights=votes))
        if best is None or accuracy > best.accuracy:
            confidence = np.array([a.probability for a in answers], dtype=np.float32)
            sure = threshold(confidence[seen], right[seen], precision, votes[seen])
            sure = NEVER if proving is None else sure
            best = RoutingFit(route_weight, weight, sure, len(asked), accuracy)
    return best


def _routes(
    router: Router,
    rows: Sequence[LabelledReport],
    cleans: Sequence[CleanText],
    heads: Mapping[str, HeldOut],
    asked: list[int],
) -> tuple[dict[int, list[Route]], dict[int, list[Route]]]:
    """By row number: what the table says, and what the learned route head says."""
    regions = load_regions()
    places = PlaceReader(regions)
    sub_head = heads.get("topic_sub")
    topics = TopicReader(
        heads["topic_main"].fitted.head,
        sub_head.fitted.head if sub_head else None,
        load_taxonomy(),
    )
    mains, subs = heads["topic_main"].rows(), sub_head.rows() if sub_head else {}
    kinds = heads["route"].fitted.head.labels if "route" in heads else ()
    guesses = heads["route"].rows() if "route" in heads else {}
    found: dict[int, list[Route]] = {}
    learned: dict[int, list[Route]] = {}
    for i in asked:
        report = rows[i].report
        seen = places.read(cleans[i].fixed, regions.resolve(report.region), report.location)
        spread = topics.distribution(mains[i], subs.get(i))
        cues = router.cues(cleans[i].normal)
        place = Place(seen.code, seen.probability)
        found[i] = router.routes(spread, cues, place)
        learned[i] = router.learned(kinds, guesses[i], place) if i in guesses else []
    return found, learned
