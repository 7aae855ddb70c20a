"""SP4N's topics: the shape of the table, finding by name, and what a broken table says."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilah.datasets.errors import TableError
from pilah.datasets.taxonomy import FILE, Taxonomy, Topic, load_taxonomy

if TYPE_CHECKING:
    from collections.abc import Callable

TOPICS = load_taxonomy().topics


def test_38_main_topics_come_before_their_sub_topics() -> None:
    mains = load_taxonomy().mains()
    assert [t.id for t in mains] == [f"{n:02}" for n in range(1, 39)]
    assert len(TOPICS) - len(mains) > 900
    by_id = load_taxonomy().by_id
    for topic in TOPICS:
        main = by_id[topic.main_id]
        assert (main.main, main.sub) == (topic.main, "")
        assert topic.id.startswith(main.id)
        if main.status != "living":
            assert topic.status == main.status
    assert [t.id for t in TOPICS] == sorted(by_id)


def test_names_and_ids_are_unique_and_printed_as_on_the_platform() -> None:
    assert len({t.id for t in TOPICS}) == len(TOPICS)
    names = Counter((t.main.upper(), t.sub.upper()) for t in TOPICS)
    assert max(names.values()) == 1
    assert all(t.main == t.main.upper().strip() for t in TOPICS)


def test_the_residue_is_one_topic_and_covid_is_retired() -> None:
    states = Counter(t.status for t in load_taxonomy().mains())
    assert [t.main for t in TOPICS if t.status == "residue"] == ["TOPIK LAINNYA"]
    retired = {t.main for t in load_taxonomy().mains() if t.status == "retired"}
    assert "CORONA VIRUS" in retired
    assert states["living"] == 38 - 1 - len(retired)


SPACES = st.sampled_from([" ", "  ", "\t"])


@given(st.sampled_from(TOPICS), SPACES, st.sampled_from([str.lower, str.title, str.upper]))
def test_a_topic_is_found_whatever_case_and_spacing(
    topic: Topic, space: str, case: Callable[[str], str]
) -> None:
    main, sub = (space.join(case(n).split(" ")) + space for n in (topic.main, topic.sub))
    assert load_taxonomy().find(main, sub) is topic
    if not topic.sub:
        assert load_taxonomy().find(main) is topic


def test_what_is_not_a_pair_is_not_found() -> None:
    find = load_taxonomy().find
    assert find("KESEHATAN", "JALAN BERLUBANG") is None
    assert find("JALAN BERLUBANG") is None
    assert find("") is None


def test_the_version_changes_with_the_labels_alone() -> None:
    again = Taxonomy(TOPICS)
    assert again.version == load_taxonomy().version
    assert again.version.startswith("sp4n-")
    retired = Topic(TOPICS[1].id, TOPICS[1].main, TOPICS[1].sub, "retired")
    renamed = Topic(TOPICS[1].id, TOPICS[1].main, "NAMA LAIN", "living")
    versions = {
        Taxonomy((TOPICS[0], x, *TOPICS[2:])).version for x in (TOPICS[1], retired, renamed)
    }
    assert len(versions) == 3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("id,main,sub,status", "id,utama,sub,status", r":1: unexpected header; use id,main,sub"),
        ("01,AGAMA,,living", "01,AGAMA,,hidup", r":2: unknown status; use living, retired"),
        ("01,AGAMA,,living", "01,AGAMA,living", r":2: 3 cells instead of 4; quote commas"),
        ("01,AGAMA,,living\n", "", r":2: sub-topic before its main topic; add the main row"),
        ("01.002,", "01.001,", r":4: repeated topic; keep one row"),
        ("01.003,", "01.001,", r":5: repeated topic; keep one row"),
        ("LAINNYA TERKAIT AGAMA", "HAJI DAN UMROH", r":4: repeated topic; keep one row"),
        ("", "01,LAIN SAMA SEKALI,,living", r": repeated topic; keep one row"),
    ],
)
def test_a_broken_table_names_line_and_cure(
    edit_table: Callable[[str, str, str], None], old: str, new: str, message: str
) -> None:
    edit_table(FILE, old, new)
    with pytest.raises(TableError, match=rf"^{FILE}.*{message}"):
        load_taxonomy.__wrapped__()


def test_comments_do_not_shift_line_numbers(
    edit_table: Callable[[str, str, str], None],
) -> None:
    edit_table(FILE, "01,AGAMA,,living", "# catatan\n\n01,AGAMA,,hidup")
    with pytest.raises(TableError, match=r":4: unknown status") as caught:
        load_taxonomy.__wrapped__()
    assert (caught.value.file, caught.value.line) == (FILE, 4)
