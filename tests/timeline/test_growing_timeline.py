"""A timeline that is read while it is written: nothing twice, nothing half."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.timeline.events import CallEnded, CallStarted, HungUp
from harness.timeline.timeline import GrowingTimeline, Timeline


def add(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def test_events_come_once_and_a_line_that_is_cut_comes_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "0001-x.jsonl"
    with path.open("w", encoding="utf-8") as file:
        Timeline(file).add(CallStarted(t_ns=1, call="0001-x"))
    growing = GrowingTimeline(path)
    assert growing.read_on() == [CallStarted(t_ns=1, call="0001-x")]
    assert growing.read_on() == []
    add(path, '{"t": 2, "event": "hung')
    assert growing.read_on() == []
    add(path, '_up"}\n{"t": 3, "event": "call.en')
    assert growing.read_on() == [HungUp(t_ns=2)]
    add(path, 'ded"}\n')
    assert growing.read_on() == [CallEnded(t_ns=3)]


def test_a_large_file_comes_in_pieces_and_a_line_longer_than_a_piece_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "0001-x.jsonl"
    started = CallStarted(t_ns=1, scenario="x" * 300)
    with path.open("w", encoding="utf-8") as file:
        timeline = Timeline(file)
        for event in (started, HungUp(t_ns=2), CallEnded(t_ns=3)):
            timeline.add(event)
    growing = GrowingTimeline(path)
    assert [growing.read_on(most_bytes=50) for _ in range(4)] == [[started], [HungUp(t_ns=2)], [CallEnded(t_ns=3)], []]


def test_a_version_that_is_not_known_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "0001-x.jsonl"
    growing = GrowingTimeline(path)
    add(path, '{"t": 1, "event": "call.started", "version": 99')
    assert growing.read_on() == []
    add(path, "}\n")
    with pytest.raises(ConfigError, match="version 99"):
        growing.read_on()
