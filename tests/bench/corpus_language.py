"""How well a few everyday words tell the language of a text (``evaluation/language.py``).

On the dev and test split of the written corpus; the words were chosen on the training split. No
other data is needed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from common import ROOT, finish, labelled, share, table

from pilah.evaluation.language import INDONESIAN, language_of

FOLDER = ROOT / "datasets" / "data" / "corpus"
NAMED = ("jv", "su", "min", "ban", "bew")


def main() -> None:
    """Run it."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("-o", "--output", type=Path, help="JSON file of the result")
    args = arguments.parse_args()
    rows = [r for split in ("dev", "test") for r in labelled(FOLDER / f"{split}.jsonl")]
    pairs = [(r.extra["language"], language_of(r.report.full_text)) for r in rows]
    lines = []
    for language in (*NAMED, "id"):
        told = language if language in NAMED else INDONESIAN
        mine = [t for given, t in pairs if given == language]
        said = [given for given, t in pairs if t == told]
        line = {
            "language": language,
            "rows": len(mine),
            "recall": share(mine.count(told), len(mine)),
        }
        lines.append(line | {"precision": share(said.count(language), len(said))})
    table("language by its words", ("language", "rows", "recall", "precision"), [
        tuple(line.values()) for line in lines
    ])  # fmt: skip
    finish("corpus_language", {"rows": len(rows), "languages": lines}, args.output)


if __name__ == "__main__":
    main()
