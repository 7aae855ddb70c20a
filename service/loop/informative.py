"""Active learning: which of the reports that nobody needs to see would teach the most.

Least margin first (Scheffer et al. 2001), and of the least sure ones those that lie far from each
other (greedy k-center, Sener and Savarese 2018), so that fifty copies of one doubt count once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Connection, exists, select

from pilah.service.codecs import vector_from_bytes
from pilah.service.loop.tables import facts, review_requests
from pilah.service.tables import decisions, fingerprints, reports

if TYPE_CHECKING:
    from numpy.typing import NDArray

INFORMATIVE = "informative"
"""Reason of a report that is shown for labelling."""
POOL = 200
"""The least sure reports among which the diverse ones are chosen."""


def most_informative(connection: Connection, number: int) -> list[str]:
    """Ids of up to ``number`` sure, undecided reports, the most informative first.

    Secret reports are left out, and those that wait for another reason.
    """
    if number < 1:
        return []
    decided = exists().where(decisions.c.report_id == facts.c.report_id)
    asked = exists().where(
        review_requests.c.report_id == facts.c.report_id, review_requests.c.decision.is_(None)
    )
    query = (
        select(facts.c.report_id, fingerprints.c.vector)
        .join_from(facts, reports)
        .join(fingerprints, fingerprints.c.report_id == facts.c.report_id)
        .where(facts.c.sure, ~decided, ~asked, reports.c.visibility != "secret")
        .order_by(facts.c.doubt.desc(), facts.c.report_id)
        .limit(POOL)
    )
    rows = connection.execute(query).all()
    same = [r for r in rows if len(r.vector) == len(rows[0].vector)]
    if not same:
        return []
    vectors = np.stack([vector_from_bytes(row.vector) for row in same])
    return [same[i].report_id for i in spread(vectors, number)]


def spread(vectors: NDArray[np.float32], number: int) -> list[int]:
    """Row numbers of a diverse choice: the first row, then always the one farthest from all.

    Args:
        vectors: L2-normalised, the most informative first, shape (n, dim).
        number: how many; at most n are given.
    """
    chosen = [0]
    nearest = vectors @ vectors[0]
    while len(chosen) < min(number, len(vectors)):
        nearest[chosen] = np.inf
        best = int(np.argmin(nearest))
        chosen.append(best)
        nearest = np.maximum(nearest, vectors @ vectors[best])
    return chosen
