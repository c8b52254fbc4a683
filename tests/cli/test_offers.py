"""No hint is wrong: whatever is offered in place of a limit, a duration or an option is taken by the same command."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.errors import ScenarioError
from harness.scenario.load import load_scenario
from tests.cli.conftest import Command, write_scenario

SCENARIO = """\
name: a
greeting: {{within: {within}}}
turns:
  - say: when-do-you-open
    expect: {{ttfa: {ttfa}, wer: {wer}}}
  - type: And?
    expect: {{echo: {echo}}}
  - wait: {wait}
timeouts: {{reply: {reply}}}
thresholds: {{{metric}: {threshold}}}
"""
GOOD = {
    "within": "<5s",
    "ttfa": "<2s",
    "wer": "<=0.3",
    "echo": "<500ms",
    "wait": "2s",
    "reply": "5s",
    "metric": "turn.ttfa",
    "threshold": '"p(95)<2s"',
}
METRICS = ("turn.ttfa", "turn.wer", "calls.failed", "audio.loss", "audio.level_dbfs")  # one of each form of limit
LIMITS = (
    *("2", "0", "<2", "<0", "-2", "<-2s", "2%", "<30%", "<150%", "2s", "0s", "<0s", ">=0", "soon", "<2sec", "1.5"),
    *("p(95)<2s", "p95<2s", "p(95)<2", "p(95)<0", "p(95)<2%", "p(0)<2s", "max<30", "max<2s", "avg<=30", "mean<2s"),
    *("rate<1", "rate<=1", "rate<5", "rate<0", "rate<2s", "rate>1", "rate<1%", "count<5s", "count<5%", "count>=0"),
    *("min>0", "min>-30", "min>-30s", "median<3s", "<", "", "true"),
)
_OFFER = re.compile(r"(?:write for example|write|did you mean) (.*)\Z")


def offered(message: str) -> list[str]:
    """What is offered in place of what was refused."""
    found = _OFFER.search(message.partition("\n  hint: ")[0])
    return [] if found is None else [form.strip(" '?") for form in re.split(r" or |, ", found[1])]


def _refusal(folder: Path, **values: str) -> str | None:
    """What `validate` says of the scenario with these values; None where it takes it."""
    path = write_scenario(folder, SCENARIO.format(**{**GOOD, **values}))
    try:
        load_scenario(path)
    except ScenarioError as problem:
        return str(problem)
    return None


def _follow_all(folder: Path, key: str, texts: Sequence[str], **values: str) -> dict[str, list[str]]:
    """All that is offered for texts that are refused, each of it followed."""
    found: dict[str, list[str]] = {}
    taken: set[str] = set()  # many texts are offered the same
    for text in texts:
        message = _refusal(folder, **values, **{key: f'"{text}"'})
        if message is None:
            continue
        found[text] = offered(message)
        assert found[text], f"{key}: {text!r} is refused and nothing is offered: {message}"
        for form in set(found[text]) - taken:
            again = _refusal(folder, **values, **{key: f'"{form}"'})
            assert again is None, f"{key}: {text!r} → {form!r} → {again}"
            taken.add(form)
    return found


@pytest.mark.parametrize("key", ["within", "ttfa", "wer", "echo"])
def test_what_is_offered_for_an_expectation_is_taken(tmp_path: Path, key: str) -> None:
    found = _follow_all(tmp_path, key, LIMITS)
    assert len(found) > 20
    assert found["p(95)<2s"] == (["<=0.3", "<=30%"] if key == "wer" else ["<2s"])


@pytest.mark.parametrize("metric", METRICS)
def test_what_is_offered_for_a_threshold_is_taken(command: Command, tmp_path: Path, metric: str) -> None:
    found = _follow_all(tmp_path, "threshold", LIMITS, metric=metric)
    assert len(found) > 20
    write_scenario(tmp_path, SCENARIO.format(**GOOD))
    for form in sorted({form for forms in found.values() for form in forms})[:3]:
        option = ["--threshold", f"{metric}: {form}"]
        assert command("run", "s.yaml", "--target", "embedded", "--dry-run", *option).code == 0


@pytest.mark.parametrize("key", ["wait", "reply"])
def test_what_is_offered_for_a_duration_is_taken(tmp_path: Path, key: str) -> None:
    _follow_all(tmp_path, key, ["2", "0", "0.5", "two", "-1s"])


LOAD = ["load", "s.yaml", "--target", "embedded"]
RUN = ["run", "s.yaml", "--target", "embedded"]


@pytest.mark.parametrize(
    ("words", "asks", "follows"),
    [
        ([*LOAD], "--stages 2m:20,5m:50,1m:0", [*LOAD, "--stages", "2m:20,5m:50,1m:0"]),
        ([*LOAD], "--calls N (with", [*LOAD, "--calls", "2"]),
        ([*LOAD], "--burst N", [*LOAD, "--burst", "2"]),
        ([*LOAD], "--rate PER_MINUTE --duration D", [*LOAD, "--rate", "9", "--duration", "5m"]),
        ([*LOAD, "--rate", "9"], "add --duration 5m", [*LOAD, "--rate", "9", "--duration", "5m"]),
        ([*LOAD, "--burst", "x"], "--burst 5,10,20", [*LOAD, "--burst", "5,10,20"]),
        ([*LOAD, "--stages", "x"], "2m:20,5m:50,1m:0", [*LOAD, "--stages", "2m:20,5m:50,1m:0"]),
        (
            [*LOAD, "--rate", "90", "--duration", "5m", "--session-rate", "60"],
            "use --rate 60 or less, or raise --session-rate to 90",
            [*LOAD, "--rate", "60", "--duration", "5m", "--session-rate", "60"],
        ),
        (
            [*LOAD, "--burst", "5", "--warm-up", "9s"],
            "use --stages, or --calls with --duration",
            [*LOAD, "--calls", "5", "--duration", "1m", "--warm-up", "9s"],
        ),
        (
            [*LOAD, "--engine", "sdk", "--calls", "5", "--canaries", "1"],
            "use --engine light",
            [*LOAD, "--engine", "light", "--calls", "5", "--canaries", "1"],
        ),
        (
            [*LOAD, "--calls", "5", "--threshold", "audio.jitter_buffer: max<1s"],
            "use --engine sdk",
            [*LOAD, "--calls", "5", "--engine", "sdk", "--threshold", "audio.jitter_buffer: max<1s"],
        ),
        ([*RUN, "--duration", "5m"], "add --rate PER_MINUTE", [*RUN, "--duration", "5m", "--rate", "9"]),
        ([*RUN, "--rate", "9", "--duration", "5"], "write 5s or 5ms", [*RUN, "--rate", "9", "--duration", "5s"]),
        ([*RUN, "--rate", "9", "--duration", "0"], "for example 500ms", [*RUN, "--rate", "9", "--duration", "500ms"]),
        ([*RUN, "--record", "some"], "must be none, failed or all", [*RUN, "--record", "failed"]),
        ([*RUN, "--threshold", "soon"], "'turn.ttfa: p(95)<1500ms'", [*RUN, "--threshold", "turn.ttfa: p(95)<1500ms"]),
        ([*RUN, "--target", "embeded"], "did you mean 'embedded'?", [*RUN, "--target", "embedded"]),
        ([*RUN, "--engine", "lite"], "light", [*RUN, "--engine", "light"]),
        (
            ["capacity", "s.yaml", "--target", "embedded", "--call-duration", "5"],
            "use 15s or longer",
            ["capacity", "s.yaml", "--target", "embedded", "--call-duration", "15s"],
        ),
    ],
)
def test_what_is_offered_on_the_command_line_is_taken(
    command: Command, tmp_path: Path, words: list[str], asks: str, follows: list[str]
) -> None:
    write_scenario(tmp_path, SCENARIO.format(**GOOD))
    said = command(*words, "--dry-run")
    assert said.code == 2
    assert asks in said.error
    assert command(*follows, "--dry-run").code == 0


def test_a_call_duration_without_a_unit_gets_no_advice_that_is_too_short(command: Command, tmp_path: Path) -> None:
    write_scenario(tmp_path, SCENARIO.format(**GOOD))
    said = command("capacity", "s.yaml", "--target", "embedded", "--call-duration", "5", "--dry-run")
    assert said.error == "--call-duration: '5' has no unit\n  hint: use 15s or longer"
