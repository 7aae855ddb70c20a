"""The one pipeline: a report in, a Triage out.

``analyse`` reads reports by themselves (heavy, safe for threads). ``settle`` compares one with what
is remembered and finishes its answer. ``remember`` keeps it, so that later copies find it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np

from pilah.datasets.agencies import load_agencies, load_units
from pilah.datasets.local_routes import LocalRoute, with_local_routes
from pilah.datasets.regions import Region, load_regions
from pilah.datasets.routing_table import load_routing
from pilah.datasets.taxonomy import load_taxonomy
from pilah.models.agency import AgencyReader
from pilah.models.answer import (
    Duplicates,
    Explanation,
    Hoax,
    KlasifikasiAnswer,
    Match,
    OutcomeAnswer,
    Review,
    Term,
    Topic,
    Triage,
    Versions,
)
from pilah.models.claims import ClaimBase, shipped_base
from pilah.models.explain import telling_terms
from pilah.models.features import Row, rows_of
from pilah.models.fingerprint import make_fingerprint
from pilah.models.hoax import TARGET_REPORTERS, look_for_hoax, read_signs
from pilah.models.hoax_signs import HoaxInput
from pilah.models.incidents import DuplicateFinder
from pilah.models.index import saved_index
from pilah.models.outcome import ACTIONABLE, missing_parts
from pilah.models.pairs import plain_scorer
from pilah.models.places import PlaceReader
from pilah.models.reading import Analysis, Answer, Fingerprint, Read, Spoken, Vector
from pilah.models.restoring import restore
from pilah.models.review import review_reasons
from pilah.models.routing import Place, Route, Router, mixed
from pilah.models.text import read_text
from pilah.models.topics import TopicReader

if TYPE_CHECKING:
    from pathlib import Path

    from pilah.datasets.records import Report
    from pilah.models.bundle import Bundle
    from pilah.models.linear import FloatArray, LinearHead
    from pilah.models.reading import Changes, Stored

log = logging.getLogger(__name__)

PENDING = Duplicates("none", None)
NO_HOAX = Hoax(flag=False, score=0.0)


class Triager:
    """Everything that one bundle knows, ready to answer.

    Build one with :meth:`from_bundle`. ``analyse`` may run in many threads; the memory of earlier
    reports (``settle``, ``remember``, ``forget``) locks itself, but an exact order of arrivals
    needs the caller's lock.
    """

    def __init__(
        self, bundle: Bundle, router: Router, reader: PlaceReader, finder: DuplicateFinder,
        *, service_version: str, key: bytes = b"", index_folder: Path | None = None,
        claims: ClaimBase | None = None,
    ) -> None:  # fmt: skip
        """Keep the parts; ``key`` is the installation's secret for hashes of persons and cases."""
        self.bundle, self.finder = bundle, finder
        self._index_folder = index_folder
        self._claims = claims or shipped_base()
        self._router, self._reader, self._key = router, reader, key
        self._regions = load_regions()
        own = not bundle.label_set.startswith("sp4n-")
        heads = bundle.heads
        self._topics = (
            TopicReader(
                heads["topic_main"], heads.get("topic_sub"), None if own else load_taxonomy()
            )
            if "topic_main" in heads
            else None
        )
        self._mean_weights = (
            heads["topic_main"].weights.mean(axis=0)
            if "topic_main" in heads
            else np.zeros(0, dtype=np.float32)
        )
        if self._topics is not None:
            self._topics.check(bundle.version)
        self._agencies = AgencyReader(heads.get("agency"), bundle.agency_weight)
        self._versions = Versions(
            service=service_version,
            bundle=bundle.version,
            labels=bundle.label_set,
            thresholds=f"{bundle.thresholds_version}-{finder.judge.thresholds.version}",
            index=finder.index.version,
        )

    @classmethod
    def from_bundle(
        cls,
        bundle: Bundle,
        *,
        service_version: str,
        key: bytes = b"",
        index_folder: Path | None = None,
        claims: ClaimBase | None = None,
    ) -> Triager:
        """Build all parts from a bundle and the shipped tables.

        Args:
            bundle: a loaded bundle.
            service_version: stated in every answer.
            key: secret of the installation, at most 32 bytes.
            index_folder: where the duplicate index is kept between starts; None keeps nothing.
            claims: circulated claims that texts are compared with; None means the shipped ones.
        """
        regions = load_regions()
        router = Router(load_routing(), load_agencies(), load_units(), regions)
        index = saved_index(index_folder, bundle.encoder.dim, bundle.encoder.version)
        finder = DuplicateFinder(index, bundle.pairs or plain_scorer(), bundle.duplicates)
        return cls(
            bundle, router, PlaceReader(regions), finder,
            service_version=service_version, key=key, index_folder=index_folder, claims=claims,
        )  # fmt: skip

    def use_routes(self, routes: Sequence[LocalRoute], version: str) -> None:
        """Route by the operator's rows before the shipped ones; answers name their ``version``."""
        table = with_local_routes(routes)
        self._router = Router(table, load_agencies(), load_units(), self._regions)
        self._versions = replace(self._versions, routes=version)

    def region(self, report: Report) -> Region | None:
        """The region that came with a report.

        Raises:
            UnknownRegionError: it is not in the table; the message offers close names.
        """
        return self._regions.resolve(report.region)

    def analyse(self, items: Sequence[tuple[str, Report]]) -> list[Analysis]:
        """Read reports by themselves; items are (report id, report), the answer keeps their order.

        Raises:
            UnknownRegionError: the region of one report is not in the table.
        """
        if not items:
            return []
        reads = [self._read(report_id, report) for report_id, report in items]
        features, vectors = self.bundle.read([r.clean.normal for r in reads])
        spoken = {name: h.probabilities(features) for name, h in self.bundle.heads.items()}
        return [
            self._draft(read, row, vectors[i], {n: p[i] for n, p in spoken.items()})
            for i, (read, row) in enumerate(zip(reads, rows_of(features), strict=True))
        ]

    def recognise(self, items: Sequence[tuple[str, Report]]) -> list[tuple[Fingerprint, Vector]]:
        """Fingerprint and vector of each report, as :meth:`analyse` makes them, and no more.

        Raises:
            UnknownRegionError: the region of one report is not in the table.
        """
        if not items:
            return []
        reads = [self._read(report_id, report) for report_id, report in items]
        features, vectors = self.bundle.read([r.clean.normal for r in reads])
        head = self.bundle.heads.get("topic_main")
        said = head.probabilities(features) if head else repeat(None, len(reads))
        marks = zip(reads, map(self._likeliest, said), vectors, strict=True)
        return [(self._fingerprint(read, topics), vector) for read, topics, vector in marks]

    def settle(self, analysis: Analysis) -> Answer:
        """Compare with the remembered reports and finish the answer; nothing is remembered yet."""
        print_, vector = analysis.fingerprint, analysis.vector
        duplicates, incident_id = self.finder.find(print_, vector)
        hoax = look_for_hoax(
            HoaxInput(
                analysis.clean,
                analysis.place,
                burst=self.finder.burst(print_, vector),
                sender=self.finder.sender(print_),
                target=self.finder.target(print_, incident_id, least=TARGET_REPORTERS),
            ),
            analysis.signs,
        )
        reasons = [*analysis.draft.review.reasons]
        reasons += ["possible_duplicate"] if duplicates.verdict == "possible" else []
        reasons += ["hoax_like"] if hoax.flag else []
        triage = replace(
            analysis.draft,
            duplicates=duplicates,
            hoax=hoax,
            review=Review(bool(reasons), tuple(reasons)),
        )
        return Answer(triage, print_, vector, incident_id)

    def remember(self, answer: Answer) -> None:
        """Keep a report, so that later copies find it."""
        self.finder.remember(answer.fingerprint, answer.vector, answer.incident_id)

    def forget(self, report_id: str) -> None:
        """Undo :meth:`remember`; an unknown id is no error."""
        self.finder.forget(report_id)

    def similar(self, analysis: Analysis, *, limit: int) -> tuple[Match, ...]:
        """Public reports that may tell of the same, best first; nothing is remembered."""
        return self.finder.similar(analysis.fingerprint, analysis.vector, limit=limit)

    def nearest(self, vector: Vector, *, limit: int) -> list[tuple[str, float]]:
        """Ids of the reports with the nearest vectors, best first, with their cosine."""
        return self.finder.nearest(vector, limit=limit)

    def reassign(self, moved: Mapping[str, str]) -> None:
        """A person put reports into other incidents: report id -> incident."""
        self.finder.reassign(moved)

    def keep_apart(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Every pair of incidents that a person told apart."""
        self.finder.keep_apart(pairs)

    def restore(
        self, remembered: Iterable[Stored], *, since: Callable[[str], Changes | None] | None = None
    ) -> str | None:
        """Rebuild the memory: see :func:`pilah.models.restoring.restore`."""
        return restore(self.finder, self._index_folder, remembered, since)

    def saving(self, mark: str) -> Callable[[], None]:
        """What saves index and memory as they are now; a start then reads only what came since.

        It takes a while and needs no lock.
        """
        if self._index_folder is None:
            return lambda: None
        return self.finder.saving(self._index_folder, mark)

    def describe(self) -> dict[str, object]:
        """What ``GET /v1/model`` shows."""
        heads = {name: len(head.labels) for name, head in self.bundle.heads.items()}
        return {
            "name": self.bundle.name,
            "versions": self._versions,
            "labels": heads,
            "facts": self.bundle.facts,
            "vectors": self.bundle.marks,
            "index": self.finder.index.facts(),
        }

    def _read(self, report_id: str, report: Report) -> Read:
        clean = read_text(report.full_text)
        place = self._reader.read(clean.fixed, self.region(report), report.location)
        return Read(report_id, report, clean, place)

    def _draft(
        self, read: Read, row: Row, vector: Vector, spoken: dict[str, FloatArray]
    ) -> Analysis:
        topic, topic_sure, terms = self._topic(read, row, spoken)
        routes = self._routes(read, spoken)
        chosen = bool(routes) and routes[0].is_local  # a person's rule speaks before any model
        agency = self._agencies.answer(routes, None if chosen else spoken.get("agency"))
        outcome = self._outcome(read, spoken, topic=topic, routes=routes)
        reasons = review_reasons(
            self.bundle, read=read, topic=topic, agency=agency, outcome=outcome, sure=topic_sure
        )
        triage = Triage(
            report_id=read.report_id,
            topic=topic,
            agency=agency,
            outcome=outcome,
            klasifikasi=self._klasifikasi(spoken),
            duplicates=PENDING,
            hoax=NO_HOAX,
            review=Review(False, reasons),
            explanation=Explanation(terms, read.place.found),
            masked_text=read.clean.masked,
            versions=self._versions,
        )
        print_ = self._fingerprint(read, self._likeliest(spoken.get("topic_main")))
        signs = read_signs(HoaxInput(read.clean, read.place, claims=self._claims))
        return Analysis(
            read.report_id, read.report, read.clean, read.place, vector, print_, signs, triage
        )

    def _likeliest(self, main: FloatArray | None) -> Spoken:
        if self._topics is None or main is None:
            return ()
        return self._topics.likeliest(main)

    def _fingerprint(self, read: Read, topics: Spoken) -> Fingerprint:
        return make_fingerprint(
            read.report_id, read.report, read.clean, read.place, topics, datetime.now(UTC),
            key=self._key,
        )  # fmt: skip

    def _topic(
        self, read: Read, row: Row, spoken: dict[str, FloatArray]
    ) -> tuple[Topic, bool, tuple[Term, ...]]:
        if self._topics is None:
            return Topic(None, None, 0.0, "null"), True, ()
        main = spoken["topic_main"]
        answer = self._topics.answer(main, spoken.get("topic_sub"))
        label = int(main.argmax())
        terms = telling_terms(
            read.clean.masked,
            row,
            self.bundle.features,
            self._topics.main,
            self._mean_weights,
            label,
        )
        return answer, self._topics.sure(main), terms

    def _routes(self, read: Read, spoken: dict[str, FloatArray]) -> list[Route]:
        if self._topics is None or self._topics.taxonomy is None:
            return []
        topics = self._topics.distribution(spoken["topic_main"], spoken.get("topic_sub"))
        place = Place(read.place.code, read.place.probability)
        rules = self._router.routes(topics, self._router.cues(read.clean.normal), place)
        head = self.bundle.heads.get("route")
        if head is None or (rules and rules[0].is_local):
            return rules
        return mixed(
            rules,
            self._router.learned(head.labels, spoken["route"], place),
            self.bundle.route_weight,
        )

    def _outcome(
        self, read: Read, spoken: dict[str, FloatArray], *, topic: Topic, routes: list[Route]
    ) -> OutcomeAnswer:
        head = self.bundle.heads.get("outcome")
        label, probability = _best(head, spoken.get("outcome")) if head else (ACTIONABLE, 0.0)
        lacking = missing_parts(
            read.clean.normal,
            read.place,
            routed=not routes or routes[0].government is not None,
            needs_place=bool(routes) and self._router.needs_place(routes[0].rule),
            topic_known=topic.main is not None or self._topics is None,
        )
        if label not in (ACTIONABLE, "needs_information"):
            return OutcomeAnswer(label, probability)
        return OutcomeAnswer(label, probability, lacking.parts, lacking.evidence)

    def _klasifikasi(self, spoken: dict[str, FloatArray]) -> KlasifikasiAnswer:
        head = self.bundle.heads.get("klasifikasi")
        if head is None:
            return KlasifikasiAnswer("pengaduan", 0.0)
        return KlasifikasiAnswer(*_best(head, spoken["klasifikasi"]))


def _best(head: LinearHead, probabilities: FloatArray | None) -> tuple[str, float]:
    if probabilities is None:
        return ACTIONABLE, 0.0
    i = int(probabilities.argmax())
    return head.labels[i], float(probabilities[i])
