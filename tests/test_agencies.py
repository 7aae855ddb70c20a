"""Bodies, their names past and present, and the units of regional governments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilah.datasets.agencies import (
    AGENCY_FILE,
    ALIAS_FILE,
    FAMILY_FILE,
    LEVELS,
    SUCCESSOR_FILE,
    UNIT_FILE,
    Agency,
    TopicSet,
    load_agencies,
    load_units,
)
from pilah.datasets.errors import TableError
from pilah.datasets.regions import load_regions
from pilah.datasets.tables import read_table
from pilah.datasets.taxonomy import load_taxonomy

if TYPE_CHECKING:
    from collections.abc import Callable

BODIES = tuple(load_agencies().by_id.values())
ALIASES = tuple((row["alias"], row["id"]) for _, row in read_table(ALIAS_FILE, ("alias", "id")))
FORMER = tuple(rows[0].former for rows in load_agencies().successors.values())
PILOTS = ("13", "34", "51", "36.03", "34.04", "51.03")
"""Sumatera Barat, DI Yogyakarta, Bali; Kabupaten Tangerang, Sleman, Badung."""


def disguised(name: str) -> st.SearchStrategy[str]:
    """The same name with other case, spacing and punctuation."""
    marks = st.sampled_from(["", " ", "-", ".", "  "])
    return st.tuples(st.sampled_from([str.lower, str.upper, str.title]), marks).map(
        lambda how: how[0](name).replace(" ", how[1]) + how[1]
    )


@given(st.sampled_from(BODIES).flatmap(lambda b: st.tuples(st.just(b), disguised(b.name))))
def test_a_body_is_known_by_its_full_name(case: tuple[Agency, str]) -> None:
    assert load_agencies().resolve(case[1]) is case[0]


@given(st.sampled_from(ALIASES).flatmap(lambda a: st.tuples(st.just(a[1]), disguised(a[0]))))
def test_a_body_is_known_by_its_aliases(case: tuple[str, str]) -> None:
    found = load_agencies().resolve(case[1])
    assert found is not None
    assert found.id == case[0]


def test_every_short_name_and_id_means_one_body() -> None:
    for body in BODIES:
        assert load_agencies().resolve(body.short) is body
        assert load_agencies().resolve(body.id) is body
        assert body.level in LEVELS
        assert body.name
        assert body.about


def test_parents_lead_to_a_body_without_parent() -> None:
    by_id = load_agencies().by_id
    for body in BODIES:
        seen = [body.id]
        while parent := by_id[seen[-1]].parent:
            assert parent not in seen
            seen.append(parent)


def test_a_former_name_leads_to_todays_body() -> None:
    for name in FORMER:
        found = load_agencies().resolve(name)
        assert found is not None
        assert found is load_agencies().successor(name)


@pytest.mark.parametrize(
    ("former", "topic", "today"),
    [
        ("Kemenkumham", "12.033", "kemenimipas"),  # passports
        ("Kemenkumham", "12.071", "kemenimipas"),  # prisons
        ("kementerian hukum dan HAM", "12.022", "kemenham"),
        ("Kemenkumham", "12.043", "kemenkum"),  # trade marks
        ("Kemenkumham", None, "kemenkum"),
        ("Kemendikbudristek", "10.013", "kemendikdasmen"),
        ("Kemendikbudristek", "10.020", "kemdiktisaintek"),
        ("Kemendikbud", "10.003", "kemenbud"),
        ("KLHK", "07.025", "klh"),
        ("KLHK", "07.006", "kemenhut"),
        ("Kementerian PUPR", "08.007", "kemenpu"),
        ("KemenPUPR", "08.023", "kemenpkp"),
        ("Kemendes PDTT", "09.002", "kementrans"),
        ("Kemendes PDTT", "09.007", "kemendesa"),
        ("KemenkopUKM", "03.006", "kemenkop"),
        ("Kominfo", "36.010", "komdigi"),
        ("BP2MI", "23.069", "kemenp2mi"),
        ("KASN", "25.001", "bkn"),
        ("PT Askes", "04.012", "bpjskes"),
        ("Jamsostek", "23.015", "bpjstk"),
        ("Angkasa Pura II", "31.017", "angkasapura"),
        ("Badan Penyelenggara Haji", "01.001", "kemenhaj"),
    ],
)
def test_the_tasks_of_a_former_body_go_where_they_went(
    former: str, topic: str | None, today: str
) -> None:
    found = load_agencies().successor(former, topic)
    assert found is not None
    assert found.id == today


def test_a_name_never_in_use_means_nobody() -> None:
    assert load_agencies().resolve("Kementerian Sihir") is None
    assert load_agencies().successor("Kementerian Sihir", "08") is None
    assert load_agencies().resolve("") is None


def test_topics_of_successors_are_topics() -> None:
    known = load_taxonomy().by_id
    for rows in load_agencies().successors.values():
        for row in rows:
            assert not row.topics or any(TopicSet(row.topics).covers(t) for t in known)
            assert row.from_date


@pytest.mark.parametrize(
    ("cell", "inside", "outside"),
    [
        ("08", ["08"], ["08.001", "07", ""]),
        ("08.006", ["08.006"], ["08", "08.007"]),
        ("08.006-08.009", ["08.006", "08.007", "08.009"], ["08", "08.005", "08.010"]),
        ("13|25", ["13", "25"], ["13.001", "14"]),
        ("01.002|03.001-03.002", ["01.002", "03.002"], ["01.003", "03.003"]),
    ],
)
def test_topic_sets(cell: str, inside: list[str], outside: list[str]) -> None:
    assert all(TopicSet(cell).covers(t) for t in inside)
    assert not any(TopicSet(cell).covers(t) for t in outside)


def test_a_unit_has_its_real_name_or_the_usual_one() -> None:
    name = load_units().name
    assert name("pupr", "34.04") == "Dinas Pekerjaan Umum, Perumahan dan Kawasan Permukiman"
    assert name("pupr", "34.04.07.2003") == name("pupr", "34.04")
    assert name("pupr", "32.04") == "Dinas Pekerjaan Umum dan Penataan Ruang"
    assert name("dishut", "32") == "Dinas Kehutanan"
    assert name("kecamatan", "34.01") == "Kapanewon"  # the province names what is not its own
    assert name("pupr", "31.74") == name("pupr", "31") == "Dinas Bina Marga"
    with pytest.raises(KeyError):
        name("dinas sihir", "34.04")


def test_every_family_has_a_name_at_every_government() -> None:
    units = load_units()
    seats = [code for code in load_regions().by_code if len(code) <= 5]
    assert len(seats) == 38 + 514
    for family in units.families:
        assert all(units.name(family, code).strip() for code in seats)


@pytest.mark.parametrize("code", PILOTS)
def test_the_pilots_have_real_unit_names(code: str) -> None:
    """Every family that works at the level of a pilot is named for it, not guessed."""
    named = {
        row["family"]
        for _, row in read_table(UNIT_FILE, ("region", "family", "name"))
        if row["region"] == code
    }
    families = load_units().families.values()
    level = "provinsi" if len(code) == 2 else "kabkota"
    assert {f.id for f in families if getattr(f, level)} <= named


def test_the_regions_of_the_unit_table_exist() -> None:
    regions = load_regions().by_code
    for line, row in read_table(UNIT_FILE, ("region", "family", "name")):
        assert row["region"] in regions, f"{UNIT_FILE}:{line}"


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (AGENCY_FILE, "", "pln,Lain,Lain,bumn,,1945,x", "repeated id or unknown level"),
        (AGENCY_FILE, "", "baru,Baru,BR,kabkota,,1945,x", "repeated id or unknown level"),
        (AGENCY_FILE, "", "baru,Baru,BR,bumn,tiada,1945,x", "unknown parent; use an id"),
        (AGENCY_FILE, "", "baru,PT PLN PERSERO,BR,bumn,,1945,x", "'PT PLN PERSERO' is empty or"),
        (AGENCY_FILE, "", "baru,,BR,bumn,,1945,x", "'' is empty or taken; make it unique"),
        (ALIAS_FILE, "", "listrik negara,tiada", "unknown id; add it to agencies.csv"),
        (ALIAS_FILE, "", "PLN,pln", "'PLN' is taken; remove the row"),
        (ALIAS_FILE, "", "...,pln", "'...' is taken; remove the row"),
        (SUCCESSOR_FILE, "", "Lama,tiada,2024,,x", "unknown id; add it to agencies.csv"),
        (SUCCESSOR_FILE, "", "PLN,pln,2024,,x", "a name still in use; remove one"),
        (SUCCESSOR_FILE, "", "Lama,pln,2024,8,x", "bad topics '8'; write 08"),
        (SUCCESSOR_FILE, "", "Lama,pln,2024,08.001-09.001,x", "bad topics"),
        (SUCCESSOR_FILE, "", "Lama,pln,2024,08.003-08.001,x", "bad topics"),
        (SUCCESSOR_FILE, "", "Lama,pln,2024,08,x", "needs exactly one default successor; leave"),
        (SUCCESSOR_FILE, "", "Kemenkumham,pln,2024,,x", "needs exactly one default successor"),
    ],
)
def test_a_broken_agency_table_names_line_and_cure(
    edit_table: Callable[[str, str, str], None], file: str, old: str, new: str, message: str
) -> None:
    edit_table(file, old, new)
    with pytest.raises(TableError) as caught:
        load_agencies.__wrapped__()
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{file}:")


@pytest.mark.parametrize(
    ("file", "new", "message"),
    [
        (FAMILY_FILE, "pupr,Dinas,Dinas,yes,x", "repeated or nameless family; keep one"),
        (FAMILY_FILE, "baru,,,yes,x", "repeated or nameless family; keep one"),
        (FAMILY_FILE, "baru,Dinas,Dinas,ya,x", "spot is neither yes nor no; write yes or no"),
        (UNIT_FILE, "34.04,tiada,Dinas", "unknown family; add it to unit_families.csv"),
        (UNIT_FILE, "34.04,pupr,Dinas", "repeated row, bad region or no name; correct it"),
        (UNIT_FILE, "3404,pupr,Dinas", "repeated row, bad region or no name; correct it"),
        (UNIT_FILE, "32.04,pupr,", "repeated row, bad region or no name; correct it"),
    ],
)
def test_a_broken_unit_table_names_line_and_cure(
    edit_table: Callable[[str, str, str], None], file: str, new: str, message: str
) -> None:
    edit_table(file, "", new)
    with pytest.raises(TableError) as caught:
        load_units.__wrapped__()
    assert message in str(caught.value)
    assert caught.value.line > 1
