"""The shipped scenarios against the real stack: what a user runs first."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import numpy as np
import pytest
import soundfile

from harness.record.run_directory import read_run
from harness.record.summary import Summary
from harness.report.published import published_schema, render_json
from tests.live.conftest import LiveStack, Ran, Running, harness, start, until_fit
from tests.report.page_data import document_in

pytestmark = pytest.mark.live

SMOKE_METRICS = (
    "session.create",
    "room.connect",
    "agent.join",
    "greeting.ttfa",
    "turn.ttfa",
    "turn.transcript",
    "turn.echo",
    "turn.reply_text",
    "turn.interrupted",
    "turn.talk_over",
    "turn.dead_air",
    "turn.wer",
    "audio.loss",
    "audio.concealed",
    "audio.clipped",
    "audio.jitter",
    "audio.rtt",
    "audio.jitter_buffer",
    "audio.level_dbfs",
)


# Engine `light` needs a fraction of the CPU; `smoke` is what a user runs first, on the engine that is the default.
LIGHT = ("--engine", "light", "--retry-unfit", "1")
OPTIONS = {
    "smoke": ("--repeat", "2", "--retry-unfit", "2"),
    "opening-hours": ("--calls", "2", *LIGHT),
    "barge-in": LIGHT,
}


def begin(stack: LiveStack, folder: Path, name: str) -> Running:
    copy = str(folder.with_suffix(".xml"))
    options = ("--agent", "demo", "--record", "all", "--junit", copy, *OPTIONS[name])
    return start(stack, folder, [f"scenarios/{name}.yaml"], *options)


@pytest.fixture(scope="module")
def shipped(stack: LiveStack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """The shipped scenarios, side by side."""
    folder = tmp_path_factory.mktemp("shipped")
    running = {name: begin(stack, folder / name, name) for name in OPTIONS}
    return {name: started.ran() for name, started in running.items()}


def trusted(stack: LiveStack, ran: Ran, name: str, *, last_fit: bool) -> Ran:
    """The run, or the next one that this machine was fit to measure.

    A run that was not says so itself: exit code 4. A turn that was not has no times; `last_fit` asks for a last call
    without one.
    """

    def make(attempt: int) -> Ran:
        return begin(stack, ran.folder.with_name(f"{name}-{attempt}"), name).ran() if attempt else ran

    def fit(made: Ran) -> bool:
        return made.fit and (not last_fit or all(turn["fit"] for turn in made.calls[name]["turns"]))

    return until_fit(make, fit, name)


@pytest.fixture(scope="module")
def smoke(stack: LiveStack, shipped: dict[str, Ran]) -> Ran:
    return trusted(stack, shipped["smoke"], "smoke", last_fit=True)


@pytest.fixture(scope="module")
def opening_hours(stack: LiveStack, shipped: dict[str, Ran]) -> Ran:
    return trusted(stack, shipped["opening-hours"], "opening-hours", last_fit=False)


@pytest.fixture(scope="module")
def barge_in(stack: LiveStack, shipped: dict[str, Ran]) -> Ran:
    return trusted(stack, shipped["barge-in"], "barge-in", last_fit=True)


def test_every_metric_of_the_smoke_scenario_has_samples(smoke: Ran) -> None:
    metrics = smoke.summary["metrics"]
    assert {name: metrics[name]["count"] for name in SMOKE_METRICS if name in metrics}.keys() == set(SMOKE_METRICS)
    assert smoke.calls["smoke"]["failure"] is None


def test_the_published_json_of_a_run_fits_its_schema(smoke: Ran) -> None:
    run = replace(read_run(smoke.folder), summary=Summary.model_validate(smoke.summary))
    jsonschema.validate(json.loads(render_json(run)), published_schema())


def test_the_agent_heard_and_answered(smoke: Ran) -> None:
    spoken, typed = smoke.calls["smoke"]["turns"]
    assert spoken["wer"] <= 0.3
    assert "nine" in spoken["reply"]
    assert "park" in typed["reply"].lower()
    assert spoken["ttfa_ms"] > 0 < typed["ttfa_ms"]


def test_the_times_agree_with_the_agents_own_log(smoke: Ran, truth_file: Path) -> None:
    """On one clock: the onset is heard after it was pushed, within what a packet, a codec and a buffer can take."""
    call = smoke.calls["smoke"]
    pushed = [
        (entry["at_ns"], entry["late_ms"])
        for entry in map(json.loads, truth_file.read_text().splitlines())
        if entry["room"] == call["room"] and entry["event"] == "push_start"
    ]
    onsets = [event["t"] for event in smoke.timeline(call["call"]) if event["event"] == "agent.onset"]
    assert len(pushed) == 3
    (greeted_ns, _), *replies = pushed
    # A greeting begins as its track does: how soon media comes through then is the machine's matter.
    assert any(-5 < (onset - greeted_ns) / 1e6 < 1000 for onset in onsets)
    for at_ns, late_ms in replies:  # the agent may have been late itself, and says so
        assert any(-5 < (onset - at_ns) / 1e6 < 250 + late_ms for onset in onsets)


def test_caller_and_agent_are_heard_where_the_timeline_says(smoke: Ran) -> None:
    call = smoke.calls["smoke"]
    audio, rate = soundfile.read(smoke.folder / call["recording"], dtype="int16")
    assert audio.shape[1] == 2
    for side, voices in ((0, call["caller_voice"]), (1, call["agent_voice"])):
        assert voices
        for start_ms, end_ms in voices:
            inside = audio[int(start_ms * rate / 1000) : int(end_ms * rate / 1000), side]
            assert _dbfs(inside) > -40
            if start_ms > 60:
                before = audio[int((start_ms - 60) * rate / 1000) : int((start_ms - 30) * rate / 1000), side]
                assert _dbfs(before) < _dbfs(inside) - 20


def _dbfs(samples: np.ndarray) -> float:
    return float(10 * np.log10(max(1e-9, float(np.mean(np.square(samples.astype(float) / 32768))))))


def test_the_reports_are_there_and_agree(smoke: Ran) -> None:
    suites = ET.parse(smoke.folder / "junit.xml").getroot()
    assert suites.get("tests") is not None
    assert smoke.folder.with_suffix(".xml").read_text() == (smoke.folder / "junit.xml").read_text()
    rows = (smoke.folder / "turns.csv").read_text().splitlines()
    assert rows[0].startswith("call,scenario,turn,kind,ttfa_ms,transcript_ms,echo_ms,reply_text_ms,wer,fit")
    assert len(rows) == 1 + 2 * 2
    report = document_in((smoke.folder / "report.html").read_text(encoding="utf-8"))
    assert "Do you have parking?" in [turn.text for call in report.published.calls for turn in call.turns]


def test_a_report_made_again_says_the_same(smoke: Ran) -> None:
    """The numbers anew from recordings and timelines are those measured live."""
    before, turns = smoke.summary, [call["turns"] for call in smoke.lines]
    assert harness("report", str(smoke.folder), "--remeasure").returncode == smoke.code
    assert smoke.summary["remeasured"] == {"from_recordings": 2, "live_onsets": {}, "unchanged": {}}
    assert smoke.summary | {"remeasured": None} == before
    assert [call["turns"] for call in smoke.lines] == turns


def test_its_recording_measured_from_the_sound_alone_finds_the_same_voices(smoke: Ran) -> None:
    """Where both people stand in the file is compared: by how much the file differs from the wire is the machine's."""
    call = smoke.calls["smoke"]
    said = harness("measure", str(smoke.folder / call["recording"]), "--caller", "left", "--json")
    assert said.returncode == 0, said.stdout
    [turn] = json.loads(said.stdout)["turns"]
    places = onset_places_ms(smoke.timeline(call["call"]))
    assert any(turn["agent_onset_ms"] == pytest.approx(place_ms, abs=2) for place_ms in places)
    [(start_ms, end_ms)] = call["caller_voice"]
    assert turn["caller_end_ms"] - turn["caller_start_ms"] == pytest.approx(end_ms - start_ms, abs=15)
    assert turn["ttfa_ms"] == pytest.approx(turn["agent_onset_ms"] - turn["caller_end_ms"], abs=1)


