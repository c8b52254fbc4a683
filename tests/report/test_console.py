"""What a person reads in the terminal: one line a call, a table, and the verdict last."""

from __future__ import annotations

import io
from pathlib import Path
from typing import get_args

import pytest
from rich.console import Console

from harness.errors import AgentFailure
from harness.failures import HINTS, FailureKind
from harness.judge.thresholds import Threshold
from harness.judge.tool_calls import NO_TOOL_CALLS
from harness.judge.verdict import judge_run
from harness.metrics.threshold import check_threshold
from harness.record.result import CallResult, ExpectationResult, FailureSeen, MediaHealth, TurnResult
from harness.record.summary import Ending, PassRateResult
from harness.report.console import LinesWatcher, call_line, event_line, make_console, print_summary
from harness.report.hints import hint_lines
from harness.report.live import in_words
from harness.text.plain_text import one_line
from harness.timeline.events import AgentOnset, SecondPassed, TextCame, ToolCalled, ToolJunkCame

ESCAPE = "\x1b[31mred\x07\r\n\u202etxt"


def turn(ttfa_ms: float | None, *expectations: ExpectationResult) -> TurnResult:
    return TurnResult(turn=1, kind="say", text="When?", ttfa_ms=ttfa_ms, expectations=list(expectations))


def call(name: str = "0001-x", *, what: str | None = None, turns: tuple[TurnResult, ...] = ()) -> CallResult:
    failures = [FailureSeen(kind="agent.no_reply", what=what)] if what else []
    held = all(one.outcome != "failed" for made in turns for one in made.expectations)
    return CallResult(
        call=name,
        scenario="x",
        started="2030",
        duration_ms=12_345,
        ok=held and not failures,
        failure="agent.no_reply" if what else None,
        failures=failures,
        turns=list(turns),
    )


def terminal() -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=120, highlight=False, markup=False, emoji=False, soft_wrap=True), out


def test_a_call_is_one_line_that_says_how_it_went() -> None:
    good = call_line(call(turns=(turn(800), turn(1200))))
    assert good.split() == ["ok", "0001-x", "12.3", "s", "2", "turns", "TTFA", "800", "to", "1200", "ms"]
    assert call_line(call(what="no voice came")).endswith("agent.no_reply: no voice came")
    missed = ExpectationResult(expect="ttfa", limit="<1s", value=1200, outcome="failed", why="it took 1200 ms")
    assert call_line(call(turns=(turn(1200, missed),))).startswith("FAILED")
    assert call_line(CallResult(call="c", scenario="x", started="", ok=None, cut=True)).startswith("cut")


def test_what_others_wrote_cannot_steer_the_terminal() -> None:
    missed = ExpectationResult(expect="contains", limit="nine", outcome="failed", why=f"the agent wrote: {ESCAPE}")
    calls = [call(what=ESCAPE, turns=(turn(800, missed),))]
    summary = judge_run(calls, [], target="embedded", ending=Ending())
    console, out = terminal()
    print_summary(console, summary, calls, Path("run"))
    shown = out.getvalue() + call_line(calls[0]) + event_line(TextCame(t_ns=1, role="reply", text=ESCAPE))
    for char in "\x1b\x07\r\u202e":
        assert char not in shown
    assert "red" in shown


