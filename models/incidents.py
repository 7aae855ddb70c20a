"""Which incident a report belongs to: exact copies first, then scored candidates.

Secret reports are shielded by leaving them out: they are remembered, so that they can be
forgotten and counted, but they are never a candidate, so neither a match, nor a verdict, nor an
incident id of another report can tell that one exists. A secret report sees public ones among
its own matches and still gets an incident of its own; only a person joins it to another.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import replace
from hashlib import blake2s
from heapq import nlargest
from itertools import chain, islice
from operator import itemgetter
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np

from pilah.datasets.errors import IndexMismatchError
from pilah.models.answer import Duplicates, Match
from pilah.models.blocks import blocks_of
from pilah.models.bursts import (
    Burst,
    Sender,
    TargetBurst,
    burst_of,
    sender_of,
    target_burst_of,
    targets_of,
)
from pilah.models.packing import microseconds, sender, sent, unpack
from pilah.models.rarity import Rarity
from pilah.models.remembered import Remembered
from pilah.models.remembered_files import load_remembered, save_remembered, saved_mark
from pilah.models.scoring import Candidate, PairJudge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pilah.models.index import VectorIndex
    from pilah.models.pairs import PairScorer
    from pilah.models.reading import Fingerprint, Vector
    from pilah.models.scoring import DuplicateThresholds, Scored

    Mark = tuple[Fingerprint, Vector]
    """What one report is recognised by."""

log = logging.getLogger(__name__)

MEMORY = "memory"
"""Folder of the saved memory inside that of the index."""
NEIGHBOURS = 30
"""Nearest reports by embedding that are looked at."""
BLOCK_SIZE = 50
"""Latest reports of one block (place and topic, street, case) that are looked at."""
COMPARED = 16
"""Candidates that are scored as pairs: those that a first look likes best. Of 4,080 reports of a
city in order, scoring all of them changed the verdict of two, neither a duplicate."""
COPIED = 0.35
"""Written words in common of a report that may be a copy; fewer is not looked at closely."""
MOST_SENT = 200
"""Latest reports of one sender, or against one target, that are looked at."""
SIMILAR = 0.03
"""Probability from which a known report is shown before a draft is sent."""


class DuplicateFinder:
    """Remembers fingerprints and finds the incident of a new report. Safe for threads.

    Attributes:
        index: vectors of the remembered reports; a saved index may come filled.
        judge: scores pairs.
        rarity: how rare words are among the remembered reports, secret ones left out.
    """

    def __init__(
        self, index: VectorIndex, scorer: PairScorer, thresholds: DuplicateThresholds
    ) -> None:
        """Start without fingerprints; :meth:`restore` brings back stored ones."""
        self.index, self.judge = index, PairJudge(scorer, thresholds)
        self._known = Remembered()
        self.rarity = Rarity(scorer.written)
        self._lock = RLock()
        self._apart: dict[str, set[str]] = {}
        self._seen: tuple[Fingerprint, list[Candidate]] | None = None

    def __len__(self) -> int:
        """How many reports it remembers."""
        return len(self._known)

    def incident_of(self, report_id: str) -> str | None:
        """The incident id of a remembered report."""
        return self._known.incident(report_id)

    def recall(self, report_id: str) -> Fingerprint | None:
        """What is remembered of a report."""
        with self._lock:
            return self._known.get(report_id)

    def find(self, fingerprint: Fingerprint, vector: Vector) -> tuple[Duplicates, str]:
        """Look for the incident of a report; nothing is remembered.

        Args:
            fingerprint: what is known of the report.
            vector: its L2-normalised embedding, shape (dim,).

        Returns:
            The answer, best match first, and the incident id: that of the best duplicate, or a
            new one that depends on the report id alone.
        """
        with self._lock:
            known = self._candidates(fingerprint, vector)[:COMPARED]
            return self.decide(fingerprint, self.judge.possible(fingerprint, known))

    def join(self, marks: Sequence[Mark]) -> list[tuple[Fingerprint, list[Candidate]]]:
        """Remember reports in their order, and gather for each those before it worth scoring.

        Each is remembered in an incident of its own until it is decided on. Vectors are searched
        for, and added, all at once.

        Args:
            marks: reports with their L2-normalised embeddings, shape (dim,); each report once.

        Returns:
            Each report with its candidates, best liked first; never a secret one.
        """
        asked: list[tuple[Fingerprint, list[Candidate]]] = []
        if not marks:
            return asked
        with self._lock:
            near = [*self._before(marks)]
            self._hold(marks)
            for (fingerprint, vector), names in zip(marks, near, strict=True):
                found = self._search(fingerprint, vector, names, most=COMPARED)
                asked.append((fingerprint, found))
                self._keep(fingerprint, new_incident_id(fingerprint.report_id))
        return asked

    def _before(self, marks: Sequence[Mark]) -> Iterator[list[str]]:
        """The nearest of each, among what the index holds and among the marks before it."""
        matrix = np.stack([vector for _, vector in marks])
        names = [f.report_id for f, _ in marks]
        open_ = np.array([f.visibility != "secret" for f, _ in marks])
        known = self.index.search(matrix, NEIGHBOURS)
        for n, (found, cosines) in enumerate(zip(known, matrix @ matrix.T, strict=True)):
            least = found[-1][1] if len(found) == NEIGHBOURS else -2.0
            nearer = np.flatnonzero((cosines[:n] > least) & open_[:n]).tolist()
            both = found + [(names[i], float(cosines[i])) for i in nearer]
            yield [name for name, _ in nlargest(NEIGHBOURS, both, key=itemgetter(1))]

    def _hold(self, marks: Sequence[Mark]) -> None:
        """Put the vectors of reports that are not secret into the index."""
        self.index.remove([f.report_id for f, _ in marks])
        shown = [(f.report_id, vector) for f, vector in marks if f.visibility != "secret"]
        if shown:
            self.index.add([name for name, _ in shown], np.stack([vector for _, vector in shown]))

    def decide(self, fingerprint: Fingerprint, scored: list[Scored]) -> tuple[Duplicates, str]:
        """The answer of :meth:`find`, from candidates that the judge found possible, best first."""
        with self._lock:
            thresholds = self.judge.thresholds
            shown = tuple(map(self._match, scored[: thresholds.max_matches]))
            verdict = thresholds.verdict(shown[0].probability) if shown else "none"
            incident = new_incident_id(fingerprint.report_id)
            if verdict == "duplicate" and self._torn(scored):
                verdict = "possible"
            if verdict == "duplicate" and fingerprint.visibility != "secret":
                incident = self._known.incident(shown[0].report_id) or incident
        return Duplicates(verdict, incident, shown), incident

    def similar(self, fingerprint: Fingerprint, vector: Vector, *, limit: int) -> tuple[Match, ...]:
        """Public reports that may tell of the same, from a probability of :data:`SIMILAR` on."""
        with self._lock:
            known = self._candidates(fingerprint, vector)
            public = [found for found in known if found.fingerprint.visibility == "public"]
            scored = self.judge.scored(fingerprint, public[:COMPARED], SIMILAR)
            return tuple(map(self._match, scored[:limit]))

    def nearest(self, vector: Vector, *, limit: int) -> list[tuple[str, float]]:
        """(report id, cosine) of the nearest reports; secret ones are not in the index."""
        with self._lock:
            return self.index.search(vector[None, :], limit)[0]

    def reassign(self, moved: Mapping[str, str]) -> None:
        """Report id -> incident that it belongs to now; unknown reports are passed over."""
        with self._lock:
            for report_id, incident_id in moved.items():
                self._known.move(report_id, incident_id)

    def keep_apart(self, pairs: Iterable[tuple[str, str]]) -> None:
        """The pairs of incidents that a person told apart, in place of those known before.

        A report that fits both of a pair is no duplicate of either: a person looks.
        """
        apart: defaultdict[str, set[str]] = defaultdict(set)
        for one, other in pairs:
            apart[one].add(other)
            apart[other].add(one)
        with self._lock:
            self._apart = dict(apart)

    def remember(self, fingerprint: Fingerprint, vector: Vector, incident_id: str) -> None:
        """Keep a report as a member of an incident; one that is known already is replaced."""
        with self._lock:
            self._keep(fingerprint, incident_id)
            self._hold([(fingerprint, vector)])

    def forget(self, report_id: str) -> bool:
        """Remove every trace of a report. Returns whether it was remembered."""
        with self._lock:
            self.index.remove([report_id])
            self._seen = None
            unpack.cache_clear()
            self._count(report_id, -1)
            return self._known.drop(report_id)

    def restore(self, stored: Iterable[tuple[Fingerprint, str]]) -> None:
        """Bring back stored (fingerprint, incident id), in order of arrival.

        Their vectors come with the index; a report without one is found by its other traits.
        """
        with self._lock:
            for fingerprint, incident_id in stored:
                self._keep(fingerprint, incident_id)

    def take(self, stored: Sequence[tuple[Fingerprint, Vector, str]]) -> int:
        """Bring back stored reports with their vectors; gives how many the index did not hold."""
        with self._lock:
            shown = [(f, v) for f, v, _ in stored if f.visibility != "secret"]
            lacking = [(f, v) for f, v in shown if not self.index.holds(f.report_id, v)]
            self.restore((fingerprint, incident) for fingerprint, _, incident in stored)
            self._hold(lacking)
        return len(lacking)

    def saving(self, folder: Path, mark: str) -> Callable[[], None]:
        """What saves index and memory as they are now, under the mark of the state that they show.

        It takes a while and needs no lock: the finder may go on meanwhile.
        """
        with self._lock:
            index, known, heard = self.index.copy(), self._known.copy(), self.rarity.heard()

        def along(files: str) -> None:
            save_remembered(known, heard, folder / MEMORY, mark=mark, index=files)

        return lambda: index.save(folder, along=along)

    def saved_mark(self, folder: Path) -> str | None:
        """The mark under which memory was saved with this index; None when none can be used."""
        try:
            return saved_mark(folder / MEMORY, str(self.index.saved_as))
        except IndexMismatchError as error:
            log.warning("the saved memory cannot be used: %s", error)
            return None

    def recover(self, folder: Path) -> bool:
        """Take the memory that was saved with this index; or say False."""
        try:
            known, heard = load_remembered(folder / MEMORY)
        except IndexMismatchError as error:
            log.warning("the saved memory cannot be used: %s", error)
            return False
        with self._lock:
            self.rarity.hear(heard)
            self._known, self._seen = known, None
        return True

    def burst(self, fingerprint: Fingerprint, vector: Vector, *, hours: float = 48) -> Burst:
        """Count near-identical texts of all reporters in the hours around this report.

        Only candidates are counted, so a count saturates near :data:`BLOCK_SIZE`.
        """
        with self._lock:
            found = self._candidates(fingerprint, vector)
            known = [c.fingerprint for c in found if c.likeness >= COPIED]
        return burst_of(known, fingerprint, hours)

    def sender(self, fingerprint: Fingerprint, *, hours: float = 24) -> Sender:
        """Count what the same reporter sent in the hours around this report.

        Of a reporter only the latest :data:`MOST_SENT` reports are looked at.
        """
        if fingerprint.reporter is None:
            return Sender(1, 1, hours)
        known = self._around(f"reporter:{fingerprint.reporter}", fingerprint, hours=hours)
        return sender_of(known, fingerprint, hours)

    def target(
        self, fingerprint: Fingerprint, incident: str, *, hours: float = 48, least: int = 0
    ) -> TargetBurst | None:
        """The person, place or address that most senders complain about around this report.

        Of a target only the latest :data:`MOST_SENT` reports are looked at.

        Args:
            fingerprint: what is known of the report.
            incident: the one it belongs to; others of it are witnesses, not counted.
            hours: before and after the report.
            least: where fewer senders name a target, its other reports are not counted.
        """
        found = (
            target_burst_of(
                target, self._around(target.key, fingerprint, hours=hours, least=least),
                fingerprint, hours=hours, incident=incident, incident_of=self._known.incident,
            )
            for target in targets_of(fingerprint)
        )  # fmt: skip
        return max(found, key=lambda burst: (burst.reporters, burst.reports), default=None)

    def _around(
        self, block: str, fingerprint: Fingerprint, *, hours: float, least: int = 0
    ) -> list[Fingerprint]:
        """The latest of a block around a report; none where fewer senders than ``least`` stand."""
        with self._lock:
            latest = islice(self._known.block(block), MOST_SENT)
            packed = [(str(self._known.name(row)), self._known.packed(row)) for row in latest]
        now, span = microseconds(fingerprint), hours * 3600e6
        near = [(name, p) for name, p in packed if abs(sent(p)[0] - now) <= span]
        senders = {sender(fingerprint), *(sent(p)[1] for _, p in near)} - {0}
        return [unpack(name, p) for name, p in near] if len(senders) >= least else []

    def _keep(self, fingerprint: Fingerprint, incident_id: str) -> None:
        self._seen = None
        self._count(fingerprint.report_id, -1)
        if fingerprint.visibility == "secret":
            self._known.put(replace(fingerprint, written=frozenset()), incident_id, ())
            return
        blocks = (*blocks_of(fingerprint), *(target.key for target in targets_of(fingerprint)))
        self._known.put(fingerprint, incident_id, blocks)
        self._count(fingerprint.report_id, 1)

    def _count(self, report_id: str, times: int) -> None:
        """Count the words of a remembered report, or take them back; a secret one has none."""
        row = self._known.row(report_id)
        if row is not None:
            self.rarity.add(self._known.texts([row]), times)

    def _torn(self, scored: list[Scored]) -> bool:
        """Whether two incidents that a person told apart are both duplicates, one the best."""
        if not self._apart:
            return False
        least = self.judge.thresholds.duplicate
        sure = [self._known.incident(s.report_id) for s in scored if s.probability >= least]
        return not self._apart.get(sure[0] or "", set()).isdisjoint(sure)

    def _match(self, scored: Scored) -> Match:
        evidence = self.judge.scorer.evidence(scored.features)
        return Match(scored.report_id, scored.probability, scored.cosine, evidence)

    def _candidates(self, fingerprint: Fingerprint, vector: Vector) -> list[Candidate]:
        """All of them, those liked best first.

        The last answer is kept until the memory changes: ``find`` and ``burst`` ask alike.
        """
        if self._seen is None or self._seen[0] is not fingerprint:
            near = [name for name, _ in self.index.search(vector[None, :], NEIGHBOURS)[0]]
            self._seen = fingerprint, self._search(fingerprint, vector, near)
        return self._seen[1]

    def _search(
        self,
        fingerprint: Fingerprint,
        vector: Vector,
        near: Iterable[str],
        *,
        most: int | None = None,
    ) -> list[Candidate]:
        """The nearest and those of the same blocks, at ``most`` so many, best liked first."""
        known = self._known
        latest = (islice(known.block(key), BLOCK_SIZE) for key in blocks_of(fingerprint))
        named = (row for name in near if (row := known.row(name)) is not None)
        own = known.row(fingerprint.report_id)
        rows = [*dict.fromkeys(r for r in chain(named, *latest) if r != own)]
        names = [str(known.name(row)) for row in rows]
        words = self.rarity.compare(fingerprint.written, known.texts(rows))
        cosines, likeness = self.index.cosines(names, vector), words.likeness()
        order = np.argsort(-self.judge.liked(cosines, words), kind="stable")[:most].tolist()
        values = ((names[n], rows[n], cosines[n], words.pair(n), likeness[n]) for n in order)
        return [
            Candidate(name, known.packed(row), float(cosine), rare, float(like))
            for name, row, cosine, rare, like in values
        ]


def new_incident_id(report_id: str) -> str:
    """The id of an incident whose first report is this one; the same at every replay."""
    return f"inc-{blake2s(report_id.encode(), digest_size=10).hexdigest()}"
