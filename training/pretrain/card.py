"""The card of an encoder, written from its facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilah.models.encoder_folder import CARD

if TYPE_CHECKING:
    from pilah.models.encoder_folder import EncoderFolder

_CARD = """# Encoder {name} ({version})

Turns a normalised Indonesian report into {dim} numbers; near numbers, near meaning. {how}

| | |
|---|---|
| kind | {kind} |
| size on disk | {megabytes:.1f} MB |
| seed | {seed} |
| environment | {environment} |
| loss, first and last logged | {loss} |
{parity}
## Learned from

Normalised text with personal data masked; no text is kept in the weights' folder, only {kept}.

| source | lines | weight | halves as pairs |
|---|---|---|---|
{texts}

| pairs | kind | seen an epoch | rows held out |
|---|---|---|---|
{pairs}
{reports}
## Limits

Figures stand in docs/benchmarks.md. It knows the language of its sources best and carries the
associations of that text. Licence: Apache-2.0; the terms of the sources are their own.
"""
_PLACES = "| halves with made-up places, {:,} | the same words elsewhere | once | 0 |\n"
_HOW = {
    "grams": "The sum of one vector for each character n-gram and stem: word order is not seen.",
    "onnx": "A small transformer, weights int8.",
}
_KEPT = {"grams": "hashes of n-grams and stems", "onnx": "word pieces"}


def write_encoder_card(folder: EncoderFolder) -> None:
    """Write ``card.md`` beside the encoder's files."""
    facts = folder.about["facts"]
    config: dict[str, Any] = facts["config"]
    size = sum((folder.path / name).stat().st_size for name in folder.about["files"])
    texts = [
        f"| {t['file']} | {facts['lines'][t['file']]:,} | {t['weight']:g} | {t['halves']:,} |"
        for t in config["text"]
    ]
    pairs = [
        f"| {p['file']} | {p['kind']} | {p['repeat']} times | {p['hold']:,} |"
        for p in config["pairs"]
    ]
    losses = [
        f"{name} {curve[0][1]:g} to {curve[-1][1]:g} ({curve[-1][0]:,} steps)"
        for name, curve in facts["loss"].items()
        if curve
    ]
    parity = facts.get("parity")
    card = _CARD.format(
        name=config["name"],
        version=folder.version,
        dim=folder.dim,
        how=_HOW[folder.kind],
        kept=_KEPT[folder.kind],
        kind=folder.kind,
        megabytes=size / 1e6,
        seed=config["seed"],
        environment=", ".join(f"{k} {v}" for k, v in facts["environment"].items()),
        loss="; ".join(losses) or "too few steps to log",
        parity=f"| mean cosine to the torch model | {parity:.4f} |\n" if parity else "",
        texts="\n".join(texts),
        pairs="\n".join(pairs),
        reports="".join(f"| {r} | incidents, titles | | |\n" for r in config["reports"])
        + _PLACES.format(config["static"]["places"]),
    )
    (folder.path / CARD).write_text(card, encoding="utf-8")