def test_the_last_line_is_the_verdict_with_its_target_and_reasons_stand_before_it() -> None:
    missed = ExpectationResult(
        expect="ttfa", limit="<1s", value=1200, outcome="failed", why="it took 1200 ms", place="s.yaml:3:14"
    )
    calls = [call(turns=(turn(800),)), call("0002-x", turns=(turn(1200, missed),))]
    threshold = Threshold(*check_threshold("turn.ttfa", "max<1s"), "--threshold")
    summary = judge_run(calls, [threshold], target="staging (https://example.com)", ending=Ending(dropped=3))
    console, out = terminal()
    print_summary(console, summary, calls, Path("run"))
    lines = out.getvalue().rstrip().splitlines()
    assert lines[-1] == "UNFIT and FAIL  1 of 2 calls ok, 3 dropped  target staging (https://example.com)  exit 4"
    assert lines[-4].startswith("reason (4): 3 of 5 calls could not start")
    assert lines[-3] == "reason (1): expectation ttfa <1s"
    assert "0002-x turn 1: ttfa <1s: it took 1200 ms" in lines
    assert "    s.yaml:3:14" in lines
    assert "threshold turn.ttfa max<1s = 1,200 ms: FAILED" in lines
    assert any(line.startswith(" turn.ttfa") and "1,200 ms" in line for line in lines)


def test_many_failed_expectations_are_cut_short() -> None:
    missed = ExpectationResult(expect="ttfa", limit="<1s", value=1200, outcome="failed", why="it took 1200 ms")
    calls = [call(f"{number:04d}-x", turns=(turn(1200, missed),)) for number in range(30)]
    console, out = terminal()
    print_summary(console, judge_run(calls, [], target="t", ending=Ending()), calls, Path("run"))
    assert "… and 20 more, see the report" in out.getvalue()


def test_what_has_no_pass_rate_of_its_own_is_shown_for_the_first_ten(tmp_path: Path) -> None:
    summary = judge_run([call()], [], target="t", ending=Ending())
    known = {"scenario": "x", "passed": 1, "decided": 2, "pattern": "flicker"}
    rates = [PassRateResult(**known, step=number, of=f"turn {number} {ESCAPE}") for number in range(12)]
    summary.pass_rates = [*rates, PassRateResult(**known, limit="2/2", ok=False, needed=2)]
    console, out = terminal()
    print_summary(console, summary, [call()], tmp_path)
    lines = [line for line in out.getvalue().splitlines() if "1 of 2 calls passed" in line]
    assert (len(lines), "\x1b" in out.getvalue()) == (11, False)
    assert "pass rate of x: 1 of 2 calls passed, needed: 2/2, sometimes passes: FAILED" in lines
    assert "… and 2 more of these, see the report" in out.getvalue()


def test_quiet_shows_failures_only_and_verbose_every_event() -> None:
    def shown(**manner: bool) -> str:
        console, out = terminal()
        watcher = LinesWatcher(console, **manner)
        watcher.say("plan: …")
        watcher.started(2)
        watcher.event("0001-x", AgentOnset(t_ns=5, level_dbfs=-20.123456789))
        watcher.event("0001-x", SecondPassed(t_ns=5, sent=100, send_late_ms=0.0, lag_ms=0.0, heard=48_000))
        watcher.ended(call(), 1)
        watcher.ended(call("0002-x", what="no voice came"), 0)
        return out.getvalue()

    assert [line.split()[0] for line in shown().splitlines()] == ["plan:", "[1/2]", "[2/2]"]
    assert [line.split()[:3] for line in shown(quiet=True).splitlines()] == [["[2/2]", "FAILED", "0002-x"]]
    verbose = shown(verbose=True)
    assert "agent.onset" in verbose
    assert "second" not in verbose


def test_a_tool_call_is_one_line_with_its_arguments_and_its_result() -> None:
    came = ToolCalled(t_ns=5, name="find", arguments={"near": "Mill Lane"}, result={"free": 3}, ms=84.2)
    assert one_line(in_words(came) or "") == 'tool find {"near": "Mill Lane"} returned {"free": 3} after 84 ms'
    line = event_line(came)
    assert line.startswith("agent.tool_call    name=find")
    assert 'arguments={"near": "Mill Lane"}  result={"free": 3}  ms=84.2  ok=True' in line
    failed = ToolCalled(t_ns=5, name="find", arguments={"a": ESCAPE}, result="x" * 4000 + ESCAPE, ok=False)
    for shown in (one_line(in_words(failed) or ""), event_line(failed)):
        assert len(shown) < 500
        assert "(3,7" in shown
        assert not {"\x1b", "\x07", "\n"} & set(shown)
    assert "FAILED" in (in_words(failed) or "")
    assert in_words(ToolJunkCame(t_ns=5, why="not JSON")) == "a frame on voice.tool_call was ignored: not JSON"


