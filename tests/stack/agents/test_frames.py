"""The frames of a room: kept while its agent is there, reported to who watches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.stack.agents.frames import MOST_FRAMES, Frames
from harness.testing import FakeClock

Reports = list[tuple[str, int, Any]]


def reporting() -> tuple[Frames, Reports]:
    reports: Reports = []

    def report(room: str, number: int, frame: Mapping[str, Any]) -> None:
        reports.append((room, number, frame["payload"]["text"]))

    return Frames(report, FakeClock()), reports


def send(frames: Frames, room: str, text: str) -> None:
    frames.sent(room, "voice.reply", {"type": "agent_text", "text": text})


def test_who_watches_gets_what_was_sent_before_and_then_each_frame() -> None:
    frames, reports = reporting()
    send(frames, "a", "Hello.")
    send(frames, "b", "not watched")
    assert reports == []
    frames.watch("a")
    send(frames, "a", "At nine.")
    send(frames, "b", "not watched")
    assert reports == [("a", 0, "Hello."), ("a", 1, "At nine.")]
    frames.unwatch("a")
    send(frames, "a", "Goodbye.")
    assert len(reports) == 2


def test_a_room_that_is_watched_before_its_agent_says_anything() -> None:
    frames, reports = reporting()
    frames.watch("a")
    send(frames, "a", "Hello.")
    assert reports == [("a", 0, "Hello.")]


def test_nothing_is_kept_of_a_room_that_is_over_and_not_everything_of_one_that_goes_on_for_ever() -> None:
    frames, reports = reporting()
    for number in range(MOST_FRAMES + 5):
        send(frames, "a", str(number))
    frames.watch("a")
    assert [number for _, number, _ in reports] == list(range(MOST_FRAMES))
    frames.over("a")
    reports.clear()
    frames.watch("a")
    assert reports == []