def onset_places_ms(timeline: list[dict[str, Any]]) -> list[float]:
    """Where the agent's voice sets in in the recording, by the anchors of its stream."""
    anchors = [event for event in timeline if event["event"] == "heard"]
    places = []
    for onset in (event for event in timeline if event["event"] == "agent.onset"):
        before = [anchor for anchor in anchors if anchor["position"] <= onset["position"]][-1]
        places.append((before["place"] + onset["position"] - before["position"]) / 48)
    return places


def test_many_calls_of_a_mixed_scenario(opening_hours: Ran) -> None:
    ran = opening_hours
    assert len(ran.standing) == 2
    assert not [kind for kind in ran.summary["failures"] if not kind.startswith("agent.")]
    assert ran.code in (0, 1), ran.out
    for call in ran.standing:
        assert len(call["turns"]) == 7
        assert (ran.folder / call["recording"]).exists()
    rates = [turn["wer"] for call in ran.standing for turn in call["turns"] if turn["kind"] == "say"]
    assert sum(rate is not None and rate <= 0.5 for rate in rates) >= 0.8 * len(rates), rates


def test_an_agent_that_is_talked_over(barge_in: Ran) -> None:
    long_answer, question, _, cough = barge_in.calls["barge-in"]["turns"]
    assert long_answer["ttfa_ms"] is not None
    assert question["exercised"]
    assert question["stop_ms"] < 2000
    assert cough["exercised"]
    assert [expectation["outcome"] for expectation in cough["expectations"]] != ["failed"]
