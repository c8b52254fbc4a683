"""A load over its time: TTFA, calls alive and failures, from the first call on, drawn and as a table."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.record.recorded_run import RecordedRun
from harness.record.result import CallResult, FailureSeen, TurnResult
from harness.record.settings import RunSettings
from harness.report.html import render_html
from harness.report.load_view import MOST_DOTS, MOST_SLICES, LoadView, load_view
from tests.report.sample_run import bare_settings

BEGAN = datetime(2030, 1, 1, 23, 59, 50, tzinfo=UTC)
LOAD = bare_settings(load={"stages": [[10, 5]]})


def call(number: int, start_s: float, lasts_s: float = 10, ttfa_ms: float | None = 800, **more: Any) -> CallResult:
    turns = []
    if ttfa_ms is not None:
        turns = [TurnResult(turn=1, kind="say", text="x", ttfa_ms=ttfa_ms, agent_onset_ms=4850)]
    return CallResult(
        call=f"{number:04}-x",
        scenario="x",
        started=(BEGAN + timedelta(seconds=start_s)).isoformat(),
        duration_ms=lasts_s * 1000,
        session_create_ms=100,
        room_connect_ms=50,
        **{"ok": True, "turns": turns, **more},
    )


def failed(number: int, start_s: float, kind: str = "session.rate_limited") -> CallResult:
    seen = [FailureSeen(kind=kind, what="no", ended=True)]
    return call(number, start_s, 1, None, ok=False, failure=kind, failures=seen)


def view_of(calls: list[CallResult], settings: RunSettings | None = None) -> LoadView:
    view = load_view(LOAD if settings is None else settings, calls)
    assert view is not None
    return view


def test_each_stretch_of_time_has_its_numbers() -> None:
    calls = [call(0, 0), call(1, 2), call(2, 20, ttfa_ms=1600), failed(3, 25), failed(4, 25.5, "agent.left")]
    view = view_of(calls)
    rows = {row[0].replace("\xa0", " "): row[1:] for row in view.rows}
    assert rows["0.0 s to 1.0 s"] == ["1", "0", "–", "–", "0", ""]  # noqa: RUF001 - as numbers are withheld
    assert rows["5.0 s to 6.0 s"] == ["2", "1", "800", "800", "0", ""]
    assert rows["7.0 s to 8.0 s"][1] == "1"
    assert rows["15.0 s to 16.0 s"][0] == "0"
    assert rows["25.0 s to 26.0 s"] == ["3", "1", "1,600", "1,600", "0", ""]
    assert rows["26.0 s to 27.0 s"] == ["2", "0", "–", "–", "2", "1 session.rate_limited, 1 agent.left"]  # noqa: RUF001
    assert view.words.replace("\xa0", " ") == (
        "5 calls in 30.0 s, at most 3 at once; TTFA p50 800 ms of 3 turns "
        "(800 ms in the first half of the time, 1,600 ms in the second); 2 calls failed"
    )


def test_a_dot_a_turn_lies_at_the_time_of_its_answer() -> None:
    view = view_of([call(0, 0), call(1, 90)])
    across = [dot.x for dot in view.dots]
    assert across == [round(view.left + seconds * (view.right - view.left) / 100, 1) for seconds in (5, 95)]
    assert view.dots[1].title.replace("\xa0", " ") == "0001-x turn 1, at 1 min 35 s: TTFA 800 ms"


def test_many_turns_are_told_by_median_and_p95_of_slices() -> None:
    calls = [call(number, number / 2, ttfa_ms=500 + number % 100) for number in range(MOST_DOTS + 1)]
    view = view_of(calls)
    assert view.dots == []
    assert [series.name for series in view.series] == ["p50", "p95"]
    assert len(view.rows) <= MOST_SLICES
    assert sum(int(row[2]) for row in view.rows) == len(calls)
    for low, high in zip(view.series[0].dots, view.series[1].dots, strict=True):
        assert high.y <= low.y, "the p95 lies above the median"


def test_what_is_in_no_percentile_is_in_no_dot_but_alive() -> None:
    doubtful = [TurnResult(turn=1, kind="say", text="x", ttfa_ms=5, agent_onset_ms=1, doubtful=["whose?"])]
    late = [TurnResult(turn=1, kind="say", text="x", ttfa_ms=5, agent_onset_ms=1, fit=False)]
    calls = [
        call(0, 0, warm_up=True),
        call(1, 0, canary=True),
        call(2, 0, turns=doubtful),
        call(3, 0, turns=late),
        call(4, 0),
        call(5, 0, retry_of="0004-x"),
    ]
    view = view_of(calls)
    assert [dot.title[:6] for dot in view.dots] == ["0005-x"]
    assert view.rows[0][1] == "6"


def test_the_number_of_calls_alive_ends_at_none_however_many_there_were() -> None:
    calls = [call(number, number * 0.01, 0.02) for number in range(5000)]
    view = view_of(calls)
    assert view.alive.endswith(f"V{view.panels[1].floor}")
    assert len(view.alive) < 40_000


def test_a_load_of_any_size_and_a_run_of_more_than_ten_calls_have_it() -> None:
    ten = [call(number, number) for number in range(10)]
    assert load_view(LOAD, ten[:1]) is not None
    assert load_view(bare_settings(), ten) is None
    assert load_view(bare_settings(), [*ten, call(10, 10)]) is not None
    assert load_view(LOAD, []) is None
    assert load_view(LOAD, [CallResult(call="a", scenario="x", started="", ok=None, cut=True)]) is None


def test_a_load_in_which_every_call_failed_is_drawn() -> None:
    view = view_of([failed(number, number) for number in range(12)])
    assert view.dots == []
    assert sum(int(row[5]) for row in view.rows) == 12
    assert all(bar.height > 0 for bar in view.bars)


def test_the_page_has_drawing_and_table(tmp_path: Path) -> None:
    calls = [call(0, 0), call(1, 5), failed(2, 12)]
    settings = bare_settings(load={"warm_up_s": 3.0})
    page = render_html(RecordedRun(folder=tmp_path, settings=settings, calls=calls, summary=None))
    drawing = re.search(r'<svg class="curve over-time".*?</svg>', page, re.DOTALL)
    assert drawing is not None
    assert 'role="img" aria-label="TTFA, calls alive and failed calls' in drawing[0]
    assert drawing[0].count("<circle") == 2
    assert drawing[0].count('class="failed"') == 1
    assert "warm-up: its calls are excluded from all numbers" in drawing[0]
    assert "style=" not in drawing[0], "the page's policy lets no style stand there"
    assert "The same as a table" in page
    few = RecordedRun(folder=tmp_path, settings=bare_settings(), calls=calls, summary=None)
    assert "Over time" not in render_html(few)
