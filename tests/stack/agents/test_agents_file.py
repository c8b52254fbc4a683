from __future__ import annotations

import random
from pathlib import Path

import pytest

from harness.errors import ConfigError, KnowledgeError
from harness.stack.agents_file import AgentSpec, agent_named, load_agents
from harness.stack.knowledge import read_file, store_passages

AGENT = "agents:\n  slow:\n    prompt: We are open.\n    greeting: Hello.\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "agents.yaml"
    path.write_text(text)
    return path


def spec_of(folder: Path, more: str) -> AgentSpec:
    return load_agents(written(folder, AGENT + f"    {more}\n"))["slow"]


def test_shipped_agents_are_always_there() -> None:
    agents = load_agents(None)
    assert set(agents) == {"demo", "light", "truth"}
    assert agents["demo"].greeting == "Blue Cafe, how can I help?"
    assert "weekdays" in agents["demo"].prompt
    assert (agents["light"].ear, agents["light"].brain) == ("none", "fixed")
    assert agents["truth"].kind == "truth"
    delays = {agents["truth"].sample_delay_s(random.Random(seed)) for seed in range(50)}
    assert delays == {0.3, 0.8, 1.5}


def test_a_file_adds_and_replaces(tmp_path: Path) -> None:
    path = written(tmp_path, AGENT + "  light: {prompt: Else., greeting: Hi.}\n")
    agents = load_agents(path)
    assert set(agents) == {"demo", "light", "truth", "slow"}
    assert agents["light"].prompt == "Else."


def test_a_prompt_may_be_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "facts.md").write_text("We sell tea.")
    path = written(tmp_path, "agents:\n  tea: {prompt: facts.md, greeting: Hi.}\n")
    assert load_agents(path)["tea"].prompt == "We sell tea."


@pytest.mark.parametrize(
    ("delay", "low_s", "high_s"),
    [
        ("300ms", 0.3, 0.3),
        ("{uniform: [300ms, 900ms]}", 0.3, 0.9),
        ("{choice: [1s, 2s]}", 1.0, 2.0),
        ("{lognormal: {median: 800ms, sigma: 0.3}}", 0.2, 3.2),
        ("{mix: [300ms, {uniform: [1s, 2s]}, {choice: [3s, 100ms]}]}", 0.1, 3.0),
    ],
)
def test_reply_delays(tmp_path: Path, delay: str, low_s: float, high_s: float) -> None:
    spec = spec_of(tmp_path, f"reply_delay: {delay}")
    rng = random.Random(7)
    delays = [spec.sample_delay_s(rng) for _ in range(500)]
    assert low_s <= min(delays)
    assert max(delays) <= high_s
    assert delays[:5] == [spec.sample_delay_s(again) for again in [random.Random(7)] for _ in range(5)]


def test_lognormal_has_its_median(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, "reply_delay: {lognormal: {median: 800ms, sigma: 0.3}}")
    rng = random.Random(1)
    delays = sorted(spec.sample_delay_s(rng) for _ in range(2001))
    assert delays[1000] == pytest.approx(0.8, rel=0.03)


def test_a_reference_voice_is_a_url_or_a_file_beside_the_agents_file(tmp_path: Path) -> None:
    (tmp_path / "a voice.wav").touch()
    assert spec_of(tmp_path, "reference_audio_url: a voice.wav").reference_audio_url == (
        (tmp_path / "a voice.wav").as_uri()
    )
    url = "https://a.example/b.wav"
    spec = spec_of(tmp_path, f"reference_audio_url: {url}")
    assert spec.reference_audio_url == url
    assert spec.overridden({"reference_audio_url": f"{url}?x"}).reference_audio_url == f"{url}?x"


def test_overrides_of_a_session() -> None:
    spec = load_agents(None)["demo"].overridden({"greeting": "", "language": "fr", "reference_audio_url": "x"})
    assert spec.greeting == ""
    assert spec.spoken_voice == "espeak"
    assert "weekdays" in spec.prompt
    assert spec.overridden({"system_prompt": "We sell tea."}).prompt == "We sell tea."


