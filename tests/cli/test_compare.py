"""`compare` and `baseline`: what they print, refuse and exit with; and runs that are compared with a baseline."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from harness.errors import EXIT_AGENT, EXIT_INFRASTRUCTURE, EXIT_INTERRUPTED, EXIT_UNFIT
from harness.judge.verdict import VERDICTS
from harness.record.comparison import Comparison
from harness.record.reason import InWords
from harness.record.run_directory import RunDirectory
from harness.record.summary import CallCounts, Reason, Summary
from harness.run.finish import rebuild
from tests.cli.conftest import ROOT, Command
from tests.compare.made_runs import RECORDED, SCENARIO, made_run, of_scenario

pytestmark = pytest.mark.usefixtures("runs")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs: two of one agent, and one of an agent that answers 400 ms later."""
    folder = tmp_path_factory.mktemp("made")
    made_run(folder / "before", calls=30, seed=1)
    made_run(folder / "again", calls=30, seed=2)
    made_run(folder / "slower", calls=30, seed=3, later_ms=400)
    return folder


@pytest.fixture
def runs(made: Path, tmp_path: Path) -> None:
    for run in made.iterdir():
        (tmp_path / run.name).symlink_to(run)


def test_a_slower_agent_is_a_regression_and_the_same_one_is_not(command: Command) -> None:
    saved = command("baseline", "save", "before", "--name", "main")
    assert (saved.code, saved.out) == (0, "reports/baselines/main.json: 30 calls of smoke\n")
    slower = command("compare", "slower", "main")
    assert slower.code == 1
    assert slower.out.splitlines()[-1] == "REGRESSION  slower against main"
    row = next(line for line in slower.out.splitlines() if "turn.ttfa " in line)
    assert "regression" in row
    assert "(+58\N{NO-BREAK SPACE}%)" in row
    again = command("compare", "again", "main")
    assert again.code == 0
    assert "regression" not in again.out


def test_a_run_directory_may_be_the_baseline(command: Command) -> None:
    assert command("compare", "slower", "before").code == 1
    assert command("compare", "before", "slower").code == 0


def test_the_json_is_the_published_schema(command: Command) -> None:
    said = command("compare", "slower", "before", "--json")
    content = json.loads(said.out)
    jsonschema.validate(content, json.loads(command("schema", "--comparison").out))
    comparison = Comparison.model_validate(content)
    assert (said.code, comparison.verdict) == (1, "regression")
    assert comparison.version == 1
    assert {one.scenario for one in comparison.compared} == {SCENARIO}
    assert comparison.baseline.testbed is not None


def test_undecided_metrics_fail_only_a_strict_comparison(command: Command) -> None:
    # Rates of 30 calls cannot be shown to be the same within 5 points.
    said = command("compare", "again", "before")
    assert said.out.splitlines()[-1].startswith("NOT ENOUGH DATA  again against before  ")
    assert "calls a side would be enough" in said.out
    assert (said.code, command("compare", "again", "before", "--strict").code) == (0, 1)
    eased = command(
        "compare", "again", "before", "--strict", "--smallest-effect", "40%,300ms", "--smallest-effect", "20pp"
    )
    assert (eased.code, eased.out.splitlines()[-1]) == (0, "SAME  again against before")


def test_other_testbeds_are_said_loudly(command: Command, tmp_path: Path) -> None:
    made_run(tmp_path / "elsewhere", calls=12, seed=4, settings=lambda known: known.update(engine="sdk"))
    said = command("compare", "elsewhere", "before")
    assert "warning: the testbeds differ: engine: light in the baseline, sdk in this run" in said.out


