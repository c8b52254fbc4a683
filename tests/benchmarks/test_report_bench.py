"""What a report of 1,000 calls of 8 turns costs: to write, to send, to open and to search.

Limits: written in 5 s of CPU time, which is that on a core of its own, 5 MB without sound, opened in 1 s, filtered in
100 ms (medians). Figures go to `reports/bench/latest.json` under "report".
"""

from __future__ import annotations

import random
import shutil
import statistics
import time
from pathlib import Path

import pytest
from latest import record
from playwright.sync_api import sync_playwright
from rich.console import Console

from harness.build_pages import REPORT_PAGE
from harness.judge.verdict import judge_run
from harness.record.recorded_run import RecordedRun
from harness.record.result import CallResult, ExpectationResult, FailureSeen, GreetingResult, OwnLateness, TurnResult
from harness.record.settings import RunSettings
from harness.record.summary import Ending
from harness.report.html import render_html
from tests.browser.chromium import find

RECORDED = Path(__file__).parents[1] / "recorded" / "talk-light" / "timelines" / "0002-barge-in.jsonl"
CALLS, TURNS = 1000, 8
TURN_S = 9.0
TEXT = (
    "we are open on weekdays from nine in the morning until six and on saturday from ten to four there is parking "
    "behind the cafe in mill lane dogs are welcome on the terrace the wifi is free and you find its password on your "
    "receipt please tell me your name and how many people will come then i can book a table by the window for you"
)
SETTINGS = RunSettings.model_validate(
    {
        "run": "bench",
        "started": "2026-11-24T10:15:00Z",
        "target": "embedded",
        "thresholds": [],
        "scenarios": {"cafe": {}},
    }
)

# When the first rows of the list are painted, in ms since the page was asked for. It is told once: whoever asks again
# and again takes time from the page.
OPENED = """
new MutationObserver((_, observer) => {
  if (document.querySelector('.rows [role=row]') !== null) {
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => console.log(performance.now())));
  }
}).observe(document, { childList: true, subtree: true });
"""
# How long it takes from a letter in the search box until what was found is painted.
FILTER = """
async (words) => {
  const box = document.querySelector('input[type=search]');
  const started = performance.now();
  box.value = words;
  box.dispatchEvent(new InputEvent('input', { bubbles: true }));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - started;
}
"""


def made(number: int, source: random.Random) -> CallResult:
    """A call with texts and times of its own; one of ten fails."""

    def ms(least: float, most: float) -> float:
        return round(source.uniform(least, most), 1)

    def text(least: int, most: int) -> str:
        return " ".join(source.choices(TEXT.split(), k=source.randint(least, most)))

    turns, caller, agent = [], [], []
    for turn in range(1, TURNS + 1):
        start = 4000 + (turn - 1) * TURN_S * 1000 + ms(0, 300)
        end, ttfa = start + ms(900, 2500), round(source.lognormvariate(6.8, 0.35), 1)
        said = text(4, 12)
        caller.append((start, end))
        agent.append((round(end + ttfa, 1), round(end + ttfa + ms(1500, 3500), 1)))
        turns.append(
            TurnResult(
                turn=turn,
                kind="say",
                text=said,
                started_ms=start - 40,
                ended_ms=start + 8000,
                caller_start_ms=start,
                caller_end_ms=end,
                agent_onset_ms=agent[-1][0],
                agent_stop_ms=agent[-1][1],
                ttfa_ms=ttfa,
                first_sound_ms=ttfa,
                transcript_ms=ms(400, 900),
                transcript=said,
                reply_text_ms=ms(500, 1000),
                reply=text(8, 30),
                wer=0.0,
                wer_pair=(said, said),
                talk_over_ms=0.0,
                dead_air_ms=ttfa,
                expectations=[
                    ExpectationResult(expect="ttfa", limit="<2s", value=ttfa, outcome="held", place="cafe.yaml:8:14"),
                    ExpectationResult(expect="contains", limit="cafe", outcome="held", place="cafe.yaml:8:30"),
                ],
            )
        )
    failed = number % 10 == 0
    seconds = int(TURNS * TURN_S)
    return CallResult(
        call=f"{number:05d}-cafe",
        scenario="cafe",
        target="embedded",
        agent="demo",
        room=f"call-{source.getrandbits(64):016x}",
        started=f"2026-11-24T10:{15 + number // 60 % 40:02d}:{number % 60:02d}.{number:03d}Z"[:24],
        duration_ms=ms(75_000, 80_000),
        ok=not failed,
        failure="agent.no_reply" if failed else None,
        failures=[FailureSeen(kind="agent.no_reply", what="no voice within 15 s", at_ms=70_000, turn=8)]
        if failed
        else [],
        session_create_ms=ms(5, 200),
        room_connect_ms=ms(50, 300),
        agent_join_ms=ms(200, 500),
        agents=1,
        greeting=GreetingResult(
            ttfa_ms=ms(300, 900), onset_ms=ms(300, 900), end_ms=2900, reply="Blue Cafe, how can I help?"
        ),
        turns=turns,
        caller_voice=caller,
        agent_voice=agent,
        own=OwnLateness(lag_ms=[ms(0.2, 9) for _ in range(seconds)], send_late_ms=[ms(0.2, 9) for _ in range(seconds)]),
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RecordedRun:
    """A run of which every call has its timeline."""
    folder = tmp_path_factory.mktemp("bench")
    (folder / "timelines").mkdir()
    source = random.Random(11)
    calls = [made(number, source) for number in range(1, CALLS + 1)]
    for call in calls:
        shutil.copy(RECORDED, folder / "timelines" / f"{call.call}.jsonl")
    summary = judge_run(calls, [], target="embedded", ending=Ending())
    return RecordedRun(folder, SETTINGS, calls, summary)


def test_a_report_of_a_thousand_calls(run: RecordedRun) -> None:
    started_s = time.process_time()
    report = run.folder / "report.html"
    report.write_text(render_html(run), encoding="utf-8")
    seconds = time.process_time() - started_s
    mb = report.stat().st_size / 1e6
    page_kb = (REPORT_PAGE.built / "index.html").stat().st_size / 1e3
    opened, filtered = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(playwright), args=["--no-sandbox"])
        for _ in range(5):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.add_init_script(OPENED)
            with page.expect_console_message() as told:
                page.goto(report.as_uri())
            opened.append(float(told.value.text))
            filtered += [float(page.evaluate(FILTER, words)) for words in ("t", "te", "terrace no_reply", "")]
            page.close()
        browser.close()
    open_ms, filter_ms, worst_ms = statistics.median(opened), statistics.median(filtered), max(filtered)
    Console().print(
        f"\n{CALLS} calls of {TURNS} turns: written in {seconds:.1f} s, {mb:.2f} MB (the page alone {page_kb:.0f} kB); "
        f"opened in {open_ms:.0f} ms, filtered in {filter_ms:.0f} ms (at most {worst_ms:.0f})"
    )
    record(
        "report",
        {
            "seconds_1000_calls": round(seconds, 2),
            "mb": round(mb, 2),
            "page_kb": round(page_kb),
            "open_ms": round(open_ms),
            "filter_ms": round(filter_ms),
            "filter_worst_ms": round(worst_ms),
        },
    )
    assert mb < 5
    assert seconds < 5
    assert open_ms < 1000
    assert filter_ms < 100
