"""Indicators are counted once and shown for a while: reading 100,000 reports takes a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from pilah.service.loop.columns import Columns, Span, read_columns
from pilah.service.loop.indicators import Key, Measures, measures
from pilah.service.loop.kept import Kept
from pilah.service.store import Store

SPANS = 4
"""Spans whose columns are kept."""
GROUPINGS = 200
"""Groupings that are kept of a span."""

Question = tuple[tuple[str, ...], str | None, str | None]


@dataclass(frozen=True, slots=True)
class _Read:
    columns: Columns
    answers: dict[Question, Mapping[Key, Measures]] = field(default_factory=dict)


class Counting:
    """Counts for everybody: the store is read once for every grouping of a span."""

    def __init__(self, store: Store) -> None:
        """Nothing is read yet."""
        self._read: Kept[Span, _Read] = Kept(store, _read, most=SPANS)

    def columns(self, span: Span) -> Columns:
        """The reports of a span, as they were a while ago at most."""
        return self._read(span).columns

    def renew(self, span: Span) -> None:
        """Read the reports of a span now; meanwhile those read before are counted."""
        self._read.renew(span)

    def measures(
        self,
        span: Span,
        by: tuple[str, ...] = (),
        *,
        government: str | None = None,
        topic: str | None = None,
    ) -> Mapping[Key, Measures]:
        """The measures of a span, grouped; as :func:`pilah.service.loop.indicators.measures`."""
        kept, question = self._read(span), (by, government, topic)
        found = kept.answers.get(question)
        if found is None:
            found = measures(kept.columns, by, government=government, topic=topic)
            if len(kept.answers) < GROUPINGS:
                kept.answers[question] = found
        return found


def _read(connection: Connection, span: Span) -> _Read:
    return _Read(read_columns(connection, span))