def test_what_does_not_compare_is_refused(command: Command, tmp_path: Path) -> None:
    command("baseline", "save", "before", "--name", "main")
    other = command("compare", RECORDED.parent / "load", "main")
    assert (other.code, other.error.splitlines()[0]) == (
        2,
        "main: it is a baseline of smoke, and the run has load",
    )

    def turned(known: dict) -> None:
        known["scenarios"][SCENARIO]["model"]["turns"].reverse()

    made_run(tmp_path / "turned", calls=12, seed=5, settings=turned)
    changed = command("compare", "turned", "main")
    assert (changed.code, "the script of smoke has changed since" in changed.error) == (2, True)
    old = tmp_path / "reports" / "baselines" / "old.json"
    old.write_text((old.parent / "main.json").read_text().replace('"definitions": 3', '"definitions": 2'))
    defined = command("compare", "again", "old")
    assert (defined.code, "definitions 2" in defined.error, "record the baseline again" in defined.error) == (
        2,
        True,
        True,
    )
    old.write_text("{")
    assert command("compare", "again", "old").code == 2
    assert command("compare", "again", "none").code == 2
    assert command("compare", "none", "main").code == 2
    assert command("compare", "again", "main", "--smallest-effect", "much").code == 2
    assert command("compare", "again", "main", "--smallest-effect", "0ms").code == 2


def test_other_expectations_leave_out_what_they_decide(command: Command, tmp_path: Path) -> None:
    def eased(known: dict) -> None:
        known["scenarios"][SCENARIO]["model"]["turns"][0]["expect"]["ttfa"] = "<9s"

    made_run(tmp_path / "eased", calls=12, seed=6, settings=eased)
    said = command("compare", "eased", "before")
    assert "note: smoke has other expectations than the baseline" in said.out
    assert "calls.failed  " not in said.out
    assert "turn.ttfa  " in said.out


def test_a_scenario_that_one_side_never_called_is_not_the_same(command: Command, tmp_path: Path) -> None:
    def with_another(settings: dict) -> None:
        settings["scenarios"]["another"] = settings["scenarios"][SCENARIO]

    large = ("--smallest-effect", "90%,2s,60pp")
    made_run(tmp_path / "short", calls=30, seed=8, settings=with_another)
    said = command("compare", "again", "before", *large)
    assert (said.code, "SAME  again against before" in said.out) == (0, True)
    said = command("compare", "short", "short", *large)
    assert (said.code, "NOT ENOUGH DATA  short against short" in said.out) == (0, True)
    assert "note: another was not called on both sides, and is not compared" in said.out
    said = command("compare", "short", "short", *large, "--strict")
    assert said.code == 1


def test_an_empty_run_is_no_pass(command: Command, tmp_path: Path) -> None:
    made_run(tmp_path / "empty", calls=0, seed=7)
    said = command("compare", "empty", "before")
    assert (said.code, said.error) == (3, "no call of this run was measured")
    assert command("baseline", "save", "empty").code == 2


@pytest.mark.parametrize(
    ("code", "told"),
    [(EXIT_UNFIT, "was not fit to measure: no"), (EXIT_INFRASTRUCTURE, "failed for the infrastructure: no")],
)
def test_a_run_that_says_nothing_about_the_agent_is_no_standard(
    command: Command, tmp_path: Path, code: int, told: str
) -> None:
    ended(made_run(tmp_path / "useless", calls=30, seed=4), code)
    for words in (
        ("baseline", "save", "useless"),
        ("compare", "again", "useless"),
        ("run", "smoke", "--target", "embedded", "--dry-run", "--baseline", "useless"),
    ):
        said = command(*words)
        assert said.code == 2
        assert told in said.error
    said = command("compare", "useless", "before")
    assert said.code == code
    assert told in said.error


def test_a_run_that_did_not_pass_is_a_baseline_with_a_warning(command: Command, tmp_path: Path) -> None:
    for code in (EXIT_AGENT, EXIT_INTERRUPTED):
        ended(made_run(tmp_path / f"ended-{code}", calls=3, seed=4), code)
        said = command("baseline", "save", f"ended-{code}", "--name", f"of-{code}")
        assert said.code == 0
        assert f"warning: this run did not pass (exit code {code}): no" in said.err


