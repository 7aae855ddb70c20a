"""From topic and place to the body: the table as a whole, and the names of the bodies."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from pilah.datasets.agencies import TopicSet, load_agencies, load_units
from pilah.datasets.errors import TableError
from pilah.datasets.regions import load_regions
from pilah.datasets.routing_table import (
    CUE_FILE,
    LOCAL_LEVELS,
    NATIONAL_LEVELS,
    RULE_FILE,
    Rule,
    load_routing,
)
from pilah.datasets.taxonomy import load_taxonomy
from pilah.models.routing import Place, Router, answer_from
from pilah.models.text import normalise, read_text

if TYPE_CHECKING:
    from collections.abc import Callable

TABLE = load_routing()
ROUTER = Router(TABLE, load_agencies(), load_units(), load_regions())
REGENCIES = tuple(code for code in load_regions().by_code if len(code) == 5)
PREFIXES = frozenset(rule.region for rule in TABLE.rules if rule.region)
PLAIN, SLEMAN = "32.04", "34.04"
"""PLAIN is a kabupaten that no row of the table names: Bandung."""


def inside(code: str) -> frozenset[str]:
    """The regions of the table that a code lies in; it alone decides which rows can match."""
    return frozenset(p for p in PREFIXES if f"{code}.".startswith(f"{p}."))


def body(rule: Rule, code: str | None) -> tuple[str, str | None, str]:
    return ROUTER.body(rule.level, rule.target, code)


def test_every_topic_at_every_place_with_every_cue_gives_a_body() -> None:
    kinds = defaultdict(list)
    for code in REGENCIES:
        kinds[inside(code)].append(code)
    assert sum(map(len, kinds.values())) == len(REGENCIES) == 514
    wanted = defaultdict(set)
    for topic in load_taxonomy().topics:
        for cue in {"", *(rule.cue for rule in TABLE.candidates(topic.id))}:
            for kind, codes in kinds.items():
                rule = ROUTER.rule(topic.id, frozenset({cue}) - {""}, codes[0])
                wanted[rule.level, rule.target].add(kind)
                assert rule.ground
    levels = {*NATIONAL_LEVELS, *LOCAL_LEVELS}
    for what, found in wanted.items():
        for code in (c for kind in found for c in kinds[kind]):
            name, government, level = ROUTER.body(*what, code)
            assert name
            assert government
            assert level in levels
            assert (level in NATIONAL_LEVELS) == (what[0] in NATIONAL_LEVELS)


def test_without_a_region_the_unit_is_named_and_the_government_left_open() -> None:
    for rule in TABLE.rules:
        name, government, level = body(rule, None)
        assert name
        assert (government is not None) == (level in NATIONAL_LEVELS)
    for topic in load_taxonomy().topics:
        assert ROUTER.rule(topic.id, frozenset(), None).region == ""


def test_a_province_alone_is_not_a_kabupaten() -> None:
    where = Place("34")
    roads = ROUTER.routes([("08.007", 1.0)], frozenset(), where)[0]
    assert (roads.government, roads.level) == (None, "kabkota")
    school = ROUTER.routes([("10.008", 1.0)], frozenset({"sma"}), where)[0]
    assert (school.government, school.level) == ("Pemerintah Provinsi DI Yogyakarta", "provinsi")


def test_no_rule_is_dead() -> None:
    topics = list(load_taxonomy().by_id)
    dead = []
    for rule in TABLE.rules:
        cues = frozenset({rule.cue}) - {""}
        region = rule.region or PLAIN
        spoken = (t for t in topics if TopicSet(rule.topic).covers(t))
        if not any(ROUTER.rule(topic, cues, region) is rule for topic in spoken):
            dead.append((rule.rule, rule.topic, rule.cue, rule.region))
    assert not dead


def test_one_rule_name_means_one_body() -> None:
    meant = defaultdict(set)
    for rule in TABLE.rules:
        meant[rule.rule].add((rule.level, rule.target))
    assert all(len(bodies) == 1 for bodies in meant.values())


def test_every_word_of_a_cue_brings_the_cue() -> None:
    deaf = [
        (cue.id, term)
        for cue in TABLE.cues.values()
        for term in cue.terms
        if cue.id not in ROUTER.cues(read_text(f"Mohon dicek, {term} di desa kami.").normal)
        and not any(f" {veto} " in f" {term} " for veto in cue.not_terms)
    ]
    assert not deaf


def test_no_word_of_a_cue_is_slang_for_a_common_word() -> None:
    """Far more often than the list of voters, "dpt" means "dapat"."""
    common = [
        (cue.id, term, normalise(term))
        for cue in TABLE.cues.values()
        for term in cue.terms
        if normalise(term) in {"aplikasi", "dapat", "tapi", "bukan", "seperti", "sini", "p", "yang"}
    ]
    assert not common


def test_a_veto_silences_a_cue() -> None:
    def hears(text: str) -> frozenset[str]:
        return ROUTER.cues(normalise(text))

    assert "pju" in hears("lampu jalan mati")
    assert "pju" not in hears("lampu jalan dekat lampu merah mati")
    assert "sertifikat" not in hears("sertifikat halal belum terbit")
    assert "bpjskes" not in hears("bpjs ketenagakerjaan saya")
    assert hears("sesuatu yang lain") == frozenset()
    assert "bri" not in hears("brimob berjaga")


def test_jakarta_answers_for_its_kota_and_kelurahan() -> None:
    for rule in TABLE.rules:
        if rule.level in LOCAL_LEVELS and inside("31.74.01.1001") >= {rule.region} - {""}:
            name, government, level = body(rule, "31.74.01.1001")
            assert government == "Pemerintah Provinsi DKI Jakarta"
            assert level == "provinsi"
            assert name


@pytest.mark.parametrize(
    ("code", "name", "level"),
    [
        ("34.04.07.2003", "Pemerintah Kalurahan Condongcatur", "desa"),
        ("13.05.01.2001", "Pemerintah Nagari Lubuk Alung", "desa"),
        ("11.01.01.2002", "Pemerintah Gampong Ujong Mangki", "desa"),
        ("51.03.06.2004", "Pemerintah Desa Tibubeneng", "desa"),
        ("13.71.01.1001", "Kelurahan Belakang Pondok", "kabkota"),
        ("35.78.08.1001", "Kelurahan Gubeng", "kabkota"),
        ("34.01.02.1008", "Kelurahan Wates", "kabkota"),
        ("31.74.01.1001", "Kelurahan Tebet Timur", "provinsi"),
        ("34.04", "Pemerintah Kalurahan", "desa"),
        ("35.78", "Kelurahan", "kabkota"),
    ],
)
def test_the_lowest_office_has_its_own_name(code: str, name: str, level: str) -> None:
    for family in ("desa", "kelurahan"):
        rule = next(r for r in TABLE.rules if r.target == family and not r.region)
        found = body(rule, code)
        assert found[0].startswith(name)
        assert found[2] == level


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("34.04.07.2003", "Kapanewon Depok"),
        ("34.71.01", "Kemantren Tegalrejo"),
        ("51.03.06", "Kecamatan Kuta Utara"),
        ("51.03", "Kecamatan"),
    ],
)
def test_a_kecamatan_has_its_regional_word(code: str, name: str) -> None:
    rule = next(r for r in TABLE.rules if r.target == "kecamatan")
    assert body(rule, code)[0] == name


def test_bodies_reached_by_several_topics_add_up() -> None:
    topics = [("08.007", 0.5), ("08.008", 0.2), ("16.010", 0.3)]
    routes = ROUTER.routes(topics, frozenset(), Place(SLEMAN, 0.5))
    assert [r.name.split(",")[0] for r in routes] == ["Dinas Pekerjaan Umum", "PT PLN (Persero)"]
    assert [round(r.probability, 3) for r in routes] == [0.35, 0.3]  # the place is half sure
    answer = answer_from(routes)
    assert (answer.source, answer.rule) == ("rules", "jalan-kabkota")
    assert answer.ground
    assert [a.name for a in answer.alternatives] == ["PT PLN (Persero)"]


def test_the_same_unit_of_two_governments_is_two_bodies() -> None:
    school = [("10.009", 0.6)]
    one = ROUTER.routes(school, frozenset({"sma"}), Place(PLAIN))
    two = ROUTER.routes(school, frozenset(), Place(PLAIN))
    assert one[0].name == two[0].name == "Dinas Pendidikan"
    assert one[0].government != two[0].government


def test_a_unit_works_at_spots_or_not() -> None:
    def spot(rule: str) -> bool:
        return ROUTER.needs_place(next(r for r in TABLE.rules if r.rule == rule))

    assert spot("jalan-kabkota")
    assert not spot("adminduk")
    assert not spot("listrik")


ROW = "x-uji,08.007,,,kabkota,pupr,UU 1,"


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (RULE_FILE, "", ROW.replace("08.007", "8"), "bad topics '8'; write 08"),
        (RULE_FILE, "", ROW.replace("08.007", "08.999"), "unknown topic; see taxonomy.csv"),
        (RULE_FILE, "", ROW.replace(",,,", ",tiada,,"), "unknown cue 'tiada'; use an entry"),
        (RULE_FILE, "", ROW.replace(",,,", ",,3404,"), "bad region '3404'"),
        (RULE_FILE, "", ROW.replace("UU 1", ""), "no rule name or no ground"),
        (RULE_FILE, "", ROW.replace("x-uji", ""), "no rule name or no ground"),
        (RULE_FILE, "", ROW.replace("pupr", "tiada"), "no such unit family 'tiada' or level"),
        (RULE_FILE, "", ROW.replace("kabkota,pupr", "kota,pupr"), "no such unit family 'pupr'"),
        (RULE_FILE, "", ROW.replace("kabkota,pupr", "bumn,kemenpu"), "no such agency 'kemenpu'"),
        (RULE_FILE, "", ROW.replace("x-uji", "listrik"), "'listrik' has another target; rename"),
        (RULE_FILE, "", ROW, "never reached for topic 08.007; move it up or remove it"),
        (RULE_FILE, "residu,38,,,", "residu,38,sampah,,", "topic 38 has no default; add a default"),
        (CUE_FILE, "", "baru,kata,,x", "unused cues ['baru']; remove them or use them"),
        (CUE_FILE, "", "pju,kata,,x", "repeated cue or no terms; keep one full row"),
        (CUE_FILE, "", "baru,,kata,x", "repeated cue or no terms; keep one full row"),
        (CUE_FILE, "", "baru,kata|kata,,x", "repeated or unclean terms; lower-case, once each"),
        (CUE_FILE, "", "baru,Kata,,x", "repeated or unclean terms; lower-case, once each"),
        (CUE_FILE, "", "baru,dua  kata,,x", "repeated or unclean terms"),
    ],
)
def test_a_broken_routing_table_names_line_and_cure(
    edit_table: Callable[[str, str, str], None], file: str, old: str, new: str, message: str
) -> None:
    edit_table(file, old, new)
    with pytest.raises(TableError) as caught:
        load_routing.__wrapped__()
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{file}:")
