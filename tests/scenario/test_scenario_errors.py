"""Every mistake in a scenario: file, line and column, what is wrong, and the nearest right name."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import EXIT_USAGE, ScenarioError
from harness.scenario.load import load_scenario, load_scenarios

SAY = "turns:\n  - say: hello\n"


def error_of(folder: Path, text: str | bytes) -> tuple[str, ScenarioError]:
    """The place (without the folder) and the error of a scenario that cannot be followed."""
    file = folder / "s.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ScenarioError) as caught:
        load_scenario(file)
    return str(caught.value.where).removeprefix(f"{folder}/"), caught.value


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("turns:\n  - sya: hello\n", "s.yaml:2:5", "unknown key 'sya'; did you mean 'say'?"),
        ("turn:\n  - say: hello\n", "s.yaml:1:1", "unknown key 'turn'; did you mean 'turns'?"),
        (SAY + "sesion: {}\n", "s.yaml:3:1", "did you mean 'session'?"),
        (SAY + "session:\n  langage: fr\n", "s.yaml:4:3", "did you mean 'language'?"),
        (SAY + "greeting: {wihtin: 5s}\n", "s.yaml:3:12", "did you mean 'within'?"),
        (SAY + "timeouts: {replay: 5s}\n", "s.yaml:3:12", "did you mean 'reply'?"),
        (SAY + "    expct: {ttfa: <2s}\n", "s.yaml:3:5", "did you mean 'expect'?"),
        (SAY + "    expect:\n      tfa: <2s\n", "s.yaml:4:7", "did you mean 'ttfa'?"),
        (SAY + "    expect: {ttfa: {limits: 2s}}\n", "s.yaml:3:21", "did you mean 'limit'?"),
        (SAY + "    expect: {ttfa: {limit: 2s, pas: 1/2}}\n", "s.yaml:3:32", "did you mean 'pass'?"),
        ("pas: 9/10\n" + SAY, "s.yaml:1:1", "did you mean 'pass'?"),
        ("pass: {rate: 0.9, confidense: 0.95}\n" + SAY, "s.yaml:1:19", "did you mean 'confidence'?"),
        (SAY + "    expect: {reply: {contain: x}}\n", "s.yaml:3:22", "did you mean 'contains'?"),
        (SAY + "    expect: {calls_tol: a}\n", "s.yaml:3:14", "did you mean 'calls_tool'?"),
        (SAY + "    expect: {calls_tool: {nam: a}}\n", "s.yaml:3:27", "did you mean 'name'?"),
        ("turns:\n  - say: {text: hello, voise: x}\n", "s.yaml:2:24", "did you mean 'voice'?"),
    ],
)
def test_an_unknown_key_is_named_with_its_place_and_the_nearest_right_one(
    tmp_path: Path, text: str, place: str, says: str
) -> None:
    where, error = error_of(tmp_path, text)
    assert where == place
    assert says in error.what
    assert error.hint is not None
    assert "use one of: " in error.hint
    assert error.exit_code == EXIT_USAGE


@pytest.mark.parametrize(
    ("name", "limit", "says"),
    [
        ("turn.tfa", "p(95)<2s", "did you mean 'turn.ttfa'?"),
        ("'turn.ttfa{kid:say}'", "max<2s", "its tags are scenario:…, kind:…"),
        ("'turn.ttfa{kind:tpye}'", "max<2s", "did you mean 'type'?"),
        ("'expectations.failed{expect:tfa}'", "rate<0.1", "did you mean 'ttfa'?"),
        ("'greeting.ttfa{kind:say}'", "max<2s", "has no tag 'kind:say'"),
        ("turn.ttfa", "mean<2s", "unknown aggregate 'mean'; the aggregates are avg"),
        ("turn.ttfa", "p95<2s", "write p(95)<2s"),
        ("turn.ttfa", "p(101)<2s", "above 0 and at most 100"),
        ("turn.ttfa", "<2s", "has no aggregate"),
        ("turn.ttfa", "p(95)<2sec", "unknown unit 'sec'"),
        ("turn.ttfa", "rate<0.1", "turn.ttfa has no rate"),
        ("turn.ttfa", "count<5s", "counts in a unit of time"),
        ("turn.wer", "max<2s", "turn.wer is a ratio"),
        ("calls.failed", "max<0.1", "write rate<0.1"),
    ],
)
def test_a_threshold_that_cannot_be_judged_is_refused_at_its_own_line(
    tmp_path: Path, name: str, limit: str, says: str
) -> None:
    where, error = error_of(tmp_path, f"{SAY}thresholds:\n  turn.echo: max<1s\n  {name}: {limit}\n")
    assert where == "s.yaml:5:3"
    assert says in error.what


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        (SAY + "    expect: {ttfa: 2}\n", "s.yaml:3:14", "'2' has no unit; write <2s or <2ms"),
        (SAY + "    expect: {ttfa: <2 sec}\n", "s.yaml:3:14", "unknown unit 'sec'"),
        (SAY + "    expect: {ttfa: p(95)<2s}\n", "s.yaml:3:14", "has an aggregate"),
        (SAY + "    expect: {wer: <2s}\n", "s.yaml:3:14", "but must be a ratio"),
        (SAY + "    expect: {ttfa: soon}\n", "s.yaml:3:14", "is not a valid limit"),
        ("turns:\n  - wait: 2\n", "s.yaml:2:5", "'2' has no unit; write 2s or 2ms"),
        ("turns:\n  - say: hello\n  - say: hello\n    barge_in: 0.8\n", "s.yaml:4:5", "has no unit"),
        (SAY + "timeouts: {reply: 15}\n", "s.yaml:3:12", "has no unit"),
        (SAY + "greeting: {within: 5}\n", "s.yaml:3:12", "has no unit"),
    ],
)
def test_a_limit_or_duration_that_cannot_be_read_is_refused(tmp_path: Path, text: str, place: str, says: str) -> None:
    where, error = error_of(tmp_path, text)
    assert (where, says in error.what) == (place, True), error.what


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("turns:\n  - say: a\n    type: b\n", "s.yaml:2:5", "(got say and type)"),
        ("turns:\n  - say: a\n    wait: 2s\n", "s.yaml:2:5", "(got say and wait)"),
        ("turns:\n  - expect: {ttfa: <2s}\n", "s.yaml:2:5", "none of them"),
        ("turns:\n  - type: x\n    barge_in: 1s\n", "s.yaml:2:5", "barge_in is only allowed with say"),
        ("greeting: false\nturns:\n  - say: x\n    barge_in: 1s\n", "s.yaml:4:5", "greeting is false"),
        (SAY + "    expect: {echo: <2s}\n", "s.yaml:3:14", "not allowed in a say step"),
        (SAY + "    expect: {stops_within: <2s}\n", "s.yaml:3:14", "not allowed in a say step"),
        ("turns:\n  - type: x\n    expect: {wer: <0.3}\n", "s.yaml:3:14", "not allowed in a type step"),
        ("turns:\n  - wait: 2s\n    expect: {ttfa: <1s}\n", "s.yaml:3:14", "use agent_silent, agent_speaks"),
        ("turns:\n  - wait: 2s\n    expect: {calls_tool: a}\n", "s.yaml:3:14", "use agent_silent, agent_speaks"),
        (
            SAY + "    expect: {calls_tool: true}\n",
            "s.yaml:3:14",
            "calls_tool: must be the name of a tool",
        ),
        (SAY + "    expect: {calls_tool: [a, ' ']}\n", "s.yaml:3:30", "calls_tool.1: must not be empty"),
        (SAY + "    expect: {calls_tool: {arguments: {}}}\n", "s.yaml:3:14", "the key 'name' is missing"),
        (
            SAY + "    expect: {calls_tool: {name: a, arguments: {b: [1]}}}\n",
            "s.yaml:3:48",
            "calls_tool.arguments.b: must be a text, a number, true or false",
        ),
        ("turns:\n  - wait: 2s\n    expect: {agent_speaks: <3s}\n", "s.yaml:2:5", "longer than the wait of 2s"),
        (
            "turns:\n  - say: a\n  - say: b\n    barge_in: 1s\n    expect: {stops_within: 1s, keeps_talking: true}\n",
            "s.yaml:3:5",
            "cannot be combined",
        ),
        (SAY + "    expect: {reply: {}}\n", "s.yaml:3:14", "reply is empty"),
        (SAY + "    expect: {reply: {pass: 1/2}}\n", "s.yaml:3:14", "reply is empty"),
        ("pass: 90%\n" + SAY, "s.yaml:1:1", "'90%' is not a pass rate; write 9/10, or {rate: 0.9, confidence: 0.95}"),
        ("pass: 0.9\n" + SAY, "s.yaml:1:1", "is not a pass rate"),
        ("pass: [9/10]\n" + SAY, "s.yaml:1:1", "is not a pass rate"),
        ("pass: 11/10\n" + SAY, "s.yaml:1:1", "11/10 can never be met: of 10 calls at most 10 pass"),
        ("pass: 0/10\n" + SAY, "s.yaml:1:1", "0/10 is always met"),
        ("pass: {rate: 1}\n" + SAY, "s.yaml:1:8", "pass.rate: must be less than 1"),
        ("pass: {rate: often}\n" + SAY, "s.yaml:1:8", "pass.rate: must be a number"),
        ("pass: {rate: 0.9, confidence: 100%}\n" + SAY, "s.yaml:1:19", "pass.confidence: must be less than 1"),
        ("pass: {}\n" + SAY, "s.yaml:1:1", "the key 'rate' is missing"),
        (SAY + "    expect: {ttfa: {limit: <2, pass: 1/2}}\n", "s.yaml:3:21", "has no unit"),
        (SAY + "    expect: {ttfa: {pass: 1/2}}\n", "s.yaml:3:14", "the key 'limit' is missing"),
        (SAY + "    expect: {ends_call: {limit: false, pass: 1/2}}\n", "s.yaml:3:26", "must be true"),
        ("turns:\n  - wait: 2s\n    expect: {pass: 1/2}\n", "s.yaml:3:14", "pass needs something that is expected"),
        (SAY + "    expect: {reply: {matches: '('}}\n", "s.yaml:3:22", "is not a valid regular expression"),
        (SAY + "    expect: {reply: {contains: ''}}\n", "s.yaml:3:22", "must not be empty"),
        ("turns:\n  - type: '  '\n", "s.yaml:2:5", "must not be empty"),
        ("turns: []\n", "s.yaml:1:1", "turns: must not be empty"),
        ("turns: hello\n", "s.yaml:1:1", "must be a list"),
        ("turns:\n  - hello\n", "s.yaml:2:5", "a mapping of keys"),
        ("turns:\n  - say: [a]\n", "s.yaml:2:5", "must be a string"),
        ("turns:\n  - say: true\n", "s.yaml:2:5", "must be a string"),
        (SAY + "greeting: 5s\n", "s.yaml:3:1", "a mapping of keys"),
        (SAY + "tags: smoke\n", "s.yaml:3:1", "must be a list"),
        ("name: two words\n" + SAY, "s.yaml:1:1", "'two words' is not a valid name; use at most 80 letters, digits"),
        ("name: " + 81 * "x" + "\n" + SAY, "s.yaml:1:1", "at most 80"),
        (SAY + "thresholds: {turn.ttfa: []}\n", "s.yaml:3:14", "must not be empty"),
        (SAY + "thresholds: {turn.ttfa: {limit: max<2s, delay: 30s}}\n", "s.yaml:3:14", "delay has no effect without"),
        (SAY + "thresholds: {turn.ttfa: {limit: count>2, abort_on_fail: true}}\n", "s.yaml:3:14", "can still be met"),
        (
            SAY + "thresholds: {turn.ttfa: {limit: max<2s, abort_on_fial: true}}\n",
            "s.yaml:3:41",
            "did you mean 'abort_on_fail'?",
        ),
        (SAY + "thresholds: {turn.ttfa: [{abort_on_fail: true}]}\n", "s.yaml:3:26", "the key 'limit' is missing"),
        (
            SAY + "thresholds: {turn.ttfa: [{limit: max<2s, abort_on_fail: true, delay: 30}]}\n",
            "s.yaml:3:63",
            "has no unit",
        ),
        (SAY + "    expect: {keeps_talking: false}\n", "s.yaml:3:14", "must be true"),
        (SAY + "stop_on_failure: perhaps\n", "s.yaml:3:1", "must be true or false"),
        (SAY + "session: [en]\n", "s.yaml:3:1", "a mapping of keys"),
    ],
)
def test_a_step_that_cannot_be_followed_is_refused(tmp_path: Path, text: str, place: str, says: str) -> None:
    where, error = error_of(tmp_path, text)
    assert (where, says in error.what) == (place, True), f"{where}: {error.what}"


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("turns:\n  - say: a: b\n", "s.yaml:2:11", "invalid YAML"),
        ("turns: [\n", "s.yaml:2:1", "invalid YAML"),
        ("name: x\n\tturns: 1\n", "s.yaml:2:1", "invalid YAML"),
        ("turns:\n  - say: a\nturns:\n  - say: b\n", "s.yaml:3:1", 'duplicate key "turns"'),
        ("turns:\n  - say: a\n---\nturns: []\n", "s.yaml:3:1", "another document"),
        (b"name: caf\xe9\nturns: []\n", "s.yaml", "the file cannot be read"),
        ("", "s.yaml", "a scenario must be a mapping"),
        ("- say: a\n", "s.yaml", "a scenario must be a mapping"),
        ("name: a\x00b\n", "s.yaml", "invalid YAML"),
    ],
)
def test_a_file_that_is_no_yaml_is_refused_with_its_place(
    tmp_path: Path, text: str | bytes, place: str, says: str
) -> None:
    where, error = error_of(tmp_path, text)
    assert (where, says in error.what) == (place, True), f"{where}: {error.what}"
    assert error.hint


def test_files_that_are_missing_are_folders_or_share_a_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no such file"):
        load_scenario(tmp_path / "gone.yaml")
    with pytest.raises(ScenarioError, match="folder"):
        load_scenario(tmp_path)
    with pytest.raises(ScenarioError, match="no scenario"):
        load_scenarios([tmp_path])
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("name: same\n" + SAY, encoding="utf-8")
    with pytest.raises(ScenarioError, match="already used by") as caught:
        load_scenarios([tmp_path])
    assert str(caught.value.where) == f"{tmp_path / 'b.yaml'}:1:1"


def test_an_anchor_within_itself_is_an_error_and_no_endless_loop(tmp_path: Path) -> None:
    where, _ = error_of(tmp_path, "turns: &again\n  - *again\n")
    assert where.startswith("s.yaml:")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"turns:\n  - wait: {'9' * 5000}\n", "too long"),
        ("turns: " + "[" * 600 + "]" * 600, "nested too deeply"),
        (
            "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
            + "".join(f"{b}: &{b} [{','.join(10 * ['*' + a])}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)),
            "more than 100,000 values",
        ),
    ],
    ids=["a number", "brackets", "aliases"],
)
def test_yaml_that_no_one_can_read_is_refused_and_not_tried(tmp_path: Path, text: str, says: str) -> None:
    assert says in error_of(tmp_path, text)[1].what


def test_a_time_without_an_end_is_no_limit(tmp_path: Path) -> None:
    assert "too large" in error_of(tmp_path, SAY + f"    expect: {{ttfa: <{'9' * 400}s}}\n")[1].what