def ended(folder: Path, code: int) -> None:
    """Writes the summary of a run that ended with this code."""
    reason = Reason(code=code, what=InWords("no"))
    RunDirectory(folder).write_summary(
        Summary(verdict=VERDICTS[code], exit_code=code, reasons=[reason], target="t", calls=CallCounts())
    )


def test_a_baseline_is_replaced_only_by_accept_with_a_reason_that_is_kept(command: Command, tmp_path: Path) -> None:
    command("baseline", "save", "before", "--name", "main")
    again = command("baseline", "save", "slower", "--name", "main")
    assert (again.code, "there is a baseline of this name" in again.error) == (2, True)
    assert command("baseline", "accept", "slower", "--name", "main").code == 2
    assert command("baseline", "accept", "slower", "--name", "main", "--reason", " ").code == 2
    accepted = command("baseline", "accept", "slower", "--name", "main", "--reason", "a larger model", "--by", "Ada")
    assert accepted.code == 0
    assert "accepted: regression of turn.ttfa{scenario:smoke} against main: +" in accepted.out
    file = json.loads((tmp_path / "reports/baselines/main.json").read_text())
    [kept] = file["accepted"]
    assert (kept["reason"], kept["by"], kept["run"], kept["instead_of"]) == (
        "a larger model",
        "Ada",
        "slower",
        "before",
    )
    assert command("compare", "slower", "main").code == 0
    shown = command("baseline", "show", "main").out
    assert "by Ada: a larger model (before)" in shown
    assert "turn.ttfa" in shown
    assert command("baseline", "list").out.startswith("main  30 calls of smoke  embedded, demo  2026-11-27")


def test_lists_say_what_is_damaged_and_what_is_not_there(command: Command, tmp_path: Path) -> None:
    assert command("baseline", "list").err == "no baselines in reports/baselines\n"
    (tmp_path / "reports/baselines").mkdir(parents=True)
    (tmp_path / "reports/baselines/main.json").write_text("")
    said = command("baseline", "list")
    assert (said.code, said.out.startswith("main  this baseline cannot be read")) == (0, True)


def test_a_run_of_another_scenario_than_its_baseline_makes_no_call(command: Command, tmp_path: Path) -> None:
    made_run(tmp_path / "shipped", calls=12, seed=9, settings=of_scenario(ROOT / "scenarios" / "smoke.yaml"))
    command("baseline", "save", "shipped", "--name", "main")
    said = command("run", "load", "--target", "embedded", "--baseline", "main", "--dry-run")
    assert (said.code, "it is a baseline of smoke, and the run has load" in said.error) == (2, True)
    said = command("run", "smoke", "--target", "embedded", "--baseline", "main", "--dry-run")
    assert (said.code, said.out.startswith("plan: ")) == (0, True)
    assert command("run", "smoke", "--target", "embedded", "--smallest-effect", "5%").code == 2
    assert not [each for each in (tmp_path / "reports").iterdir() if each.name != "baselines"]


def test_a_run_keeps_its_baseline_so_that_it_is_judged_the_same_again(command: Command, tmp_path: Path) -> None:
    def against(known: dict) -> None:
        known["baseline"] = {"name": "main"}

    command("baseline", "save", "before", "--name", "main")
    run = made_run(tmp_path / "compared", calls=30, seed=8, later_ms=400, settings=against)
    said = command("report", run)
    assert (said.code, "baseline.json: there is no such baseline" in said.error) == (2, True)
    (run / "baseline.json").write_bytes((tmp_path / "reports/baselines/main.json").read_bytes())
    summary = rebuild(run)
    assert summary.exit_code == 1
    reasons = [str(reason.what) for reason in summary.reasons]
    assert any(reason.startswith("regression of turn.ttfa{scenario:smoke} against main: +") for reason in reasons)
    assert not any("turn.ttfa{scenario:smoke} in turn" in reason for reason in reasons)
    comparison = RunDirectory(run).read_comparison()
    assert comparison is not None
    assert comparison.verdict == "regression"
    assert "regression of turn.ttfa" in (run / "junit.xml").read_text()
