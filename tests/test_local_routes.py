"""The operator's routing rows: strict loading, and how they speak before the shipped table."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilah.datasets.agencies import load_agencies, load_units
from pilah.datasets.bodies import area_kind, seat_of, target_of
from pilah.datasets.errors import TableError
from pilah.datasets.local_routes import LocalRoute, parse_local_route, with_local_routes
from pilah.datasets.records import Report
from pilah.datasets.regions import load_regions
from pilah.datasets.routing_table import load_routing
from pilah.models.answer import Agency, AgencyAlternative
from pilah.models.bundle import Bundle
from pilah.models.refused import Body, without
from pilah.models.routing import Place, Router
from pilah.models.triage import Triager

ROW: dict[str, Any] = {
    "topic": "08",
    "terms": ["gapura"],
    "region": "34.04",
    "level": "kabkota",
    "target": "dispar",
    "ground": "3 laporan ditolak",
}
SLEMAN = "Pemerintah Kabupaten Sleman"


def router(*rows: LocalRoute) -> Router:
    table = with_local_routes(rows)
    return Router(table, load_agencies(), load_units(), load_regions())


def body(router: Router, topic: str, text: str, code: str) -> tuple[str, str | None]:
    route = router.routes([(topic, 1.0)], router.cues(text), Place(code))[0]
    return route.name, route.rule.rule if route.rule else None


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"topic": "99"}, "unknown topic"),
        ({"terms": ["Gapura"]}, "unclean terms"),
        ({"terms": ["gapura", "gapura"]}, "unclean terms"),
        ({"terms": "gapura"}, "not a list"),
        ({"region": "34.99"}, "unknown region"),
        ({"region": "34.04.07"}, "unknown region"),
        ({"target": "bukan_unit"}, "unknown level or target"),
        ({"level": "bumn"}, "unknown level or target"),
        ({"ground": " "}, "no ground"),
        ({"cue": "x"}, "wrong fields"),
        ({"topic": 8}, "not a string"),
    ],
)
def test_a_wrong_row_is_refused_with_its_number(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(TableError, match=f"local routes:4: .*{problem}"):
        parse_local_route(4, {**ROW, **change})


def test_a_row_survives_its_json() -> None:
    route = parse_local_route(4, ROW)
    assert parse_local_route(4, route.to_dict()) == route


def test_a_row_speaks_first_for_its_words_and_its_region_only() -> None:
    before, after = router(), router(parse_local_route(4, ROW))
    usual = body(before, "08.006", "gapura rusak", "34.04.07")
    assert body(after, "08.006", "gapura rusak", "34.04.07") == ("Dinas Pariwisata", "lokal-4")
    assert body(after, "08.006", "jalan rusak", "34.04.07") == usual
    assert body(after, "08.006", "gapura rusak", "34.02") == body(before, "08.006", "x", "34.02")
    assert with_local_routes([]) is load_routing()


def test_of_two_rows_the_newer_wins() -> None:
    older = parse_local_route(4, ROW)
    newer = parse_local_route(9, {**ROW, "terms": [], "target": "disbud"})
    assert body(router(older, newer), "08", "gapura", "34.04")[1] == "lokal-9"


def test_the_pipeline_follows_the_row_and_names_its_version(bundle: Bundle) -> None:
    engine = Triager.from_bundle(bundle, service_version="test")
    report = Report("Lampu penerangan jalan di Jalan Anggrek mati, gelap.", region="34.04")
    usual = engine.analyse([("a", report)])[0].draft
    assert usual.versions.routes == "bawaan"
    assert usual.topic.main == "PEKERJAAN UMUM DAN PENATAAN RUANG"
    engine.use_routes([parse_local_route(2, {**ROW, "terms": ["gelap"]})], "lokal-2")
    routed = engine.analyse([("a", report)])[0].draft
    assert (routed.agency.name, routed.agency.rule) == ("Dinas Pariwisata", "lokal-2")
    assert routed.agency.ground == ROW["ground"]
    assert routed.versions.routes == "lokal-2"


def test_names_lead_back_to_the_tables() -> None:
    assert target_of("dinas perhubungan", SLEMAN) == ("kabkota", "dishub")
    assert target_of("Kelurahan Ketintang", "Pemerintah Kota Surabaya") == ("kabkota", "kelurahan")
    assert target_of("Dinas Perhubungan", "Pemerintah Provinsi Bali") == ("provinsi", "dishub")
    assert target_of("Dinas Perhubungan", None) is None
    assert target_of("Dinas Entah", SLEMAN) is None
    pln = target_of("PT PLN (Persero)", None)
    assert pln is not None
    assert pln[0] == "bumn"
    assert seat_of(SLEMAN.upper()) == "34.04"
    assert (area_kind("34.04.07"), area_kind("34.71"), area_kind(None)) == (
        "kabupaten", "kota", "nasional",
    )  # fmt: skip


def test_every_unit_of_every_pilot_leads_back_to_a_unit_of_that_name() -> None:
    units, regions = load_units(), load_regions()
    for seat in ("13", "34", "51", "36.03", "34.04", "51.03"):
        government = regions.government(seat)
        for family in units.families:
            name = units.name(family, seat)
            found = target_of(name, government)
            assert found is not None
            assert units.name(found[1], seat) == name


NAMES = st.sampled_from(["Dinas A", "Dinas B", "Dinas C", "Dinas D"])
AGENCIES = st.lists(NAMES, min_size=1, max_size=4, unique=True).flatmap(
    lambda names: st.lists(st.floats(0.01, 1.0), min_size=len(names), max_size=len(names)).map(
        lambda ps: list(zip(names, sorted((p / sum(ps) for p in ps), reverse=True), strict=True))
    )
)


@given(AGENCIES, st.lists(NAMES, max_size=3))
def test_a_refused_body_never_comes_back(
    options: list[tuple[str, float]], refused: list[str]
) -> None:
    (name, probability), *others = options
    alternatives = tuple(AgencyAlternative(n, SLEMAN, p) for n, p in others)
    agency = Agency(name, SLEMAN, "kabkota", probability, "r", alternatives=alternatives)
    left = without(agency, [Body(n.lower(), SLEMAN) for n in refused])
    names = [left.name, *(a.name for a in left.alternatives)]
    expected = [n for n, _ in options if n not in refused]
    assert names == (expected or [None])
    total = left.probability + sum(a.probability for a in left.alternatives)
    assert total == pytest.approx(1.0 if expected else 0.0)


def test_a_body_of_another_government_is_another_body() -> None:
    agency = Agency("Dinas PU", SLEMAN, "kabkota", 0.9, "r")
    assert without(agency, [Body("Dinas PU", "Pemerintah Kabupaten Bantul")]) == agency
    assert without(agency, [Body("Dinas PU")]).name is None
