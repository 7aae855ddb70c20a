"""A deterministic engine without a model: for tests of the service, never for real reports."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from pilah.datasets.errors import ReportError
from pilah.datasets.local_routes import LocalRoute
from pilah.datasets.records import Report
from pilah.models.answer import (
    Agency,
    AgencyAlternative,
    Duplicates,
    Explanation,
    Hoax,
    HoaxEvidence,
    KlasifikasiAnswer,
    Match,
    OutcomeAnswer,
    PlaceFound,
    Review,
    Term,
    Topic,
    TopicAlternative,
    Triage,
    Versions,
)
from pilah.models.hoax import TextSigns
from pilah.models.reading import (
    Analysis,
    Answer,
    Changes,
    CleanText,
    Fingerprint,
    PlaceReading,
    Stored,
    Vector,
)
from pilah.service.settings import Settings

DIM = 16
_VERSIONS = Versions(service="test", bundle="fake-1", labels="fake", thresholds="fake", index="1")
_SLEMAN = "Pemerintah Kabupaten Sleman"
_ROAD = "PEKERJAAN UMUM DAN PENATAAN RUANG"


class FakeEngine:
    """Long digit runs are masked; "jalan" is the one topic; sharing half the words is the same."""

    def __init__(self, vectors: str = "fake-1") -> None:
        """Remember nothing; ``vectors`` is what ``describe`` says of its vectors."""
        self.vectors = vectors
        self.memory: dict[str, tuple[Fingerprint, str]] = {}
        self.routes: tuple[LocalRoute, ...] = ()
        self.versions = _VERSIONS
        self.apart: list[tuple[str, str]] = []
        self._inside = threading.Lock()

    @classmethod
    def make(cls, _: Settings) -> FakeEngine:
        """An engine factory."""
        return cls()

    def analyse(self, items: Sequence[tuple[str, Report]]) -> list[Analysis]:
        """Read each report by itself; a row of the operator whose word is in the text routes it."""
        return [self._routed(_analysis(report_id, report)) for report_id, report in items]

    def use_routes(self, routes: Sequence[LocalRoute], version: str) -> None:
        """Keep the rows."""
        self.routes = tuple(routes)
        self.versions = dataclasses.replace(_VERSIONS, routes=version)

    def _routed(self, analysis: Analysis) -> Analysis:
        draft = dataclasses.replace(analysis.draft, versions=self.versions)
        for route in self.routes:
            if any(term in analysis.clean.normal for term in route.terms):
                agency = Agency(route.target, None, route.level, 0.9, route.name, route.ground)
                draft = dataclasses.replace(draft, agency=agency)
        return dataclasses.replace(analysis, draft=draft)

    def settle(self, analysis: Analysis) -> Answer:
        """Find the remembered reports that share half of the words."""
        with _alone(self._inside):
            matches = self._matches(analysis.fingerprint)
        best = matches[0].report_id if matches else None
        incident = self.memory[best][1] if best else f"incident-{analysis.report_id}"
        verdict = Duplicates("duplicate" if best else "none", incident, tuple(matches))
        triage = dataclasses.replace(analysis.draft, duplicates=verdict)
        return Answer(triage, analysis.fingerprint, analysis.vector, incident)

    def remember(self, answer: Answer) -> None:
        """Keep the fingerprint."""
        with _alone(self._inside):
            self.memory[answer.fingerprint.report_id] = (answer.fingerprint, answer.incident_id)

    def forget(self, report_id: str) -> None:
        """Drop the fingerprint."""
        with _alone(self._inside):
            self.memory.pop(report_id, None)

    def similar(self, analysis: Analysis, *, limit: int) -> list[Match]:
        """Public ones that share half of the words."""
        with _alone(self._inside):
            matches = self._matches(analysis.fingerprint)
        public = [m for m in matches if self.memory[m.report_id][0].visibility == "public"]
        return public[:limit]

    def nearest(self, vector: Vector, *, limit: int) -> list[tuple[str, float]]:
        """Every remembered report that is not secret, as if all were as near."""
        del vector
        with _alone(self._inside):
            known = [i for i, (f, _) in self.memory.items() if f.visibility != "secret"]
        return [(report_id, 0.5) for report_id in known[:limit]]

    def reassign(self, moved: Mapping[str, str]) -> None:
        """Keep where reports belong."""
        with _alone(self._inside):
            for report_id, incident in moved.items():
                self.memory[report_id] = (self.memory[report_id][0], incident)

    def keep_apart(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Keep the pairs, for a test to look at."""
        self.apart = sorted(pairs)

    def restore(
        self, remembered: Iterable[Stored], *, since: Callable[[str], Changes | None] | None = None
    ) -> str | None:
        """Keep all of them."""
        del since
        self.memory = {fp.report_id: (fp, incident) for fp, _, incident in remembered}
        return None

    def saving(self, mark: str) -> Callable[[], None]:
        """Nothing is derived."""
        del mark
        return lambda: None

    def describe(self) -> dict[str, object]:
        """Versions."""
        return {"versions": _VERSIONS, "labels": 1, "vectors": self.vectors}

    def _matches(self, mine: Fingerprint) -> list[Match]:
        scored = []
        for other, _ in self.memory.values():
            shared = len(mine.words & other.words) / max(1, len(mine.words | other.words))
            if shared >= 0.5:
                scored.append(Match(other.report_id, shared, shared, ("kata yang sama",)))
        return sorted(scored, key=lambda m: (-m.probability, m.report_id))


