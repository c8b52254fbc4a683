"""What went wrong in calls is told with what to do about it, once for each kind, by `run` and `load` alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.testing import FakeSessionService, ScriptedAnswer, good_session, refusal
from tests.cli.conftest import KEY, Command, write_scenario
from tests.cli.served import served

HELLO = "name: a\nturns:\n  - type: Hello.\n"
CONFIG = """\
default_target = "staging"
[targets.staging]
kind = "session"
url = "{url}"
api_key_env = "STAGING_VOICE_KEY"
agent = "the-agent-id"
"""
RUN = ["run", "s.yaml", "--calls", "2"]
LIGHT = [*RUN, "--engine", "light"]
SHARDS = ["run", "s.yaml", "--calls", "9"]
LOAD = ["load", "s.yaml", "--calls", "2"]
NOBODY = good_session(livekit_url="ws://127.0.0.1:9")
ROOM_HINT = "check the livekit_url that the session service returns (ws://127.0.0.1:9)"
KEY_HINT = (
    "check that the key in STAGING_VOICE_KEY is correct, belongs to this service, and may use the agent 'the-agent-id'"
)
WITH_SLASH = "try it without the trailing slash"
WITHOUT_SLASH = "try it with the trailing slash"
AGENT_HINT = "the service knows the agent 'the-agent-id'"


def _said(command: Command, tmp_path: Path, answer: ScriptedAnswer, words: list[str], *, slash: bool = True) -> str:
    with served(FakeSessionService(answer=answer)) as service:
        write_scenario(tmp_path, HELLO)
        url = service.url if slash else service.url.rstrip("/")
        (tmp_path / "voice-harness.toml").write_text(CONFIG.format(url=url))
        said = command(*words, env={"STAGING_VOICE_KEY": KEY})
    out = said.out + said.err
    assert said.code == 3, out
    return out


@pytest.mark.parametrize(
    ("answer", "words", "kind", "hints"),
    [
        (refusal(403), SHARDS, "session.unauthorized", [KEY_HINT]),
        (refusal(401), RUN, "session.unauthorized", [KEY_HINT]),
        (refusal(404), LOAD, "session.rejected", [WITH_SLASH, AGENT_HINT]),
        (NOBODY, RUN, "room.unreachable", [ROOM_HINT]),
        (NOBODY, LIGHT, "room.unreachable", [ROOM_HINT]),
    ],
)
def test_each_kind_has_its_hint_once(
    command: Command, tmp_path: Path, answer: ScriptedAnswer, words: list[str], *, kind: str, hints: list[str]
) -> None:
    out = _said(command, tmp_path, answer, words)
    assert f"\n{kind} in {words[3]} calls: " in out
    assert out.count("  hint: ") == 1
    for hint in hints:
        assert out.count(hint) == 1, out
    assert KEY not in out


def test_a_url_without_its_slash_is_asked_for_it(command: Command, tmp_path: Path) -> None:
    out = _said(command, tmp_path, refusal(404), [*RUN, "-q"], slash=False)
    assert out.count(WITHOUT_SLASH) == 1
