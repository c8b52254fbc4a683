"""The run as Markdown: the verdict first, then why, and all of it within GitHub's limits."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from harness.judge.verdict import judge_run
from harness.record.recorded_run import RecordedRun
from harness.record.run_directory import read_run
from harness.record.summary import Ending
from harness.report.markdown import MOST_CHARACTERS, render_markdown
from harness.run.finish import rebuilt
from tests.compare.made_runs import compared_run
from tests.golden import Golden
from tests.judge.made import call, greeting, threshold, turn
from tests.report.sample_run import bare_settings, good_call, held, many_calls, no_reply_call, sample_run

RECORDED = Path(__file__).parents[1] / "recorded"
GOLDEN = Path(__file__).parent / "golden"


def judged(*calls: object, limits: tuple[tuple[str, str], ...] = (), ending: Ending | None = None) -> RecordedRun:
    made = [one for one in calls if isinstance(one, type(call()))]
    summary = judge_run(made, [threshold(*one) for one in limits], target="staging", ending=ending or Ending())
    return RecordedRun(Path("run"), bare_settings(run="r"), made, summary)


def test_the_whole(tmp_path: Path, golden: Golden) -> None:
    run = sample_run(tmp_path)
    text = render_markdown(run, report_url="https://ci.example/1/report.html")
    golden.check(GOLDEN / "report.md", text)


def test_what_differs_from_the_baseline_is_a_table_with_regressions_first(tmp_path: Path) -> None:
    text = render_markdown(rebuilt(compared_run(tmp_path / "run")))
    section = text.partition("### Regression against `main`: ")[2].partition("<details>")[0]
    rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| `")]
    assert (rows[0][0], rows[0][-1]) == ("| `turn.ttfa`", "**regression** |")
    verdicts = [row[-1].removesuffix(" |") for row in rows]
    assert verdicts == sorted(verdicts, key=["**regression**", "changed", "not enough data"].index)
    assert "same" not in verdicts, "they are counted"


def test_a_run_that_does_not_differ_says_so(tmp_path: Path) -> None:
    made = rebuilt(compared_run(tmp_path / "run", calls=200, later_ms=0.0))
    assert made.comparison is not None
    kept = [one for one in made.comparison.compared if one.verdict == "same"]
    same = made.comparison.model_copy(update={"compared": kept, "verdict": "same"})
    text = render_markdown(replace(made, comparison=same))
    assert "- no metric differs by as much as matters" in text.partition("### Same against `main`: ")[2]


def test_the_verdict_comes_first_then_why_then_the_failed_turns() -> None:
    missed = held("ttfa", "<1s", 2000.0, "scenarios/x.yaml:8:7").model_copy(update={"outcome": "failed"})
    text = render_markdown(
        judged(call(turn(1, ttfa_ms=2000.0, expectations=[missed])), limits=(("turn.ttfa", "max<1s"),))
    )
    places = [text.index(part) for part in ("## ✗ Failed: the agent fell short", "### Why", "### Failed turns")]
    assert places == sorted(places)
    assert places[0] == 0
    assert "- `0001-x`, turn 1 at 2.9\N{NO-BREAK SPACE}s, TTFA 2,000\N{NO-BREAK SPACE}ms" in text
    assert "  - ✗ `ttfa <1s` (`scenarios/x.yaml:8:7`)" in text


def test_the_worst_turns_of_a_missed_threshold_are_shown_with_their_texts() -> None:
    calls = [call(turn(1, ttfa_ms=900.0 + 100 * n), call=f"000{n}-x") for n in range(6)]
    calls.append(call(turn(1, ttfa_ms=9000.0, kind="type"), call="0006-x"))
    calls.append(call(turn(1, ttfa_ms=9000.0, fit=False), call="0007-x"))
    text = render_markdown(judged(*calls, limits=(("turn.ttfa{kind:say}", "p(95)<1s"),)))
    section = text.partition("### Turns beyond a threshold that failed")[2]
    assert [line[2:11] for line in section.splitlines() if line.startswith("- ")] == [
        "`0005-x`,",
        "`0004-x`,",
        "`0003-x`,",
    ]
    assert "  - ✗ `turn.ttfa{kind:say} p(95)<1s`: 1,400\N{NO-BREAK SPACE}ms\n  - caller: `When?`" in section


def test_a_run_that_passed_has_no_failed_turns_even_if_thresholds_excused_some() -> None:
    failed = call(turn(1), call="0002-x", failure="agent.left")
    text = render_markdown(judged(call(turn(1)), failed, limits=(("calls.failed", "rate<=50%"),)))
    assert text.startswith("## ✓ Passed")
    assert "### Failed turns" not in text
    assert "- excused by thresholds and pass rates: `agent.left` (1)" in text


def test_calls_that_do_not_count_are_not_among_the_failed() -> None:
    others = [
        call(turn(1), call="0002-x", failure="agent.left", canary=True),
        call(turn(1), call="0003-x", failure="agent.left", warm_up=True),
        call(turn(1), call="0004-x", failure="agent.left"),
        call(turn(1), call="0005-x", retry_of="0004-x"),
    ]
    text = render_markdown(judged(call(turn(1), failure="agent.left"), *others))
    assert "- `0001-x`" in text
    assert not [one.call for one in others if f"- `{one.call}`" in text]


@pytest.mark.parametrize(
    ("ending", "calls", "says"),
    [
        (Ending(), 0, ("## ✗ Infrastructure failed", "- `no call could start`")),
        (Ending(interrupted=True), 1, ("## ■ Interrupted", "- `interrupted`")),
    ],
)
def test_an_empty_and_an_interrupted_run_say_so(ending: Ending, calls: int, says: tuple[str, ...]) -> None:
    text = render_markdown(judged(*[call(turn(1), greeting=greeting())] * calls, ending=ending))
    assert all(part in text for part in says)


def test_a_killed_run_says_so(tmp_path: Path) -> None:
    shutil.copytree(RECORDED / "killed", tmp_path / "run")
    text = render_markdown(rebuilt(tmp_path / "run"))
    assert text.startswith("## ■ Interrupted")
    assert "- `the run has no end: it was killed, or is still going on`" in text
    assert render_markdown(read_run(tmp_path / "run")).startswith("## ? Not judged")


def test_a_thousand_failed_calls_fit_and_are_counted(tmp_path: Path) -> None:
    run = many_calls(tmp_path, 1000)
    for one in run.calls:
        for each in one.turns:
            each.reply = "|`@" * 9000
    assert run.summary is not None
    run.summary.thresholds = run.summary.thresholds * 200
    run.summary.metrics |= {f"turn.ttfa{{scenario:{n}}}": run.summary.metrics["turn.ttfa"] for n in range(900)}
    text = render_markdown(run, report_url="https://ci.example/1/report.html")
    assert len(text) <= MOST_CHARACTERS
    assert "… and " in text
    assert text.count("<details>") == text.count("</details>")
    few = render_markdown(replace(run, calls=[good_call("0001"), no_reply_call("0002")]))
    assert few.count("- `0002`, turn 1") == 1


def test_each_failed_turn_links_to_its_moment_in_the_report(tmp_path: Path) -> None:
    run = sample_run(tmp_path)
    text = render_markdown(run, report_url="https://ci.example/1/report.html")
    assert "[report](<https://ci.example/1/report.html>)" in text
    assert "[open](<https://ci.example/1/report.html#call=0003&t=4.4>)" in text
    assert "](<" not in render_markdown(run)


def test_a_search_shows_its_answer_and_no_call_that_it_made_fail(tmp_path: Path) -> None:
    shutil.copytree(RECORDED / "capacity", tmp_path / "run")
    run = rebuilt(tmp_path / "run")
    assert run.capacity is not None
    text = render_markdown(run)
    assert f"`{run.capacity.answer.words}`" in text
    assert "### Failed turns" not in text
