"""Work beside the requests: it goes on after a failure, and ends with the block."""

from __future__ import annotations

import logging
import threading

import pytest

from pilah.service.repeating import repeating

WAIT_SECONDS = 60
"""What anything may take on a busy machine; nothing waits longer than it needs."""


def test_a_failure_is_logged_without_its_words_and_the_next_turn_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    turns: list[int] = []
    third = threading.Event()

    def act() -> None:
        turns.append(len(turns))
        if len(turns) == 3:
            third.set()
        raise ValueError("081234567890")

    with caplog.at_level(logging.ERROR), repeating("juru-uji", act, every=0.001):
        assert third.wait(WAIT_SECONDS)
    ended = len(turns)
    assert all(t.name != "juru-uji" for t in threading.enumerate())
    assert len(turns) == ended
    assert "juru-uji failed" in caplog.text
    assert "0812" not in caplog.text


def test_the_first_turn_waits_unless_it_is_wanted_at_once() -> None:
    done = threading.Event()
    with repeating("nanti", done.set, every=3600):
        pass
    assert not done.is_set()
    with repeating("sekarang", done.set, every=3600, at_once=True):
        assert done.wait(WAIT_SECONDS)
