"""Packed fingerprints lose nothing; blocks are as a plain dictionary would keep them."""

from __future__ import annotations

import tracemalloc
from collections import defaultdict
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from pilah.models.packing import pack, unpack
from pilah.models.reading import Fingerprint
from pilah.models.remembered import Chains, Remembered

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
hashed = st.frozensets(st.integers(0, 2**32 - 1), max_size=30)
fingerprints = st.builds(
    Fingerprint,
    report_id=texts,
    text_hash=texts,
    words=hashed,
    names=hashed,
    spots=hashed,
    place=st.none() | texts,
    streets=st.frozensets(texts),
    numbers=st.dictionaries(texts, st.lists(texts).map(tuple)),
    landmarks=st.frozensets(texts),
    cases=st.frozensets(texts),
    topic=st.none() | texts,
    reporter=st.none() | texts,
    received_at=st.datetimes(timezones=st.just(timezone(timedelta(hours=7)))),
    lat=st.none() | st.floats(-90, 90),
    regions=st.frozensets(texts),
    kin=st.frozensets(texts),
    senders=hashed,
    topics=st.lists(st.tuples(st.integers(0, 2**32 - 1), st.floats(0, 1))).map(tuple),
)


@given(fingerprint=fingerprints)
def test_packing_loses_nothing(fingerprint: Fingerprint) -> None:
    assert unpack(fingerprint.report_id, pack(fingerprint)) == fingerprint


def fingerprint(name: str, words: int = 20) -> Fingerprint:
    return Fingerprint(
        report_id=name,
        text_hash="0" * 64,
        words=frozenset(range(words)),
        place="34.04.07",
        streets=frozenset({"kaliurang"}),
        numbers={"km": ("5",)},
        landmarks=frozenset(),
        cases=frozenset(),
        topic="PEKERJAAN UMUM",
        reporter="1" * 64,
        visibility="public",
        received_at=NOON,
    )


names = st.sampled_from([f"r{n}" for n in range(12)])
blocks = st.sets(st.sampled_from("abcd"))
acts = st.lists(st.tuples(names, st.none() | blocks), max_size=60)


@given(acts=acts)
def test_blocks_are_as_a_dictionary_keeps_them(acts: list[tuple[str, set[str] | None]]) -> None:
    known, plain = Remembered(), dict[str, set[str]]()
    for name, wanted in acts:
        had = plain.pop(name, None)
        if wanted is None:
            assert known.drop(name) == (had is not None)
        else:
            known.put(fingerprint(name), f"inc-{name}", sorted(wanted))
            plain[name] = wanted
    assert len(known) == len(plain)
    for block in "abcde":
        latest_first = [name for name in reversed(plain) if block in plain[name]]
        assert [known.name(row) for row in known.block(block)] == latest_first
    for name in (f"r{n}" for n in range(12)):
        assert (name in known) == (name in plain) == (known.get(name) is not None)
        assert known.incident(name) == (f"inc-{name}" if name in plain else None)


@settings(max_examples=20)
@given(numbers=st.lists(st.integers(0, 40), min_size=1_100, max_size=5_000))
def test_chains_survive_growing(numbers: list[int]) -> None:
    chains, plain = Chains(), defaultdict[str, list[int]](list)
    for n, name in enumerate(numbers):
        chains.add(str(name), n)
        plain[str(name)].insert(0, n)
    assert {name: list(chains.newest(name)) for name in plain} == plain


def test_a_report_takes_less_than_two_kilobytes() -> None:
    known, count = Remembered(), 5_000
    tracemalloc.start()
    for n in range(count):
        known.put(fingerprint(f"LAPOR-{n:08}"), f"inc-{n:020}", [f"{n}-{i}" for i in range(6)])
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used / count < 2_000


def test_moving_changes_the_incident_alone() -> None:
    known = Remembered()
    known.put(fingerprint("a"), "inc-1", ["x"])
    known.move("a", "inc-2")
    known.move("nobody", "inc-2")
    assert (known.incident("a"), known.get("a")) == ("inc-2", fingerprint("a"))
    assert "nobody" not in known
