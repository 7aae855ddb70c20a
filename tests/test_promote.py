"""Which bundle goes live: the gate, the history, and labels that come and go."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cli_kit import ROWS, Pilah, write

from pilah.datasets.records import LabelledReport, Labels, Report
from pilah.evaluation.drift import Gone, bundle_drift, data_drift
from pilah.evaluation.gate import unanswered
from pilah.models.bundle import Bundle
from pilah.models.linear import LinearHead
from pilah.models.registry import SHIPPED, Registry

BUNDLES = Path("var/bundles")


def worse(bundle: Bundle, folder: str) -> str:
    """A bundle that takes every outcome for another."""
    head = bundle.heads["outcome"]
    turned = replace(head, weights=-head.weights, bias=-head.bias)
    return replace(bundle, heads=bundle.heads | {"outcome": turned}).save(Path(folder))


def test_a_bundle_that_loses_is_refused_unless_forced(pilah: Pilah, bundle: Bundle) -> None:
    version = worse(bundle, "buruk")
    gold = write("emas.jsonl", ROWS)
    told = pilah("bundle", "promote", "buruk", "--against", gold)
    assert told.code == 2
    assert f"{version} loses to the live {bundle.version}:\n  outcome: 0." in told.err
    assert "(-1.000; 95 % interval -1.000 to -1.000, 117 rows)" in told.err
    assert "topic_main: accuracy" in told.err
    assert Registry(BUNDLES).live() == SHIPPED
    assert Registry(BUNDLES).history() == []
    told = pilah("bundle", "promote", "buruk", "--against", gold, "--force")
    assert (told.code, "--force needs a reason" in told.err) == (2, True)
    told = pilah("bundle", "promote", "buruk", "--against", gold, "--force", "--reason", "uji")
    assert told.out == f"live: {version}\n"
    (entry,) = Registry(BUNDLES).history()
    assert (entry["forced"], entry["reason"], entry["set"]) == (True, "uji", "emas.jsonl")
    assert entry["figures"]["outcome"]["new"] < entry["figures"]["outcome"]["live"]
    assert entry["lost"][0].startswith("outcome: ")
    assert entry["by"]
    assert "promote (forced)" in pilah("bundle", "history").out
    assert json.loads(pilah("bundle", "history", "--json").out) == [entry]


@pytest.mark.parametrize("gold", [True, False])
def test_a_bundle_that_answers_less_is_refused(pilah: Pilah, bundle: Bundle, gold: bool) -> None:
    """Also where the gold set has no label for what it leaves unanswered, and without one."""
    narrow = {"agency": bundle.heads["outcome"]}  # as if a city called its units so
    version = replace(bundle, heads=narrow).save(Path("sempit"))
    rows = [{"text": row["text"], "agency": row["outcome"]} for row in ROWS]
    against = ("--against", write("emas.jsonl", rows), "--tolerance", "1") if gold else ()
    told = pilah("bundle", "promote", "sempit", *against)
    assert told.code == 2
    missing = ["klasifikasi: it has no answer", "outcome: it has", "topic_main: it has"]
    assert [name for name in missing if name not in told.err] == []
    assert "train it with `bawaan` beside your files" in told.err
    assert Registry(BUNDLES).live() == SHIPPED
    told = pilah("bundle", "promote", "sempit", *against, "--force", "--reason", "hanya instansi")
    assert told.out == f"live: {version}\n"
    assert pilah("bundle", "promote", "sempit", *against).code == 0  # it answers what it answers


def test_heads_for_agency_and_route_answer_the_same_question(bundle: Bundle) -> None:
    head = bundle.heads["outcome"]
    city, land, none = (replace(bundle, heads={n: head}) for n in ("agency", "route", "outcome"))
    assert unanswered(city, land) == unanswered(land, city) == ()
    assert unanswered(city, none) == ("agency: it has no answer",)


def test_the_way_back_is_one_command(pilah: Pilah, bundle: Bundle) -> None:
    """From a bad one the good one wins; a rollback asks nothing."""
    gold = write("emas.jsonl", ROWS)
    forced = ("--force", "--reason", "uji")
    assert pilah("bundle", "promote", worse(bundle, "buruk") and "buruk", *forced).code == 0
    told = pilah("bundle", "promote", SHIPPED, "--against", gold)
    assert told.out == f"live: {SHIPPED}\n"
    assert pilah("bundle", "rollback").out == f"live: {Bundle.load(Path('buruk')).version}\n"
    assert [e["action"] for e in Registry(BUNDLES).history()] == ["promote", "promote", "rollback"]
    assert all(e["by"] for e in Registry(BUNDLES).history())


def test_the_gold_set_of_the_installation(
    pilah: Pilah, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    worse(bundle, "buruk")
    told = pilah("bundle", "promote", SHIPPED)
    assert "not compared with the live bundle: give --against FILE or set PILAH_GOLD" in told.err
    monkeypatch.setenv("PILAH_GOLD", str(write("emas.jsonl", ROWS)))
    assert pilah("bundle", "promote", "buruk").code == 2
    assert pilah("bundle", "promote", "buruk", "--tolerance", "1").code == 0
    assert Registry(BUNDLES).history()[-1]["forced"] is False
    monkeypatch.setenv("PILAH_GOLD", str(write("emas.jsonl", [*ROWS, {"text": ""}])))
    told = pilah("bundle", "promote", SHIPPED)
    assert (told.code, "emas.jsonl, line 121: text" in told.err) == (2, True)


def test_what_a_bundle_does_not_answer_any_more_is_lost(pilah: Pilah, bundle: Bundle) -> None:
    heads = {n: h for n, h in bundle.heads.items() if n != "klasifikasi"}
    version = replace(bundle, heads=heads).save(Path("kurang"))
    gold = write("emas.jsonl", ROWS)
    told = pilah("bundle", "promote", "kurang", "--against", gold, "--json")
    assert "klasifikasi: it has no answer" in told.err
    shown = json.loads(told.out)
    assert (shown["live"], shown["lost"]) == (bundle.version, ["klasifikasi: it has no answer"])
    assert shown["labels"]["klasifikasi"]["kept"] == 0
    forced = ("--force", "--reason", "uji")
    told = pilah("bundle", "promote", "kurang", "--against", gold, "--json", *forced)
    assert json.loads(told.out)["live"] == version


def head(*labels: str) -> LinearHead:
    size, limits = len(labels), dict.fromkeys(labels, 0.5)
    zeros = np.zeros(size, np.float32)
    return LinearHead(labels, np.zeros((size, 1)), zeros, 1.0, zeros, limits, limits)


def own(bundle: Bundle, *labels: str, **facts: object) -> Bundle:
    return replace(bundle, heads={"agency": head(*labels)}, facts=facts, label_set="own-x")


def test_labels_between_two_bundles(bundle: Bundle) -> None:
    a = own(bundle, "Dinas Sosial", "Dinas PU", "Kominfo", "DISDUKCAPIL", "Satpol PP", "Arsip")
    b = own(
        bundle, "DINAS SOSIAL.", "Dinas SDA", "Kementerian Komunikasi dan Digital", "BPBD", "Arsip",
        config={"rename": {"Dinas PU": "Dinas SDA"}}, not_learned={"agency": {"Satpol PP": 3}},
    )  # fmt: skip
    drift = bundle_drift(a, b)["agency"]
    assert drift.gone == (
        Gone("DISDUKCAPIL", "dropped"),
        Gone("Dinas PU", "renamed", "Dinas SDA"),
        Gone("Dinas Sosial", "renamed", "DINAS SOSIAL."),
        Gone("Kominfo", "renamed", "Kementerian Komunikasi dan Digital"),
        Gone("Satpol PP", "emptied", None, 3),
    )
    assert (drift.kept, drift.new, drift.changed) == (1, ("BPBD",), True)
    same = bundle_drift(a, a)["agency"]
    assert (same.kept, same.gone, same.new, same.changed) == (6, (), (), False)


def test_retired_topics_are_told(bundle: Bundle) -> None:
    old = replace(bundle, heads={"topic_main": head("02", "04", "08")})
    new = replace(bundle, heads={"topic_main": head("04", "08", "16")})
    drift = bundle_drift(old, new)["topic_main"]
    assert drift.gone == (Gone("02", "retired"),)
    assert drift.new == ("16",)


def test_labels_between_data_and_bundle(bundle: Bundle) -> None:
    names = ("dinas pu", "Dinas Baru", "Dinas Baru", "Arsip")
    rows = [LabelledReport(Report("x"), Labels(agency=name)) for name in names]
    drift = data_drift(own(bundle, "Dinas PU", "Arsip", "BPBD"), rows)
    assert set(drift) == {"agency"}
    assert drift["agency"].gone == (
        Gone("Dinas Baru", "unknown", None, 2),
        Gone("dinas pu", "renamed", "Dinas PU", 1),
    )
    assert (drift["agency"].kept, drift["agency"].new) == (1, ("BPBD",))


def test_evaluate_tells_which_labels_the_bundle_lacks(pilah: Pilah) -> None:
    path = write("uji.jsonl", [*ROWS[:30], {**ROWS[0], "outcome": "prank"}])
    told = pilah("evaluate", "--data", path, "-o", "hasil")
    assert told.code == 0, told.err
    assert "outcome: labels of the data beside the bundle's, unknown: prank" in told.err
    stored = json.loads(Path("hasil/labels.json").read_text("utf-8"))
    assert {"label": "prank", "fate": "unknown", "to": None, "rows": 2} in stored["outcome"]["gone"]
