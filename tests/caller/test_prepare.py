"""Scenarios made ready: which agent is called, what is said, what cannot be judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.caller.prepare import Prepared, agent_for, prepare
from harness.errors import ConfigError, FixtureError, ScenarioError, UsageError
from harness.scenario.load import LoadedScenario, load_scenario
from harness.secret import Secret
from harness.target.target import Target

ROOT = Path(__file__).parents[2]
EMBEDDED = Target(name="embedded", kind="embedded")
FIXTURES = ROOT / "audio_fixtures"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "audio_fixtures").symlink_to(FIXTURES)
    return tmp_path


def load(folder: Path, text: str) -> LoadedScenario:
    file = folder / "s.yaml"
    file.write_text(text, encoding="utf-8")
    return load_scenario(file)


async def ready(scenario: LoadedScenario, target: Target = EMBEDDED, *, speak: bool = False) -> Prepared:
    (made,) = await prepare([scenario], target, agent=None, say=lambda _: None, speak=speak)
    return made


def test_the_agent_is_the_options_else_the_scenarios_else_the_targets(tmp_path: Path) -> None:
    plain = load(tmp_path, "turns: [{say: a}]\n")
    own = load(tmp_path, "agent: own\nturns: [{say: a}]\n")
    target = replace(EMBEDDED, agent="targets")
    assert agent_for(own, target, "option") == "option"
    assert agent_for(own, target, None) == "own"
    assert agent_for(plain, target, None) == "targets"
    assert agent_for(plain, EMBEDDED, None) == "demo"


@pytest.mark.parametrize("blank", ["", " "])
def test_an_agent_of_a_variable_that_is_not_set_is_not_the_default_one(tmp_path: Path, blank: str) -> None:
    with pytest.raises(UsageError, match="must not be empty"):
        agent_for(load(tmp_path, "agent: own\nturns: [{say: a}]\n"), EMBEDDED, blank)


def test_a_target_that_names_no_agent_is_an_error_unless_it_is_the_embedded_one(tmp_path: Path) -> None:
    service = Target(name="staging", kind="session", url="http://127.0.0.1:1/")
    with pytest.raises(ConfigError, match="no agent is named") as caught:
        agent_for(load(tmp_path, "turns: [{say: a}]\n"), service, None)
    assert caught.value.hint is not None
    assert "--agent" in caught.value.hint


async def test_each_step_that_speaks_has_its_audio_and_the_others_none(folder: Path) -> None:
    made = await ready(load(folder, "turns:\n  - say: hello\n  - type: Hi.\n  - wait: 1s\n  - say: thank-you\n"))
    assert [None if one is None else one.name for one in made.speech] == ["hello", None, None, "thank-you"]
    assert made.speech[0] is not None
    assert made.speech[0].text
    assert made.timeouts.reply == 15


async def test_an_unknown_fixture_is_an_error_at_its_line_with_the_nearest_right_name(folder: Path) -> None:
    with pytest.raises(FixtureError) as caught:
        await ready(load(folder, "turns:\n  - say: hello\n  - say: thank-yu\n"))
    assert str(caught.value.where).endswith("s.yaml:3:5")
    assert "thank-you" in str(caught.value)


async def test_a_missing_wav_is_an_error_at_its_line(folder: Path) -> None:
    with pytest.raises(FixtureError) as caught:
        await ready(load(folder, "turns:\n  - say: gone.wav\n"))
    assert str(caught.value.where).endswith("s.yaml:2:5")


async def test_the_targets_own_key_never_stands_in_a_scenario(folder: Path) -> None:
    key = "key-of-a-service-without-prefix"
    service = Target(name="staging", kind="session", url="http://127.0.0.1:1/", agent="x", api_key=Secret(key))
    with pytest.raises(ScenarioError, match="must not contain an API key") as caught:
        await ready(load(folder, f"turns:\n  - say: hello\n  - type: It is {key}.\n"), service)
    assert str(caught.value.where).endswith("s.yaml:3:5")
    assert key not in str(caught.value)
    (folder / "p.md").write_text(key, encoding="utf-8")
    with pytest.raises(ScenarioError, match="must not contain an API key"):
        await ready(load(folder, "session: {system_prompt: p.md}\nturns: [{type: a}]\n"), service)


async def test_words_of_a_wav_that_nobody_wrote_down_cannot_be_judged(folder: Path) -> None:
    (folder / "mine.wav").write_bytes((FIXTURES / "hello.wav").read_bytes())
    with pytest.raises(ScenarioError, match=r"the text of .* is not known") as caught:
        await ready(load(folder, "turns:\n  - say: mine.wav\n    expect: {wer: <=0.3}\n"))
    assert str(caught.value.where).endswith("s.yaml:3:14")


async def test_the_shipped_scenarios_are_ready_and_their_length_is_bounded() -> None:
    for path in sorted((ROOT / "scenarios").glob("*.yaml")):
        made = await ready(load_scenario(path))
        says = [step.say is not None for step in made.loaded.model.turns]
        assert [speech is not None for speech in made.speech] == says
        assert 30 < made.longest_s() < 400


@pytest.mark.parametrize(
    ("step", "session", "what", "hint"),
    [
        ("{say: 你们几点开门}", "{}", "contains no Latin letter", "language: zh"),
        ("{say: 何時に開きますか}", "{language: ja}", "does not read kanji", "kana"),
        ("{say: 'Hello there'}", "{language: lo}", "no installed voice speaks 'lo'", "record it"),
        ("{say: {text: Hello, voice: nobody}}", "{}", "unknown voice 'nobody'", "use one of joe"),
    ],
)
async def test_a_text_that_no_voice_here_reads_is_refused_where_it_stands(
    folder: Path, step: str, session: str, what: str, hint: str
) -> None:
    with pytest.raises(FixtureError, match=what) as caught:
        await ready(load(folder, f"session: {session}\nturns:\n  - {step}\n"))
    assert hint in (caught.value.hint or "")
    assert "s.yaml:3:" in str(caught.value.where)


@pytest.mark.parametrize("language", ["zh", "zh-CN", "yue", "no", "he"])
async def test_a_language_is_spoken_by_the_name_that_its_voice_has(folder: Path, language: str) -> None:
    made = await ready(load(folder, f"session: {{language: {language}}}\nturns: [{{say: '你们 ok'}}]\n"))
    assert len(made.speech) == 1


@pytest.mark.parametrize("say", ["cough", "mm-hmm", "'...  ?'"])
async def test_a_word_error_rate_of_no_words_is_refused_where_it_stands(folder: Path, say: str) -> None:
    scenario = load(folder, f"turns:\n  - say: {say}\n    expect: {{wer: <=0.3}}\n")
    with pytest.raises(ScenarioError, match="wer cannot be judged") as caught:
        await ready(scenario)
    assert "s.yaml:3:" in str(caught.value.where)


async def test_a_limit_on_word_error_rates_needs_known_words(folder: Path) -> None:
    with pytest.raises(ScenarioError, match=r"turn\.wer cannot be judged"):
        await ready(load(folder, "turns: [{say: cough}]\nthresholds: {turn.wer: p(95)<0.3}\n"))
