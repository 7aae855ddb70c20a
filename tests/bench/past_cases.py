"""How alike a past case must be to help a moderator: what was decided of the nearest ones.

Each development row of the written corpus asks for its five nearest among the training rows; with
the city's data, the last 800 reports of 2022 ask among the earlier ones. A past case helps when it
went to the same unit. The floor of the desk (``past.MIN_SIMILARITY``) was chosen on these rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from common import ROOT, TRAIN, data_file, finish, labelled, load_bundle, parser, share, table
from numpy.typing import NDArray

from pilah.datasets.records import LabelledReport
from pilah.models.bundle import Bundle
from pilah.models.text import read_text
from pilah.service.desk.past import MAX_SHOWN, MIN_SIMILARITY

FLOORS = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
BANDS = tuple(zip(FLOORS, (*FLOORS[1:], 1.01), strict=True))
ASKING = 800
CORPUS = ROOT / "datasets" / "data" / "corpus"


def vectors_of(bundle: Bundle, rows: Sequence[LabelledReport]) -> NDArray[np.float32]:
    """Unit vectors as the index holds them, shape (rows, dim)."""
    vectors = bundle.read([read_text(row.report.full_text).normal for row in rows])[1]
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def measure(
    bundle: Bundle, stored: Sequence[LabelledReport], asking: Sequence[LabelledReport]
) -> dict[str, Any]:
    """Shares of past cases that went to the same unit, by similarity, and what a floor leaves."""
    alike = vectors_of(bundle, asking) @ vectors_of(bundle, stored).T
    order = np.argsort(-alike, axis=1)[:, :MAX_SHOWN]
    near = np.take_along_axis(alike, order, axis=1)
    units = np.array([row.labels.agency or "" for row in stored])
    topics = np.array([row.labels.topic_main or "" for row in stored])
    unit = np.array([row.labels.agency or "-" for row in asking])[:, None] == units[order]
    topic = np.array([row.labels.topic_main or "-" for row in asking])[:, None] == topics[order]
    bands, floors = [], []
    for low, high in BANDS:
        inside = (near >= low) & (near < high)
        number = int(inside.sum())
        same = [share(int(s[inside].sum()), number) for s in (unit, topic)]
        bands.append({"from": low, "cases": number, "same_unit": same[0], "same_topic": same[1]})
        kept = near >= low
        told = {"floor": low, "shown": share(int(kept.any(axis=1).sum()), len(asking))}
        told["same_unit"] = share(int(unit[kept].sum()), int(kept.sum()))
        floors.append(told)
    return {"reports": len(asking), "stored": len(stored), "bands": bands, "floors": floors}


def main() -> None:
    """Measure the corpus, and the city where its data is."""
    arguments = parser(__doc__ or "").parse_args()
    bundle = load_bundle(arguments.bundle)
    stored, asking = (labelled(CORPUS / f"{name}.jsonl") for name in ("train", "dev"))
    result = {"bundle": bundle.version, "floor": MIN_SIMILARITY}
    result["corpus"] = measure(bundle, stored, asking)
    tell("written corpus", result["corpus"])
    columns = {"id": "source_id", "reported_at": "date", "topic_main": "topic"}
    rows = labelled(data_file(arguments.data, TRAIN), columns)
    city = sorted(rows, key=lambda row: str(row.report.reported_at))
    result["city"] = measure(bundle, city[:-ASKING], city[-ASKING:])
    tell("city", result["city"])
    finish("past_cases", result, arguments.output)


def tell(name: str, found: dict[str, Any]) -> None:
    """Print what was found."""
    rows = [(b["from"], b["cases"], b["same_unit"], b["same_topic"]) for b in found["bands"]]
    table(f"{name}: cases by similarity", ("from", "cases", "same unit", "same topic"), rows)
    left = [(f["floor"], f["shown"], f["same_unit"]) for f in found["floors"]]
    table(f"{name}: what a floor leaves", ("floor", "reports with a case", "same unit"), left)


if __name__ == "__main__":
    main()
