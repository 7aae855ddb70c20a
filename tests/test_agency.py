"""Rules, a learned head, or both: what is answered and who spoke."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilah.datasets.agencies import load_agencies, load_units
from pilah.datasets.regions import load_regions
from pilah.datasets.routing_table import Rule, load_routing
from pilah.models.agency import UNKNOWN, AgencyReader
from pilah.models.linear import LinearHead
from pilah.models.routing import MAX_LEARNED, Place, Route, Router, answer_from, mixed

if TYPE_CHECKING:
    from pilah.models.linear import FloatArray

LABELS = ("Dinas Jalan", "PERUMDA AIR", "Dinas Kesehatan")
RULE = Rule("jalan-kabkota", "08", "", "", "kabkota", "pupr", "UU 38/2004", "")
SLEMAN = "Pemerintah Kabupaten Sleman"


def head(labels: tuple[str, ...] = LABELS) -> LinearHead:
    size = len(labels)
    zeros = np.zeros(size, np.float32)
    limits = dict.fromkeys(labels, 0.5)
    return LinearHead(labels, np.zeros((size, 1), np.float32), zeros, 1.0, zeros, limits, limits)


def floats(*values: float) -> FloatArray:
    return np.array(values, dtype=np.float32)


def route(name: str, probability: float, government: str | None = SLEMAN) -> Route:
    return Route(name, government, "kabkota", RULE, probability)


def test_nobody_speaks() -> None:
    assert AgencyReader(None).answer([], None) is UNKNOWN
    assert (UNKNOWN.name, UNKNOWN.probability) == (None, 0.0)


def test_the_rules_speak_alone() -> None:
    routes = [route("Dinas PU", 0.7), route("PLN", 0.2, None)]
    for reader in (AgencyReader(None), AgencyReader(head())):
        answer = reader.answer(routes, None)
        assert answer == answer_from(routes)
        assert (answer.name, answer.government, answer.level) == ("Dinas PU", SLEMAN, "kabkota")
        assert (answer.source, answer.rule, answer.ground) == (
            "rules", "jalan-kabkota", "UU 38/2004",
        )  # fmt: skip
        assert [a.name for a in answer.alternatives] == ["PLN"]


@pytest.mark.parametrize(("weight", "routes"), [(0.5, []), (1.0, [route("Dinas PU", 1.0)])])
def test_the_head_speaks_alone(weight: float, routes: list[Route]) -> None:
    answer = AgencyReader(head(), weight).answer(routes, floats(0.2, 0.7, 0.1))
    assert (answer.name, answer.source) == ("PERUMDA AIR", "learned")
    assert (answer.government, answer.level, answer.rule) == (None, None, None)
    assert [a.name for a in answer.alternatives] == ["Dinas Jalan", "Dinas Kesehatan"]
    assert answer.probability == pytest.approx(0.7)


def test_a_head_alone_takes_the_government_from_a_route_of_the_name() -> None:
    routes = [route("Dinas Jalan", 0.9), route("Perumda Air", 0.1), route("Perumda Air", 0.0, None)]
    answer = AgencyReader(head(), 1.0).answer(routes, floats(0.2, 0.7, 0.1))
    assert (answer.name, answer.source, answer.rule) == ("PERUMDA AIR", "learned", None)
    assert (answer.government, answer.level) == (SLEMAN, "kabkota")
    assert [(a.name, a.government) for a in answer.alternatives] == [
        ("Dinas Jalan", SLEMAN),
        ("Dinas Kesehatan", None),
    ]
    assert answer.probability == pytest.approx(0.7)


def test_both_agree_whatever_the_case_of_a_name() -> None:
    routes = [route("Perumda Air", 0.6), route("Dinas PU", 0.4)]
    answer = AgencyReader(head(), 0.5).answer(routes, floats(0.2, 0.7, 0.1))
    assert (answer.name, answer.source) == ("PERUMDA AIR", "both")
    assert (answer.government, answer.rule) == (SLEMAN, "jalan-kabkota")
    assert answer.probability == pytest.approx(0.65)
    others = [(a.name, a.government, round(a.probability, 3)) for a in answer.alternatives]
    assert others == [
        ("Dinas PU", SLEMAN, 0.2),
        ("Dinas Jalan", None, 0.1),
        ("Dinas Kesehatan", None, 0.05),
    ]


def test_the_side_with_more_to_say_wins() -> None:
    routes = [route("Dinas PU", 1.0)]
    rules = AgencyReader(head(), 0.3).answer(routes, floats(0.9, 0.05, 0.05))
    assert (rules.name, rules.source, rules.rule) == ("Dinas PU", "rules", "jalan-kabkota")
    learned = AgencyReader(head(), 0.7).answer(routes, floats(0.9, 0.05, 0.05))
    assert (learned.name, learned.source, learned.rule) == ("Dinas Jalan", "learned", None)
    assert learned.government is None
    assert learned.alternatives[0].rule == "jalan-kabkota"


def test_a_route_that_was_only_learned_is_not_said_to_be_a_rule() -> None:
    guess = Route("Dinas PU", SLEMAN, "kabkota", None, 1.0, learned=True)
    answer = AgencyReader(head(), 0.3).answer([guess], floats(0.9, 0.05, 0.05))
    assert (answer.name, answer.source, answer.rule) == ("Dinas PU", "learned", None)
    assert answer_from([guess]).source == "learned"


PARTS = st.lists(st.integers(0, 20), min_size=3, max_size=3).filter(any)


@settings(max_examples=100)
@given(PARTS, PARTS, st.sampled_from([0.0, 0.25, 0.5, 0.99]))
def test_a_mix_is_a_distribution(rules: list[int], learned: list[int], weight: float) -> None:
    names = ("Dinas Jalan", "PLN", "perumda air")
    routes = [route(n, p / sum(rules)) for n, p in zip(names, rules, strict=True)]
    routes.sort(key=lambda r: -r.probability)
    spoken = floats(*(p / sum(learned) for p in learned))
    answer = AgencyReader(head(), weight).answer(routes, spoken)
    everybody = [answer.probability, *(a.probability for a in answer.alternatives)]
    assert everybody == sorted(everybody, reverse=True)
    assert sum(everybody) == pytest.approx(1.0, abs=1e-5)  # four bodies, none cut off
    assert answer.source in ("rules", "learned", "both")


ROUTER = Router(load_routing(), load_agencies(), load_units(), load_regions())


def test_the_route_head_names_bodies_at_the_place() -> None:
    labels = ("kabkota:dishub", "bumn:pln", "provinsi:dishub", "kabkota:pupr")
    found = ROUTER.learned(labels, floats(0.4, 0.3, 0.2, 0.1), Place("34.04"))
    told = [(r.name, r.government, round(r.probability, 3)) for r in found]
    assert told[:3] == [
        ("Dinas Perhubungan", SLEMAN, 0.4),
        ("PT PLN (Persero)", "PT PLN (Persero)", 0.3),
        ("Dinas Perhubungan", "Pemerintah Provinsi DI Yogyakarta", 0.2),
    ]
    assert all(r.rule is None and r.learned for r in found)
    jakarta = ROUTER.learned(labels[::2], floats(0.4, 0.2), Place("31.74"))
    assert [(r.government, round(r.probability, 3)) for r in jakarta] == [
        ("Pemerintah Provinsi DKI Jakarta", 0.6)
    ]
    many = tuple(f"kabkota:{family}" for family in load_units().families)
    flat = np.full(len(many), 1 / len(many), np.float32)
    assert len(ROUTER.learned(many, flat, Place("34.04"))) <= MAX_LEARNED


def test_rules_and_route_head_are_mixed_by_body() -> None:
    rules = [route("Dinas PU", 0.8), route("PLN", 0.2)]
    learned = [
        Route("PLN", SLEMAN, "kabkota", None, 0.9, learned=True),
        Route("Dishub", SLEMAN, "kabkota", None, 0.1, learned=True),
    ]
    found = mixed(rules, learned, 0.5)
    told = [(r.name, round(r.probability, 3), answer_from([r]).source) for r in found]
    assert told == [("PLN", 0.55, "both"), ("Dinas PU", 0.4, "rules"), ("Dishub", 0.05, "learned")]
    assert found[0].rule is RULE
    assert [r.probability for r in mixed(rules, learned, 0.0)][:2] == [0.8, 0.2]
    assert mixed([], learned, 1.0)[0].name == "PLN"