@pytest.mark.parametrize(
    ("more", "place", "told"),
    [
        ("promt: x", "5:5", "did you mean 'prompt'?"),
        ("reply_delay: 300", "5:5", "no unit"),
        ("reply_delay: {uniform: [1s]}", "5:19", "at least 2"),
        ("reply_delay: {uniform: [1s, 2s], choice: [1s]}", "5:5", "exactly one of choice, uniform, lognormal and mix"),
        ("reply_delay: {lognormal: {median: 1s, sigm: 0.3}}", "5:43", "did you mean 'sigma'?"),
        ("faults: [crash]", "5:14", "did you mean 'crashes'?"),
        ("session: unautorized", "5:5", "did you mean 'unauthorized'?"),
        ("voice: jo", "5:5", "use one of joe, espeak"),
        ("ear: wisper", "5:5", "did you mean 'whisper'?"),
        ("endpointing: soon", "5:5", "is not a valid duration"),
        ("voice: espeak:f2@1.1,1", "5:5", "unknown voice"),
        ("reference_audio_url: none.wav", "5:5", "there is no reference audio"),
        ("reference_audio_url: ftp://a.example/b.wav", "5:5", "has the scheme 'ftp'"),
        ("reference_audio_url: https://a.example/b.wav\n    kind: truth", "2:3", "cannot use reference_audio_url"),
        ("holds: 0", "5:5", "1 or more"),
        ("past_hold: wrong", "2:3", "past_hold needs holds"),
        ("engine: webrtc", "5:5", "use one of sdk, light"),
    ],
)
def test_mistakes_are_named_with_their_place(tmp_path: Path, more: str, place: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        spec_of(tmp_path, more)
    assert str(caught.value.where) == f"{tmp_path}/agents.yaml:{place}"
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- a\n", "must be a mapping"),
        ("agents: [1\n", "invalid YAML"),
        ("agents: {a: {prompt: x}}\n", "'greeting' is missing"),
        ("agents: {a: {prompt: gone.md, greeting: x}}\n", "'gone.md' of agent 'a' cannot be read"),
    ],
)
def test_files_that_are_none(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load_agents(written(tmp_path, text))


def test_unknown_agent_offers_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'demo'"):
        agent_named(load_agents(None), "demmo")


def test_a_mix_takes_each_kind_as_often_as_the_others(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, "reply_delay: {mix: [300ms, {uniform: [1s, 2s]}]}")
    rng = random.Random(7)
    delays = [spec.sample_delay_s(rng) for _ in range(500)]
    assert 200 < sum(delay == 0.3 for delay in delays) < 300
    assert all(delay == 0.3 or 1 <= delay <= 2 for delay in delays)


def test_noise_has_a_level_that_leaves_room_for_a_voice(tmp_path: Path) -> None:
    assert spec_of(tmp_path, "noise_dbfs: -50").noise_dbfs == -50
    with pytest.raises(ConfigError):
        spec_of(tmp_path, "noise_dbfs: 0")


def test_shipped_agents_hold_any_number_of_calls() -> None:
    assert {spec.holds for spec in load_agents(None).values()} == {None}


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ("ear: whisper", "sdk"),
        ("{ear: none, brain: fixed}", "light"),
        ("{ear: none, brain: fixed, engine: sdk}", "sdk"),
        ("kind: truth", "light"),
    ],
)
def test_what_carries_an_agent_that_does_not_say(tmp_path: Path, more: str, line: str) -> None:
    keys = more.strip("{}").replace(", ", "\n    ")
    assert spec_of(tmp_path, keys).line == line


def test_an_agent_has_a_plain_shape_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    shape = spec_of(tmp_path, "kind: truth").shape
    assert (shape.kind, shape.first, shape.publish.dtx, shape.publish.red) == ("agent", None, True, False)
    assert [shape.needs_sdk, shape.session_waits, shape.dies, shape.caller_returns] == [False] * 4


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        ("{}", "light"),
        ("{kind: standard, first: true, tracks: {late: 1s}}", "light"),
        ("{crash: {after_reply: 1}, beside: {hold_music: stays}}", "light"),
        ("{tracks: {background: {}}}", "sdk"),
        ("{tracks: {republish: gap}}", "sdk"),
        ("{tracks: {muted: true}}", "sdk"),
        ("{avatar: {}}", "sdk"),
        ("{publish: {red: true}}", "sdk"),
        ("{publish: {dtx: false}}", "sdk"),
    ],
)
def test_a_shape_that_needs_livekits_client_gets_it(tmp_path: Path, shape: str, line: str) -> None:
    assert spec_of(tmp_path, f"kind: truth\n    shape: {shape}").line == line


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ("{kind: robot}", "standard"),
        ("{avatr: {}}", "avatr"),
        ("{crash: {how: vanish}}", "exactly one of after_reply and in_reply"),
        ("{crash: {after_reply: 1, in_reply: 1}}", "exactly one of after_reply and in_reply"),
        ("{hangs_up: {}, handover: {}}", "handover and hangs_up cannot be combined"),
        ("{avatar: {}, kind: sip}", "avatar needs kind: agent"),
        ("{handover: {gap: soon}}", "is not a valid duration"),
        ("{line: {cut: {lasts: always}}}", "is not a valid duration"),
        ("{token: {without: [canDance]}}", "canPublishData"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(tmp_path: Path, shape: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as refused:
        spec_of(tmp_path, f"shape: {shape}")
    assert refused.value.where is not None


def test_a_line_at_the_socket_is_refused_what_it_cannot_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="engine: light does not support"):
        spec_of(tmp_path, "engine: light\n    shape: {tracks: {muted: true}}")


def test_documents_are_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "hours.md").write_text("# Hours\n\nWe open at nine.\n")
    spec = spec_of(tmp_path, "documents: [papers/hours.md]")
    assert spec.documents == [str(tmp_path / "papers" / "hours.md")]
    stored = tmp_path / "hours.passages.json"
    store_passages(read_file(tmp_path / "papers" / "hours.md"), stored)
    assert spec_of(tmp_path, "documents: [hours.passages.json]").documents == [str(stored)]


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("hours.md", None, "there is no such file"),
        ("hours.pdf", b"We open at nine.", "its name says a PDF, but it contains plain text"),
        ("hours.xls", b"1;2", "a document of this kind (.xls) cannot be read"),
        ("hours.passages.json", b'{"version": 7}', "its format is version 7, and this voice-harness reads 1"),
    ],
)
def test_a_document_that_cannot_be_used_is_refused_with_its_place(
    tmp_path: Path, name: str, content: bytes | None, what: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(KnowledgeError) as refused:
        spec_of(tmp_path, f"documents:\n      - {name}")
    assert refused.value.what == f"the document {name!r} cannot be used: {what}"
    assert str(refused.value.where) == f"{tmp_path / 'agents.yaml'}:6:9"
    assert refused.value.hint


def test_documents_without_an_effect_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no effect"):
        spec_of(tmp_path, "documents: [x.md]\n    brain: fixed")