def test_the_hint_of_a_run_that_decided_nothing_fits_the_cause() -> None:
    def shown(why: str) -> str:
        open_one = ExpectationResult(expect="calls_tool", limit="find", outcome="undecided", why=why, by_agent=True)
        calls = [call(turns=(turn(800, open_one),))]
        console, out = terminal()
        print_summary(console, judge_run(calls, [], target="t", ending=Ending()), calls, Path("run"))
        assert "exit 4" in out.getvalue()
        return out.getvalue()

    assert "hint: calls_tool needs frames on voice.tool_call" in shown(NO_TOOL_CALLS)
    assert "quieter" not in shown(NO_TOOL_CALLS)
    assert "quieter" in shown("the harness was late")


def test_a_report_that_is_not_there_is_not_named(tmp_path: Path) -> None:
    console, out = terminal()
    print_summary(console, judge_run([call()], [], target="t", ending=Ending()), [], tmp_path)
    assert "report: not written\n" in out.getvalue()
    assert "report.html" not in out.getvalue()


def test_a_pipe_and_no_color_get_plain_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setenv("NO_COLOR", "1")
    summary = judge_run([call(turns=(turn(800),))], [], target="embedded", ending=Ending())
    folder = tmp_path / ("a" * 150)
    folder.mkdir()
    (folder / "report.html").touch()
    print_summary(make_console(), summary, [], folder)
    assert "\x1b" not in out.getvalue()
    assert f"report: {folder}/report.html\n" in out.getvalue(), "a path is not broken in two"


def test_each_metric_is_shown_in_its_own_unit() -> None:
    heard = call(turns=(turn(800), turn(1200)))
    heard.media = MediaHealth(loss=0.012, rtt_ms=0.4, jitter_buffer_ms=61.2, level_dbfs=-23.44)
    heard.turns[0].dead_air_ms, heard.turns[0].talk_over_ms, heard.turns[0].interrupted = 1234.0, 0.0, True
    console, out = terminal()
    summary = judge_run([heard], [], target="embedded", ending=Ending())
    print_summary(console, summary, [heard], Path("reports/x"))
    shown = {line.split()[0]: line.split()[2:] for line in out.getvalue().splitlines() if len(line.split()) > 2}
    assert shown["audio.loss"][:2] == ["1.2", "%"]
    assert shown["audio.rtt"][:2] == ["0.4", "ms"]
    assert shown["audio.jitter_buffer"][:2] == ["61", "ms"]
    assert shown["audio.level_dbfs"][:2] == ["-23.4", "dBFS"]
    assert shown["turn.dead_air"][:2] == ["1,234", "ms"]
    assert shown["turn.interrupted"] == ["100.0", "%"]


def test_every_kind_of_failure_has_a_hint_and_a_run_of_an_older_version_too() -> None:
    """Recorded by a version that had no hints, or made where only the kind is known."""
    assert set(HINTS) == set(get_args(FailureKind))
    calls = [call("0001-x", what="no voice came"), call("0002-x", what="no voice came")]
    assert hint_lines(calls) == [
        "agent.no_reply in 2 calls: no voice came",
        f"  hint: {HINTS['agent.no_reply']}",
    ]
    assert AgentFailure("agent.left", "it left").hint == HINTS["agent.left"]


def test_a_turn_that_does_not_count_is_not_in_a_calls_line() -> None:
    result = call(turns=(turn(800), turn(55).model_copy(update={"fit": False})))
    assert "TTFA 800 ms" in call_line(result)
