"""The words that spoke for a topic."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pilah.models.explain import MAX_TERMS, telling_terms
from pilah.models.features import rows_of
from pilah.models.text import read_text

if TYPE_CHECKING:
    from pilah.models.answer import Term
    from pilah.models.bundle import Bundle

ROAD, WATER = "08", "16"


def terms(bundle: Bundle, raw: str, label: str) -> tuple[Term, ...]:
    clean = read_text(raw)
    head = bundle.heads["topic_main"]
    [row] = rows_of(bundle.features.transform([clean.normal]))
    mean = head.weights.mean(axis=0)
    label_number = head.labels.index(label)
    return telling_terms(clean.masked, row, bundle.features, head, mean, label_number)


def test_the_telling_words_come_first_and_as_written(bundle: Bundle) -> None:
    found = terms(bundle, "Mohon JALAN Berlubang itu ditambal, Pak!", ROAD)
    assert {t.term for t in found[:2]} == {"JALAN", "Berlubang"}
    weights = [t.weight for t in found]
    assert weights == sorted(weights, reverse=True)
    assert min(weights) > 0


def test_words_without_content_are_not_shown(bundle: Bundle) -> None:
    text = "sudah lama ini jalan berlubang karena tidak pernah diperbaiki mohon pak"
    shown = {t.term for label in (ROAD, WATER) for t in terms(bundle, text, label)}
    assert shown
    assert not shown & {"sudah", "ini", "karena", "tidak", "mohon", "pak"}


def test_slang_is_shown_as_it_stands(bundle: Bundle) -> None:
    assert "jln" in {t.term for t in terms(bundle, "jln brlubang parah sekali", ROAD)}


def test_each_label_has_its_own_words(bundle: Bundle) -> None:
    text = "air keran mati karena jalan digali"
    water = {t.term for t in terms(bundle, text, WATER)}
    road = {t.term for t in terms(bundle, text, ROAD)}
    assert "air" in water - road
    assert "jalan" in road - water


def test_personal_data_never_shows(bundle: Bundle) -> None:
    found = terms(bundle, "KTP saya 3404010101010001 belum jadi, hp 081234567890", "20")
    assert not any(c.isdigit() for t in found for c in t.term)


@pytest.mark.parametrize("raw", ["...", "zxqv", "[NIK]", "!!!", "3 4 5"])
def test_a_text_without_known_words_has_no_terms(bundle: Bundle, raw: str) -> None:
    assert terms(bundle, raw, ROAD) == ()


def test_each_word_once_and_not_too_many(bundle: Bundle) -> None:
    text = " ".join(["jalan berlubang aspal lampu got selokan trotoar ditambal tikungan ban"] * 3)
    found = [t.term for t in terms(bundle, text, ROAD)]
    assert len(found) == MAX_TERMS == len(set(found))


def test_a_head_without_opinion_has_no_terms(bundle: Bundle) -> None:
    head = bundle.heads["topic_main"]
    dull = replace(head, weights=head.weights * 0)
    [row] = rows_of(bundle.features.transform(["jalan berlubang"]))
    mean = dull.weights.mean(axis=0)
    assert telling_terms("jalan berlubang", row, bundle.features, dull, mean, 0) == ()
