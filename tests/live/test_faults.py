"""Everything that can be wrong with a service or an agent, provoked for real and told apart by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import KEY, LiveStack, Ran, Running, start, until_fit

pytestmark = pytest.mark.live

SESSION_FAULTS = {
    "unauthorized": "session.unauthorized",
    "rate_limited": "session.rate_limited",
    "rate_limited_once": None,
    "rejected": "session.rejected",
    "server_error": "session.server_error",
    "html": "session.not_json",
    "success_false": "session.rejected",
    "no_token": "session.incomplete",
    "no_url": "session.incomplete",
    "wrong_type": "session.incomplete",
    "endless": "session.too_large",
    "drip": "session.timeout",
    "redirect": "session.redirected",
    "hang": "session.timeout",
    "dead_url": "room.unreachable",
    "expired_token": "room.refused",
    "wrong_room": "room.refused",
}
ON_THE_SDK = ("rate_limited_once", "dead_url", "expired_token", "wrong_room")
"""Those that come to a room, in which each engine has its own words. The light engine has tests of its own for them."""
AGENT_FAULTS = {
    "never_joins": "agent.never_joined",
    "joins_late": None,
    "mute": "agent.no_audio",
    "text_only": "agent.no_audio",
    "voice_only": None,
    "no_echo": None,
    "garbage_frames": None,
    "crashes": "agent.left",
    "joins_twice": None,
    "no_greeting": "agent.no_greeting",
}
LIGHT = ("never_joins", "joins_late", "voice_only", "joins_twice", "no_greeting")
"""Called on engine light, which costs less: the engines share all that tells these faults apart, and `test_shapes.py`
has who joins and what is heard on each."""
# `agent.talks_on` takes a minute: see conftest.
TALK = """
name: {name}
agent: {name}
greeting: {{within: 8s}}
timeouts: {{agent_join: 6s, greeting: 4s, reply: 8s, end_silence: 1s}}
turns:
  - say: thank-you
  - type: Are you there?
  - say: goodbye
"""
SHORT = """
name: {name}
agent: {name}
timeouts: {{session: 4s, connect: 6s, end_silence: 500ms}}
turns:
  - wait: 100ms
"""


def _write(folder: Path, template: str, names: list[str]) -> list[Path]:
    paths = []
    for name in names:
        paths.append(folder / f"{name}.yaml")
        paths[-1].write_text(template.format(name=name))
    return paths


@dataclass(frozen=True)
class Faulty:
    """The runs of all bad services, of those that come to a room, and of all bad agents, by engine."""

    services: Ran
    rooms: Ran
    agents: Ran
    light_agents: Ran

    @property
    def all(self) -> tuple[Ran, ...]:
        return self.services, self.rooms, self.agents, self.light_agents


@pytest.fixture(scope="module")
def runs(stack: LiveStack, talking: Running, tmp_path_factory: pytest.TempPathFactory) -> Faulty:
    """They are made side by side."""
    folder = tmp_path_factory.mktemp("faults")
    scripts = {path.stem: path for path in _write(folder, SHORT, list(SESSION_FAULTS))}
    rooms = [scripts.pop(name) for name in ON_THE_SDK]
    services = start(stack, folder / "services", list(scripts.values()), "--rate", "240", "--engine", "light")
    in_rooms = start(stack, folder / "rooms", rooms, "--rate", "240")
    talks = {path.stem: path for path in _write(folder, TALK, list(AGENT_FAULTS))}
    on_light = [talks.pop(name) for name in LIGHT]
    options = ("--rate", "10", "--record", "all")
    agents = start(stack, folder / "agents", list(talks.values()), *options)
    light_agents = start(stack, folder / "light-agents", on_light, *options, "--engine", "light")
    return Faulty(services.ran(), in_rooms.ran(), agents.ran(), light_agents.ran())


@pytest.fixture(scope="module")
def agents(runs: Faulty) -> Ran:
    return runs.agents


@pytest.fixture(scope="module")
def named(stack: LiveStack, runs: Faulty, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The calls of the bad agents; one in which we were too late ourselves to blame an agent is made again."""
    folder = tmp_path_factory.mktemp("again")
    calls: dict[str, dict[str, Any]] = {}

    def make(attempt: int) -> dict[str, dict[str, Any]]:
        if attempt:
            scripts = _write(folder, TALK, _late(calls))
            calls.update(start(stack, folder / f"run-{attempt}", scripts).ran().calls)
        else:
            calls.update(runs.agents.calls | runs.light_agents.calls)
        return calls

    return until_fit(make, lambda made: not _late(made), None)


def _late(calls: dict[str, dict[str, Any]]) -> list[str]:
    """The calls with a failure that may be our own."""
    return [name for name, call in calls.items() if not all(failure["fit"] for failure in call["failures"])]


@pytest.mark.parametrize("fault", SESSION_FAULTS)
def test_a_bad_service_is_named(runs: Faulty, fault: str) -> None:
    call = (runs.services.calls | runs.rooms.calls)[fault]
    assert call["failure"] == SESSION_FAULTS[fault], call["failures"]


@pytest.mark.parametrize("fault", AGENT_FAULTS)
def test_a_bad_agent_is_named(named: dict[str, dict[str, Any]], fault: str) -> None:
    call = named[fault]
    assert call["failure"] == AGENT_FAULTS[fault], call["failures"]


@pytest.mark.usefixtures("runs")
def test_an_agent_that_talks_for_ever_is_named(talking: Running) -> None:
    ran = talking.ran()
    assert ran.calls["talking"]["failure"] == "agent.talks_on", ran.out


def test_infrastructure_goes_before_the_agent(runs: Faulty) -> None:
    assert (runs.services.code, runs.rooms.code) == (3, 3)
    found = set()
    for ran in (runs.agents, runs.light_agents):
        assert ran.code in (1, 4)  # 4: this machine was too busy to be trusted, which goes before the agent
        held = {call["failure"] for call in ran.lines if any(failure["fit"] for failure in call["failures"])}
        assert {reason["what"] for reason in ran.summary["reasons"]} >= held
        found |= held
    assert found >= {"agent.never_joined", "agent.left"}


def test_what_is_no_failure_is_counted(named: dict[str, dict[str, Any]]) -> None:
    assert named["joins_twice"]["agents"] == 2
    assert named["garbage_frames"]["junk_frames"] >= 5
    assert named["joins_late"]["agent_join_ms"] > 900
    assert [turn["echo_ms"] for turn in named["no_echo"]["turns"]] == [None, None, None]
    assert [turn["reply"] for turn in named["voice_only"]["turns"]] == ["", "", ""]
    assert named["garbage_frames"]["turns"][1]["echo_ms"] is not None


def test_a_crash_in_a_turn_keeps_the_row_without_times(agents: Ran) -> None:
    call = agents.calls["crashes"]
    last = call["turns"][-1]
    assert [failure["kind"] for failure in call["failures"] if failure["ended"]] == ["agent.left"]
    rows = [line for line in (agents.folder / "turns.csv").read_text().splitlines() if "crashes," in line]
    assert len(rows) == len(call["turns"]) == last["turn"] < 3


def test_key_and_tokens_are_nowhere(runs: Faulty) -> None:
    for ran in runs.all:
        assert KEY not in ran.out
        assert "eyJ" not in ran.out
        for path in ran.folder.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                assert KEY.encode() not in content, path
                assert b"eyJhbGci" not in content, path
