"""What the values of a scenario mean: YAML 1.2, numbers as text, the environment, --set, prompts, timeouts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import ScenarioError
from harness.scenario.by_hand import scenario_by_hand
from harness.scenario.load import LoadedScenario, load_scenario, load_scenarios, parse_set
from harness.scenario.model import Scenario
from harness.scenario.timeouts import CallTimeouts, resolve_timeouts

KEY = "sk_live_0123456789abcdef"
SAY = "turns:\n  - say: hello\n"
SHIPPED = Path(__file__).parents[2] / "scenarios"


def load(folder: Path, text: str, *, sets: tuple[str, ...] = (), env: dict[str, str] | None = None) -> LoadedScenario:
    file = folder / "s.yaml"
    file.write_text(text, encoding="utf-8")
    return load_scenario(file, sets=[parse_set(one) for one in sets], env=env)


def test_the_shipped_scenarios_load_and_are_named_for_their_files() -> None:
    loaded = load_scenarios([SHIPPED])
    assert {one.name for one in loaded} == {"smoke", "opening-hours", "barge-in", "load"}
    assert all(one.name == one.path.stem for one in loaded)


def test_the_file_names_a_scenario_without_a_name(tmp_path: Path) -> None:
    assert load(tmp_path, SAY).name == "s"


def test_times_and_no_are_texts_as_in_yaml_1_2(tmp_path: Path) -> None:
    scenario = load(
        tmp_path, "turns:\n  - type: 9:30\n    expect: {reply: {contains_any: [no, yes, on, 2024-01-02]}}\n"
    ).model
    assert scenario.turns[0].type == "9:30"
    assert scenario.turns[0].expect.reply is not None
    assert scenario.turns[0].expect.reply.contains_any == ["no", "yes", "on", "2024-01-02"]


@pytest.mark.parametrize("number", ["9", "3.50", "007", "1e3", "12e45", "0o17", "0x1F", "1_000", "-3", ".5"])
def test_a_number_where_text_is_meant_is_the_text_that_was_written(tmp_path: Path, number: str) -> None:
    text = f"agent: {number}\nturns:\n  - type: {number}\n    expect: {{reply: {{contains: {number}, matches: 9}}}}\n"
    scenario = load(tmp_path, text).model
    reply = scenario.turns[0].expect.reply
    assert reply is not None
    assert (scenario.agent, scenario.turns[0].type, reply.contains) == (number, number, [number])
    assert load(tmp_path, SAY, sets=(f"agent={number}",)).model.agent == number


def test_numbers_are_limits_by_their_value(tmp_path: Path) -> None:
    scenario = load(tmp_path, SAY + "    expect: {wer: 2e-1}\n").model
    wer = scenario.turns[0].expect.wer
    assert wer is not None
    limit = wer.limit
    assert (limit.value, limit.written, str(limit)) == (0.2, "0.2", "<0.2")


def test_a_pass_rate_is_written_into_a_run_as_it_is_read(tmp_path: Path) -> None:
    expect = "    expect: {ttfa: {limit: 2s, pass: ' 9 / 10'}, wer: {limit: 0.3}}\n"
    scenario = load(tmp_path, f"pass: {{rate: .9}}\n{SAY}{expect}").model
    written = scenario.model_dump(exclude_none=True, exclude_defaults=True)
    assert written["pass"] == {"rate": 0.9}
    assert written["turns"][0]["expect"] == {"ttfa": {"limit": "2s", "pass": "9/10"}, "wer": "0.3"}
    assert Scenario.model_validate(written) == scenario


def test_a_threshold_may_abort_the_run_after_a_delay(tmp_path: Path) -> None:
    abort = "thresholds.turn.ttfa=[max<9s, {limit: p(95)<2s, abort_on_fail: true, delay: 1m}]"
    made = load(tmp_path, SAY, sets=(abort, "thresholds.turn.wer={limit: avg<0.1, abort_on_fail: true}")).model
    found = {name: [(each.limit, each.abort_after_s) for each in limits] for name, limits in made.thresholds.items()}
    assert found == {"turn.ttfa": [("max<9s", None), ("p(95)<2s", 60.0)], "turn.wer": [("avg<0.1", 0.0)]}
    written = made.model_dump(exclude_none=True, exclude_defaults=True)
    assert written["thresholds"]["turn.ttfa"] == [
        "max<9s",
        {"limit": "p(95)<2s", "abort_on_fail": True, "delay": "1m"},
    ]
    assert Scenario.model_validate(written) == made


def test_the_environment_fills_in_texts_and_a_doubled_sign_stands_for_itself(tmp_path: Path) -> None:
    text = "turns:\n  - type: ${NAME} costs $${NAME} and $5\n"
    assert load(tmp_path, text, env={"NAME": "tea"}).model.turns[0].type == "tea costs ${NAME} and $5"


def test_a_value_of_the_environment_is_taken_as_it_is(tmp_path: Path) -> None:
    shared = "turns:\n  - type: a\n    expect: &e {reply: {contains: '${X}'}}\n  - type: b\n    expect: *e\n"
    scenario = load(tmp_path, shared, env={"X": "${Y}"}).model
    for step in scenario.turns:
        assert step.expect.reply is not None
        assert step.expect.reply.contains == ["${Y}"]


def test_a_variable_that_is_not_set_is_an_error_at_its_place(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="variable NAME is not set") as caught:
        load(tmp_path, "turns:\n  - say: hello\n  - type: ${NAME}\n", env={})
    assert str(caught.value.where).endswith("s.yaml:3:5")


@pytest.mark.parametrize("key", ["sk_live_0123456789", " sk_live_0123456789\n"])
def test_a_key_never_comes_into_a_scenario_and_is_not_shown(tmp_path: Path, key: str) -> None:
    with pytest.raises(ScenarioError, match="holds an API key") as caught:
        load(tmp_path, "turns:\n  - type: ${K}\n", env={"K": key})
    assert "0123456789" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f"turns:\n  - type: my key is {KEY}\n", "s.yaml:2:5"),
        (f"session:\n  system_prompt: |\n    Your key\n    is {KEY}.\nturns: [{{type: a}}]\n", "s.yaml:2:3"),
        (f"turns:\n  - type: a\n    expect: {{reply: {{contains: [b, {KEY}]}}}}\n", "s.yaml:3:36"),
        (f"turns: [{{type: a}}]\n{KEY}: 1\n", "s.yaml:2:1"),
        (f"name: {KEY}\nturns: [{{type: a}}]\n", "s.yaml:1:1"),
        ("session: {system_prompt: p.md}\nturns: [{type: a}]\n", "p.md"),
    ],
)
def test_a_key_in_a_scenario_is_refused_and_not_repeated(tmp_path: Path, text: str, place: str) -> None:
    (tmp_path / "p.md").write_text(f"Be kind. {KEY}\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match="a scenario must not contain an API key") as caught:
        load(tmp_path, text)
    assert str(caught.value.where) == f"{tmp_path}/{place}"
    assert "api_key_env" in str(caught.value.hint)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("text", ["sk_pozdrav-na-uvod", "desk_Top20200101xyz", "sk_1", "ask_Me4AllThatIsThere"])
def test_what_only_begins_like_a_key_may_be_said(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, f"turns:\n  - type: {text}\n").model.turns[0].type == text


@pytest.mark.parametrize(
    ("assignment", "keys", "value"),
    [
        ("session.language=fr", ("session", "language"), "fr"),
        ("session.greeting=9:30", ("session", "greeting"), "9:30"),
        ("session.greeting=a: b: c", ("session", "greeting"), "a: b: c"),
        ("session.greeting=a=b", ("session", "greeting"), "a=b"),
        ("session.greeting=", ("session", "greeting"), ""),
        ("turns.0.say=bye", ("turns", 0, "say"), "bye"),
        ("turns.0.expect.ttfa=<9s", ("turns", 0, "expect", "ttfa"), "<9s"),
        ("turns=[{type: a}]", ("turns", 0, "type"), "a"),
        ("greeting.within=9s", ("greeting", "within"), "9s"),
        ("greeting=false", ("greeting",), False),
        ("tags=[a, b]", ("tags",), ["a", "b"]),
        ("thresholds.turn.ttfa=max<1s", ("thresholds", "turn.ttfa"), ["max<1s"]),
        ("thresholds.turn.ttfa{kind:say}=max<1s", ("thresholds", "turn.ttfa{kind:say}"), ["max<1s"]),
        ("pass=9/10", ("pass",), "9/10"),
        ("pass={rate: 90%}", ("pass",), {"rate": 0.9, "confidence": 0.95}),
        ("turns.0.expect.ttfa={limit: <9s, pass: 1/2}", ("turns", 0, "expect", "ttfa", "pass"), "1/2"),
        ("timeouts.reply=3s", ("timeouts", "reply"), "3s"),
    ],
)
def test_set_overrides_any_key(tmp_path: Path, assignment: str, keys: tuple[str | int, ...], value: Any) -> None:
    found: Any = load(tmp_path, SAY, sets=(assignment,)).model.model_dump(exclude_none=True)
    for key in keys:
        found = found[key]
    assert found == value


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("session.language", "is not KEY=VALUE"),
        ("=fr", "is not KEY=VALUE"),
        ("sesion.language=fr", "did you mean 'session'"),
        ("session.langage=fr", "did you mean 'language'"),
        ("turns.1.say=x", "turns is a list of 1 and has no item '1'"),
        ("turns.-1.say=x", "has no item '-1'"),
        ("turns.first.say=x", "has no item 'first'"),
        ("turns.².say=x", "has no item '²'"),
        ("tags.0=x", "tags is a list of 0"),
        ("tags.0.x=y", "tags is a list of 0"),
        ("timeouts.reply=3", "has no unit"),
        ("name.x=1", "must be a string"),
        ("session..language=x", "unknown key ''"),
    ],
)
def test_a_set_that_means_nothing_is_an_error(tmp_path: Path, assignment: str, says: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path, "tags: []\n" + SAY, sets=(assignment,))
    assert says in caught.value.what


def test_a_prompt_file_is_read_beside_the_scenario_and_an_inline_prompt_is_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "cafe.md").write_text("You are a cafe.\n", encoding="utf-8")
    assert load(tmp_path, SAY + "session: {system_prompt: cafe.md}\n").overrides == {
        "system_prompt": "You are a cafe.\n"
    }
    assert load(tmp_path, SAY + "session: {system_prompt: You are a bar.}\n").overrides == {
        "system_prompt": "You are a bar."
    }
    with pytest.raises(ScenarioError, match=r"prompt file 'bar.md' does not exist") as caught:
        load(tmp_path, SAY + "session: {system_prompt: bar.md}\n")
    assert str(caught.value.where).endswith("s.yaml:3:11")


@pytest.mark.parametrize("prompt", ["../prompts/a.markdown", "prompts/a", "a.prompt", "https://x.example/prompt"])
def test_what_looks_like_a_path_does_not_become_the_prompt(tmp_path: Path, prompt: str) -> None:
    with pytest.raises(ScenarioError, match="does not exist"):
        load(tmp_path, SAY + f"session: {{system_prompt: {prompt}}}\n")


def test_a_prompt_file_may_lie_below_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "a.markdown").write_text("You are a ferry office, and you are brief.\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    found = load(tmp_path / "scenarios", SAY + "session: {system_prompt: prompts/a.markdown}\n")
    assert found.overrides["system_prompt"].startswith("You are a ferry office")
    assert found.prompt is not None
    assert str(found.prompt) == (
        f"prompt prompts/a.markdown, 'You are a ferry office, and you are brief.' (sha256 {found.prompt.sha256[:8]})"
    )


def test_a_key_that_is_left_out_is_no_override(tmp_path: Path) -> None:
    assert load(tmp_path, SAY + "session: {language: fr}\n").overrides == {"language": "fr"}
    assert load(tmp_path, SAY).overrides == {}


def test_timeouts_are_the_scenarios_else_the_targets_else_the_defaults(tmp_path: Path) -> None:
    scenario = load(tmp_path, SAY + "timeouts: {reply: 500ms, call: 2m}\n").model
    resolved = resolve_timeouts(scenario.timeouts, {"reply": 9.0, "session": 3.0})
    assert (resolved.reply, resolved.call, resolved.session, resolved.connect) == (0.5, 120.0, 3.0, 10.0)
    assert CallTimeouts() == CallTimeouts(
        session=10, connect=10, agent_join=15, greeting=5, reply=15, end_silence=1.5, call=300
    )


def test_steps_given_by_hand_keep_their_order_and_none_means_listening(tmp_path: Path) -> None:
    made = scenario_by_hand([("say", "hello"), ("type", "Hi."), ("say", "bye")], sets=[], folder=tmp_path, env={})
    assert [step.kind for step in made.model.turns] == ["say", "type", "say"]
    assert [step.kind for step in scenario_by_hand([], sets=[], folder=tmp_path, env={}).model.turns] == ["wait"]
    with pytest.raises(ScenarioError) as caught:
        scenario_by_hand([("type", " ")], sets=[], folder=tmp_path, env={})
    assert str(caught.value.where) == "--type ' '"


@pytest.mark.parametrize(
    ("assignment", "where"),
    [
        ("session.langauge=fr", "--set"),
        ("turns.1.expect.ttfa=soon", "--set"),
        ("turns.9.say=x", "command line"),
        ("turns.1.say=[a]", "--say hello"),
        ("name=two words", "command line"),
    ],
)
def test_what_is_wrong_by_hand_is_told_by_its_option(tmp_path: Path, assignment: str, where: str) -> None:
    steps = [("type", "Hi."), ("say", "hello")]
    with pytest.raises(ScenarioError) as caught:
        scenario_by_hand(steps, sets=[parse_set(assignment)], folder=tmp_path, env={})
    assert str(caught.value.where) == where
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("timeout", ["reply", "call", "end_silence"])
def test_a_timeout_of_no_time_is_refused(tmp_path: Path, timeout: str) -> None:
    with pytest.raises(ScenarioError, match=rf"timeouts\.{timeout}: must be longer than 0 \(got 0ms\)"):
        load(tmp_path, SAY + f"timeouts: {{{timeout}: 0ms}}\n")
