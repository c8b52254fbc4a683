"""Whatever is written where it does not belong: the message is ours, has its place, and nobody meets pydantic's."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.errors import HarnessError, Place
from harness.parsing.yaml_places import plain, read_yaml
from harness.scenario.load import load_scenario
from harness.stack.agents_file import load_agents
from harness.target.config import load_config
from harness.utterances.manifest import load_manifest

SCENARIO = """\
name: whole
description: of everything one
tags: [smoke]
agent: demo
session: {language: en, system_prompt: Be kind., greeting: Hello., reference_audio_url: 'https://x.example/a.wav'}
greeting: {within: 5s, reply: {contains: hello}}
turns:
  - say: hello
    expect: {reply: {contains_any: [a, b], matches: c}, ttfa: <2s, wer: <=0.3}
  - say: {text: Good day, voice: joe, language: en}
    barge_in: 800ms
    expect: {stops_within: 1s}
  - type: Hello
    expect: {echo: <1s, calls_tool: [find, {name: book, arguments: {table: 4, day: today}}]}
  - wait: 9s
    expect: {agent_speaks: 8s}
thresholds: {turn.ttfa: [p(95)<2s], calls.failed: rate<0.01}
timeouts: {reply: 15s, call: 5m}
stop_on_failure: true
"""
AGENTS = """\
agents:
  slow:
    prompt: We are open.
    greeting: Hello.
    voice: joe
    language: en
    reply_delay: {mix: [300ms, {uniform: [1s, 2s]}, {lognormal: {median: 1s, sigma: 0.3}}]}
    endpointing: 500ms
    ear: none
    brain: fixed
    kind: real
    faults: [joins_late]
    joins_late_by: 3s
    noise_dbfs: -60
    session: rejected
"""
MANIFEST = """\
fixtures:
  hello:
    file: hello.wav
    text: Hello.
    language: en
    speaker: someone
    voiced_start_ms: 100.0
    voiced_end_ms: 900.0
    level_dbfs: -23.0
    licence: CC0-1.0
    sha256: "0000000000000000000000000000000000000000000000000000000000000000"
"""
TARGETS = """\
default_target = "a"
[targets.a]
kind = "session"
url = "https://voice.example/"
api_key_env = "KEY"
agent = "x"
timeouts = {reply = 20, call = "5m"}
"""
WRONG: tuple[Any, ...] = ("", "x", 5, -1.5, float("inf"), True, [], [5], {"a": 1})
FOREIGN = re.compile(
    r"Input|[Ss]hould|valid (?:string|number|integer|boolean|list|dict)|Value error|pydantic|type=|instance of|got an|"
    r"characters? long|Field required|Extra inputs|Dictionary|unable to"
)


def _ways(node: Any, keys: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield (*keys, key)
        yield from _ways(value, (*keys, key))


def _spoilt(whole: Any) -> Iterator[Any]:
    """The whole with each of its values wrong in each way, one at a time."""
    for *way, last in _ways(whole):
        for wrong in WRONG:
            spoilt = copy.deepcopy(whole)
            holder = spoilt
            for key in way:
                holder = holder[key]
            holder[last] = wrong
            yield spoilt


def _as_yaml(value: Any) -> str:
    """In YAML's flow style, which JSON is but for infinity."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_as_yaml(key)}: {_as_yaml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_as_yaml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return ".inf" if value == float("inf") else str(value)


def _as_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_as_toml(inner)}" for key, inner in value.items()) + "}"
    return "inf" if value == float("inf") else _as_yaml(value)


def _errors(path: Path, texts: Iterator[str], load: Callable[[Path], object]) -> list[HarnessError]:
    found = []
    for text in texts:
        path.write_text(text, encoding="utf-8")
        try:
            load(path)
        except HarnessError as problem:
            found.append(problem)
    return found


@pytest.mark.parametrize(
    ("name", "whole", "load"),
    [
        ("s.yaml", SCENARIO, load_scenario),
        ("agents.yaml", AGENTS, load_agents),
        ("manifest.yaml", MANIFEST, lambda path: load_manifest(path.parent)),
    ],
)
def test_no_wrong_value_in_yaml_is_told_in_foreign_words(
    tmp_path: Path, name: str, whole: str, load: Callable[[Path], object]
) -> None:
    path = tmp_path / name
    path.write_text(whole, encoding="utf-8")
    load(path)
    values = plain(read_yaml(path, error=HarnessError))
    _check(path, _errors(path, map(_as_yaml, _spoilt(values)), load))


def test_no_wrong_value_in_the_targets_is_told_in_foreign_words(tmp_path: Path) -> None:
    import tomllib

    path = tmp_path / "voice-harness.toml"
    path.write_text(TARGETS, encoding="utf-8")
    load_config(path)
    texts = (
        "\n".join(f"{key} = {_as_toml(value)}" for key, value in spoilt.items())
        for spoilt in _spoilt(tomllib.loads(TARGETS))
    )
    _check(path, _errors(path, texts, load_config))


def _check(path: Path, errors: list[HarnessError]) -> None:
    assert len(errors) > 40
    for error in errors:
        # What was written is shown between quotes.
        assert not FOREIGN.search(re.sub(r"'[^']*'", "", error.what)), error.what
        assert isinstance(error.where, Place)
        assert (error.where.path, error.where.line is not None) == (str(path), True), str(error)