class MoodyEngine(FakeEngine):
    """Does what a word in the text says: waits ("tunggu"), breaks ("meledak", "macet").

    Attributes:
        gate: reports with "tunggu" wait until it is set.
        entered: is released once for each report that waits.
    """

    def __init__(self) -> None:
        """Wait for nothing yet."""
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)

    def analyse(self, items: Sequence[tuple[str, Report]]) -> list[Analysis]:
        """Break or wait where a text says so; refuse the region "Atlantis"."""
        for _, report in items:
            if "tunggu" in report.text:
                self.entered.release()
                self.gate.wait(20)
            if "meledak" in report.text:
                raise ValueError(f"internal: {report.text}")
            if report.region == "Atlantis":
                raise ReportError("region", "is not known", "give a Kemendagri code")
        return super().analyse(items)

    def settle(self, analysis: Analysis) -> Answer:
        """Break where a text says so."""
        if "macet" in analysis.report.text:
            raise RuntimeError(analysis.report.text)
        return super().settle(analysis)


class _alone:  # noqa: N801 - reads as a word: with _alone(lock)
    """Fails when two threads are inside: the service promised to hold one lock."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise AssertionError("the engine's memory was used by two threads at once")

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _analysis(report_id: str, report: Report) -> Analysis:
    masked = re.sub(r"\d{6,}", "[ANGKA]", report.full_text)
    normal = masked.lower()
    fingerprint = _fingerprint(report_id, report, normal)
    return Analysis(
        report_id=report_id,
        report=report,
        clean=CleanText(report.full_text, masked, normal),
        place=PlaceReading(None, 0.0),
        vector=_vector(normal),
        fingerprint=fingerprint,
        signs=TextSigns((), guard=0.0, learned=0.0, told=None, flag=1.0),
        draft=_draft(report_id, masked, normal),
    )


def _fingerprint(report_id: str, report: Report, normal: str) -> Fingerprint:
    words = (hashlib.sha256(word.encode()).digest() for word in re.findall(r"\w+", normal))
    return Fingerprint(
        report_id=report_id,
        text_hash=hashlib.sha256(normal.encode()).hexdigest(),
        words=frozenset(int.from_bytes(word[:4], "big") for word in words),
        place=None,
        streets=frozenset(),
        numbers={"km": ("5",)} if "km 5" in normal else {},
        landmarks=frozenset(),
        cases=frozenset(),
        topic=_ROAD if "jalan" in normal else None,
        reporter=report.reporter_ref,
        visibility=report.visibility,
        received_at=datetime.now(UTC),
    )


def _vector(normal: str) -> Vector:
    seed = int.from_bytes(hashlib.sha256(normal.encode()).digest()[:8], "big")
    raw = np.random.default_rng(seed).standard_normal(DIM)
    return (raw / np.linalg.norm(raw)).astype(np.float32)


def _draft(report_id: str, masked: str, normal: str) -> Triage:
    road, chain = "jalan" in normal, "sebarkan" in normal
    signs = (HoaxEvidence("chain_style", "gaya pesan berantai: sebarkan"),) if chain else ()
    reasons = (() if road else ("topic_uncertain",)) + (("hoax_like",) if chain else ())
    place = PlaceFound("sleman", "34.04", "Kabupaten Sleman", "kabupaten", 0.9)
    return Triage(
        report_id=report_id,
        topic=Topic(
            main=_ROAD if road else None,
            sub=None,
            probability=0.9 if road else 0.2,
            fallback="main" if road else "null",
            alternatives=(TopicAlternative("KESEHATAN", None, 0.1),),
        ),
        agency=Agency(
            "Dinas PU",
            _SLEMAN,
            "kabkota",
            0.8,
            "jalan-kabupaten",
            alternatives=(
                AgencyAlternative("Dinas Perhubungan", _SLEMAN, 0.15, "kabkota", "pju-kabkota"),
                AgencyAlternative("PT PLN (Persero)", "PT PLN (Persero)", 0.05, "bumn", "listrik"),
            ),
        ),
        outcome=OutcomeAnswer("actionable" if road else "needs_information", 0.8),
        klasifikasi=KlasifikasiAnswer("pengaduan", 0.9),
        duplicates=Duplicates("none", None),
        hoax=Hoax(chain, 0.9 if chain else 0.0, signs),
        review=Review(bool(reasons), reasons),
        explanation=Explanation(
            terms=(Term("jalan", 0.5),) if road else (),
            places=(place,) if "sleman" in normal else (),
        ),
        masked_text=masked,
        versions=_VERSIONS,
    )
