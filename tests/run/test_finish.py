"""A run's end and its reports made again: the same verdict from what was recorded, and no secret in any of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.caller.prepare import Prepared
from harness.errors import ConfigError
from harness.judge.expectations import judge_call
from harness.judge.thresholds import Threshold, scenario_thresholds
from harness.measure.call import measure_call
from harness.record.reason import StackFell
from harness.record.result import CallResult, FailureSeen
from harness.record.run_directory import RunDirectory, read_run
from harness.record.summary import Ending, Reason, RemeasuredCounts, Summary
from harness.run.finish import finish_run, rebuild
from harness.run.pacing import Pace
from harness.run.request import Request
from harness.run.settings import Planned, run_settings
from harness.scenario.load import LoadedScenario, load_scenario
from harness.scenario.timeouts import CallTimeouts
from harness.secret import Secret
from harness.target.target import Target
from tests.events import typed

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY, PLAIN_KEY = "sk_live_0123456789abcdef", "key-of-a-service-without-prefix"
SCENARIO = """\
name: x
tags: [smoke]
greeting: {within: 3s}
turns:
  - type: Do you have parking?
    expect: {ttfa: <2s, echo: <500ms, reply: {contains: behind}, calls_tool: {name: find, arguments: {spaces: 2}}}
session: {reference_audio_url: "https://voices.example/a.wav?X-Signature=abcdef"}
thresholds: {turn.ttfa: ["p(95)<2s", "max<3s"], calls.failed: "rate<=0.5"}
"""


def timeline(call: str, *, ttfa_ms: float = 800) -> list[dict[str, Any]]:
    """A typed turn, for which a tool was called, answered with a text that holds a line end of Unicode."""

    def event(at_ms: float, name: str, /, **fields: Any) -> dict[str, Any]:
        return {"t": round(at_ms * 1e6), "event": name, **fields}

    started = {"call": call, "scenario": "x", "agent": "demo", "target": "embedded", "utc": "2030-01-02T03:04:05.000Z"}
    tool = {"name": "find", "arguments": {"spaces": 2}, "result": [{"free": 3}, None], "ms": 84.2, "ok": True}
    turn = {"turn": 1, "step": 0, "kind": "type", "text": "Do you have parking?", "fixture": None, "language": ""}
    return [
        event(0, "call.started", **started),
        event(1, "session.requested"),
        event(50, "session.created", room="room-1"),
        event(60, "room.connecting"),
        event(100, "room.connected"),
        event(200, "agent.joined", identity="agent"),
        event(210, "greeting.awaited"),
        event(500, "agent.onset", ear=None, level_dbfs=-20.0, found=600),
        event(1500, "agent.end", level_dbfs=-20.0, found=1700),
        event(3000, "greeting.ended", why="heard"),
        event(3001, "turn.started", **turn),
        event(3002, "caller.typed", turn=1, text="Do you have parking?"),
        event(3022, "text", role="echo", text="Do you have parking?", type="user_text"),
        event(3300, "agent.tool_call", **tool, identity="agent"),
        event(3500, "text", role="reply", text="Yes.\u2028It is behind the house.", type="reply"),
        event(3002 + ttfa_ms, "agent.onset", ear=None, level_dbfs=-20.0, found=1),
        event(3502 + ttfa_ms, "agent.end", level_dbfs=-20.0, found=1),
        event(5100 + ttfa_ms, "turn.ended", turn=1, why="replied"),
        event(5200 + ttfa_ms, "call.ended"),
    ]


class Run:
    """A run in a folder, with its scenario beside it."""

    def __init__(self, folder: Path, *, scenario: str = SCENARIO) -> None:
        file = folder / "x.yaml"
        file.write_text(scenario, encoding="utf-8")
        self.loaded: LoadedScenario = load_scenario(file)
        self.directory = RunDirectory.create(folder / "run", name="x", now=NOW)
        self.path = self.directory.path
        prepared = Prepared(self.loaded, [None], "demo", CallTimeouts())
        self.thresholds: Sequence[Threshold] = scenario_thresholds(
            self.loaded.model, lambda *_: "x.yaml:7:1", alone=True
        )
        request = Request(
            name="x",
            scenarios=[self.loaded],
            target=Target("embedded", "embedded", api_key=Secret(PLAIN_KEY)),
            seed=1,
            thresholds=self.thresholds,
            command=("voice-harness", "run", "x.yaml", "--set", f"session.greeting={KEY}", "--agent", PLAIN_KEY),
        )
        self.settings = run_settings(request, [prepared], Planned(Pace(1, 3, None, 3)), run="run", started=NOW)
        self.directory.write_settings(self.settings)
        self.calls: list[CallResult] = []

    def add(self, events: list[dict[str, Any]]) -> CallResult:
        """A finished call: its timeline and its line."""
        lines = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)
        self.directory.timeline(events[0]["call"]).write_text(lines, encoding="utf-8")
        result = measure_call(typed(events), tags=["smoke"])
        return self.add_result(judge_call(result, self.loaded.model, lambda *keys: str(self.loaded.place(*keys))))

    def add_result(self, result: CallResult) -> CallResult:
        self.directory.append_call(result)
        self.calls.append(result)
        return result

    def finish(self, ending: Ending | None = None) -> Summary:
        return finish_run(self.directory, self.settings, self.calls, self.thresholds, ending or Ending())


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = Run(tmp_path)
    made.add(timeline("0001-x"))
    made.add(timeline("0002-x", ttfa_ms=2500))
    made.add(timeline("0003-x", ttfa_ms=900))
    return made


def summary_on_disk(run: Run) -> dict[str, Any]:
    return json.loads((run.path / "summary.json").read_text(encoding="utf-8"))


def test_a_finished_run_has_every_file_and_its_verdict(run: Run) -> None:
    summary = run.finish()
    assert summary.exit_code == 1
    assert {path.name for path in run.path.iterdir()} == {
        "run.json",
        "calls.jsonl",
        "timelines",
        "summary.json",
        "report.html",
        "junit.xml",
        "turns.csv",
    }
    on_disk = summary_on_disk(run)
    assert on_disk == json.loads(summary.model_dump_json())
    assert on_disk["calls"] == {"total": 3, "ok": 2, "failed": 1, "dropped": 0, "cut": 0, "warm_up": 0, "retried": 0}
    assert {"verdict", "exit_code", "reasons", "target", "metrics", "thresholds", "expectations", "failures"} <= set(
        on_disk
    )


@pytest.mark.parametrize("remeasure", [False, True])
def test_reports_made_again_say_the_same(run: Run, remeasure: bool) -> None:
    before = run.finish()
    files = {name: (run.path / name).read_text(encoding="utf-8") for name in ("turns.csv", "junit.xml", "calls.jsonl")}
    for name in ("summary.json", "report.html", "turns.csv", "junit.xml"):
        (run.path / name).unlink()
    again = rebuild(run.path, remeasure=remeasure)
    assert summary_on_disk(run) == json.loads(again.model_dump_json())
    assert again.model_copy(update={"remeasured": None}) == before
    if remeasure:
        assert again.remeasured == RemeasuredCounts(live_onsets={"their audio was not kept": 3})
        del files["calls.jsonl"]
        calls = [call.model_copy(update={"remeasured": None}) for call in read_run(run.path).calls]
        assert calls == run.calls
        assert [[tool.at_ms for tool in call.turns[0].tool_calls] for call in calls] == [[3200.0]] * 3
    assert {name: (run.path / name).read_text(encoding="utf-8") for name in files} == files
    assert (run.path / "report.html").exists()


def test_a_pass_rate_is_judged_again_as_it_was(tmp_path: Path) -> None:
    run = Run(tmp_path, scenario="pass: 2/3\n" + SCENARIO.replace("max<3s", "max<9s").replace("p(95)<2s", "max<8s"))
    for number, ttfa_ms in enumerate((800, 2500, 900), start=1):
        run.add(timeline(f"000{number}-x", ttfa_ms=ttfa_ms))
    before = run.finish()
    assert (before.exit_code, before.excused) == (0, {"expectation ttfa <2s": 1})
    (whole, _) = before.pass_rates
    assert (whole.passed, whole.decided, whole.ok, whole.place.endswith("x.yaml:1:1")) == (2, 3, True, True)
    for remeasure in (False, True):
        again = rebuild(run.path, remeasure=remeasure)
        assert again.model_copy(update={"remeasured": None}) == before
    assert [each["of"] for each in summary_on_disk(run)["pass_rates"]] == ["", "turn 1 ttfa"]


def test_a_strict_run_stays_strict(run: Run) -> None:
    run.settings = run.settings.model_copy(update={"strict": True})
    run.calls[1].turns[0].ttfa_ms = 1000.0
    run.calls[1] = judge_call(run.calls[1], run.loaded.model, lambda *keys: "")
    thin = "not enough data for threshold turn.ttfa p(95)<2s: p(95) of 3 samples is the largest, it needs 20"
    before = run.finish()
    assert [(reason.code, str(reason.what)) for reason in before.reasons] == [(1, thin)]
    settings = json.loads((run.path / "run.json").read_text(encoding="utf-8"))
    assert settings["strict"] is True


def test_measuring_again_reads_the_timelines(run: Run) -> None:
    run.finish()
    changed = timeline("0002-x", ttfa_ms=1000)
    lines = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in changed)
    run.directory.timeline("0002-x").write_text(lines, encoding="utf-8")
    assert rebuild(run.path).exit_code == 1
    assert rebuild(run.path, remeasure=True).exit_code == 0
    assert [call.turns[0].ttfa_ms for call in read_run(run.path).calls] == [800, 1000, 900]


def test_a_call_without_a_tool_call_fails_if_the_agent_reports_them_in_other_calls(run: Run) -> None:
    silent = [event for event in timeline("0004-x") if event["event"] != "agent.tool_call"]
    open_one = run.add(silent)
    assert open_one.ok
    before = run.finish()
    assert (before.expectations["calls_tool"].held, before.expectations["calls_tool"].failed) == (3, 1)
    assert "expectation calls_tool find" in [str(reason.what).partition(" {")[0] for reason in before.reasons]
    assert (run.calls[3].ok, read_run(run.path).calls) == (False, run.calls)
    again = rebuild(run.path, remeasure=True)
    assert again.model_copy(update={"remeasured": None}) == before
    assert [call.ok for call in read_run(run.path).calls] == [call.ok for call in run.calls]


def test_an_agent_that_reports_no_tool_call_in_any_call_leaves_it_undecided(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.add([event for event in timeline("0001-x") if event["event"] != "agent.tool_call"])
    lines = (run.path / "calls.jsonl").read_bytes()
    summary = run.finish()
    assert (summary.exit_code, summary.expectations["calls_tool"].undecided) == (4, 1)
    assert (run.path / "calls.jsonl").read_bytes() == lines
    assert rebuild(run.path).exit_code == 4


def test_a_call_that_we_lost_ourselves_is_not_measured_again_from_half_a_timeline(run: Run) -> None:
    lost = [FailureSeen(kind="harness.disk", what="the timeline cannot be written", ended=True)]
    run.add_result(
        CallResult(call="0004-x", scenario="x", started="2030", ok=False, failure="harness.disk", failures=lost)
    )
    before = run.finish()
    assert before.exit_code == 4
    again = rebuild(run.path, remeasure=True)
    assert again.remeasured is not None
    assert list(again.remeasured.unchanged.values()) == [1]
    assert again.model_copy(update={"remeasured": None}) == before


def test_dropped_calls_interruption_and_what_no_call_tells_are_kept(run: Run) -> None:
    fell = Reason(code=3, what=StackFell("it ended"))
    before = run.finish(Ending(dropped=1, interrupted=True, extra=[fell]))
    assert before.exit_code == 130
    assert sorted({reason.code for reason in before.reasons}) == [1, 3, 4, 130]
    assert str(fell.what) == "the embedded stack fell: it ended"
    assert rebuild(run.path).model_dump_json() == before.model_dump_json()


def test_a_run_that_was_killed_is_reported_as_interrupted_with_what_it_has(run: Run) -> None:
    with (run.path / "calls.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"call": "0004-x", "scen')
    (run.path / "audio").mkdir()
    (run.path / "audio" / ".0004-x.left.raw").write_bytes(bytes(100))
    summary = rebuild(run.path)
    assert (summary.exit_code, summary.calls.total) == (130, 3)
    assert str(summary.reasons[0].what) == "the run has no end: it was killed, or is still going on"
    assert "it was killed" in (run.path / "junit.xml").read_text(encoding="utf-8")
    assert "it was killed" in (run.path / "report.html").read_text(encoding="utf-8")
    assert list((run.path / "audio").iterdir()) == [], "a recording that can be finished by nobody is removed"


@pytest.mark.parametrize("cut_to", [0, 1, 2, 2.5])
def test_a_finished_run_that_lost_lines_is_not_judged_by_the_others(run: Run, cut_to: float) -> None:
    before = run.finish()
    file = run.path / "calls.jsonl"
    lines = file.read_text(encoding="utf-8").split("\n")
    whole = int(cut_to)
    file.write_text("".join(line + "\n" for line in lines[:whole]) + lines[whole][: 99 * (cut_to > whole)])
    with pytest.raises(
        ConfigError, match=rf"also made {3 - whole} calls? without a line here: 000{whole + 1}-x"
    ) as found:
        rebuild(run.path)
    assert "--remeasure" in str(found.value.hint)
    again = rebuild(run.path, remeasure=True)
    assert again.remeasured is not None
    assert again.remeasured.live_onsets["their lines were missing"] == 3 - whole
    assert again.model_copy(update={"remeasured": None}) == before
    assert rebuild(run.path).exit_code == before.exit_code


def test_a_cut_line_without_its_timeline_is_said(run: Run) -> None:
    run.finish()
    file = run.path / "calls.jsonl"
    file.write_bytes(file.read_bytes()[:-9])
    run.directory.timeline("0003-x").unlink()
    for remeasure in (False, True):
        with pytest.raises(ConfigError, match="line 3 is cut off, and its call has no timeline"):
            rebuild(run.path, remeasure=remeasure)


def test_a_line_that_another_version_wrote_is_told_by_its_number(run: Run) -> None:
    with (run.path / "calls.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"call": "0004-x", "scenario": "x", "started": "", "ok": true, "turns": [{"turn": "first"}]}\n')
    with pytest.raises(ConfigError, match=r"not as this version writes it, at turns\.0\.") as caught:
        rebuild(run.path)
    assert str(caught.value.where).endswith("calls.jsonl:4")
    assert "harness_version" in str(caught.value.hint)
    assert "pydantic" not in str(caught.value)


def test_a_report_that_the_disk_refuses_is_a_reason_of_the_verdict(run: Run) -> None:
    (run.path / "report.html").mkdir()
    summary = run.finish()
    assert summary.exit_code == 4
    assert "harness.disk: report.html cannot be written" in str(summary.reasons[0].what)
    assert summary_on_disk(run)["exit_code"] == 4
    with pytest.raises(ConfigError, match=r"report\.html cannot be written"):
        rebuild(run.path)


def test_a_missing_timeline_is_told_by_its_name(run: Run) -> None:
    run.finish()
    run.directory.timeline("0002-x").unlink()
    with pytest.raises(ConfigError, match="timeline is missing") as caught:
        rebuild(run.path, remeasure=True)
    assert "0002-x" in str(caught.value.where)
    assert rebuild(run.path).calls.total == 3


@pytest.mark.parametrize("change", [{"scenarios": None}, {"thresholds": [{}]}, {"ending": {"dropped": "many"}}])
def test_a_run_json_that_says_something_else_is_a_usage_error(run: Run, change: dict[str, Any]) -> None:
    run.finish()
    settings = json.loads((run.path / "run.json").read_text(encoding="utf-8"))
    (run.path / "run.json").write_text(json.dumps({**settings, **change}), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"run\.json cannot be read"):
        rebuild(run.path)


def test_no_file_of_a_run_holds_a_key(run: Run) -> None:
    run.finish()
    for path in run.path.rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert (KEY in text, PLAIN_KEY in text) == (False, False), path.name
    command = json.loads((run.path / "run.json").read_text(encoding="utf-8"))["command"]
    assert command[-3:] == ["session.greeting=***", "--agent", "***"]


def test_a_signed_url_of_a_voice_is_kept_without_its_signature(run: Run) -> None:
    text = (run.path / "run.json").read_text(encoding="utf-8")
    assert text.count("https://voices.example/a.wav") == 2
    assert "X-Signature" not in text


def test_run_json_says_what_decided_the_run(run: Run) -> None:
    settings = json.loads((run.path / "run.json").read_text(encoding="utf-8"))
    assert {"run", "started", "target", "seed", "machine", "packages", "harness_version"} <= settings.keys()
    assert settings["thresholds"][0] == {"metric": "turn.ttfa", "limit": "p(95)<2s", "where": "x.yaml:7:1"}
    places = settings["scenarios"]["x"]["places"]
    assert places["turns.0.expect.ttfa"].endswith("x.yaml:6:14")
    assert places["greeting.within"].endswith("x.yaml:3:12")
