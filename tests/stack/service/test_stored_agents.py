"""Agents in the database: those of the file are renewed, and its limits hold whoever stores something."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.stack.agents_file import AgentSpec, load_agents
from harness.stack.knowledge import read_document
from harness.stack.reference_voice.url_rules import PrivateHosts
from harness.stack.service import stored_agents, stored_documents, stored_servers
from harness.stack.service.allowed import Allowed
from harness.stack.service.problems import ConflictError, UnfitError, UnknownAgentError
from harness.stack.service.store import Store
from harness.stack.service.stored_agents import (
    all_agents,
    change_agent,
    find_agent,
    new_agent,
    renew_file_agents,
    spec_of,
)
from harness.stack.service.stored_documents import keep_document
from harness.stack.service.stored_servers import keep_server
from harness.stack.tools.declared import McpServer

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 27, 13, tzinfo=UTC)
NEW = {"name": "B", "system_prompt": "x", "greeting": "", "language": "en", "reference_audio_url": None}
SHAPES = Path(__file__).parents[2] / "live" / "shapes.yaml"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.opened(tmp_path)
    yield opened
    opened.close()


def test_the_agents_of_the_file_overwrite_those_of_the_same_id_at_each_start(store: Store) -> None:
    specs = load_agents(None)
    store.run_now(lambda database: renew_file_agents(database, specs, at=AT))
    store.run_now(
        lambda database: change_agent(database, "demo", {"greeting": "Changed."}, allowed=Allowed(), at=LATER)
    )
    own = store.run_now(lambda database: new_agent(database, NEW, allowed=Allowed(), at=AT))
    changed = store.run_now(lambda database: spec_of(database, "demo", store.passages))
    assert changed is not None
    assert changed.greeting == "Changed."
    assert changed.prompt == specs["demo"].prompt
    assert store.run_now(lambda database: spec_of(database, "light", store.passages)) is None, "as the file has it"
    store.run_now(lambda database: renew_file_agents(database, {"demo": specs["demo"]}, at=LATER))
    assert [agent.id for agent in store.run_now(all_agents)] == [own, "demo"]
    assert store.run_now(lambda database: spec_of(database, "demo", store.passages)) is None
    assert store.run_now(lambda database: find_agent(database, "light")) is None


def test_an_agents_settings_come_through_the_order_unchanged() -> None:
    for name, spec in (load_agents(None) | load_agents(SHAPES)).items():
        sent = json.loads(json.dumps(spec.model_dump(mode="json", exclude_defaults=True)))
        assert AgentSpec.model_validate(sent) == spec, name


def test_no_more_than_the_limits_are_kept_whoever_asks(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    document = read_document("a.txt", b"A berth costs twelve pounds.")
    server = McpServer(url="https://t.example/mcp")
    monkeypatch.setattr(stored_agents, "MOST_AGENTS", 1)
    monkeypatch.setattr(stored_documents, "MOST_DOCUMENTS", 1)
    monkeypatch.setattr(stored_servers, "MOST_SERVERS", 1)

    def fill(database: sqlite3.Connection) -> str:
        agent = new_agent(database, NEW, allowed=Allowed(), at=AT)
        keep_document(database, store, agent, document, at=AT)
        keep_server(database, agent, "t", server)
        return agent

    agent = store.run_now(fill)
    with pytest.raises(ConflictError, match="there are 1 agents"):
        store.run_now(lambda database: new_agent(database, NEW, allowed=Allowed(), at=AT))
    with pytest.raises(ConflictError, match="at most 1 documents"):
        store.run_now(lambda database: keep_document(database, store, agent, document, at=AT))
    with pytest.raises(ConflictError, match="at most 1 MCP servers"):
        store.run_now(lambda database: keep_server(database, agent, "u", server))
    with pytest.raises(ConflictError, match="'t' already"):
        store.run_now(lambda database: keep_server(database, agent, "t", server))
    for keep in (keep_server, lambda *what: keep_document(what[0], store, what[1], document, at=AT)):
        with pytest.raises(UnknownAgentError, match="no agent 'nobody'"):
            store.run_now(lambda database, keep=keep: keep(database, "nobody", "t", server))
    assert len(list((store.passages("x").parent).iterdir())) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1/a.wav", "file:///tmp/a.wav", "https://10.0.0.1/a.wav"])
def test_a_reference_voice_that_is_not_allowed_is_not_stored(store: Store, url: str) -> None:
    agent = store.run_now(lambda database: new_agent(database, NEW, allowed=Allowed(), at=AT))
    with pytest.raises(UnfitError) as caught:
        store.run_now(
            lambda database: change_agent(database, agent, {"reference_audio_url": url}, allowed=Allowed(), at=LATER)
        )
    assert caught.value.where == "reference_audio_url"
    with pytest.raises(UnfitError):
        store.run_now(
            lambda database: new_agent(database, {**NEW, "reference_audio_url": url}, allowed=Allowed(), at=AT)
        )
    allowed = Allowed(PrivateHosts.parse(["127.0.0.1", "10.0.0.1"]), files=True)
    store.run_now(
        lambda database: change_agent(database, agent, {"reference_audio_url": url}, allowed=allowed, at=LATER)
    )
    found = store.run_now(lambda database: spec_of(database, agent, store.passages))
    assert isinstance(found, AgentSpec)
    assert found.reference_audio_url == url
