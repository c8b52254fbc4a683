"""Stored agents over HTTP, and what a session with one sends to the agents' process."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from harness.process.lines import line_of
from harness.stack.agents.process import LINE_LIMIT_BYTES
from harness.stack.agents_file import load_agents
from harness.stack.service import stored_agents, stored_servers
from harness.stack.service.allowed import Allowed
from harness.stack.service.store import Store
from harness.stack.service.stored_agents import new_agent, renew_file_agents
from tests.stack.service.running import AGENTS, SESSIONS, Running, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 27, 13, tzinfo=UTC)
NEW = {"name": "B", "system_prompt": "x", "greeting": "", "language": "en", "reference_audio_url": None}
SHAPES = Path(__file__).parents[2] / "live" / "shapes.yaml"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    store = Store.opened(tmp_path_factory.mktemp("data"))
    async with running(store) as client:
        yield client
    store.close()


@pytest_asyncio.fixture(loop_scope="module")
async def service(served: Running) -> Running:
    """The one service of this file, as if it had just been started with an empty database."""
    await served.store.run(lambda database: database.execute("DELETE FROM agents"))
    served.sent.clear()
    return served


async def test_an_agent_is_created_shown_changed_listed_and_deleted(service: Running) -> None:
    agent = await service.create(greeting="Hello.", language="en-GB")
    status, shown = await service.ask("GET", f"{AGENTS}{agent}/")
    assert (status, shown["success"]) == (200, True)
    data = shown["data"]
    assert data["id"] == agent
    assert agent.startswith("agent_")
    assert (data["system_prompt"], data["greeting"], data["language"]) == ("We open at nine.", "Hello.", "en-GB")
    assert data["reference_audio_url"] is None
    status, changed = await service.ask("PATCH", f"{AGENTS}{agent}/", {"greeting": "Good day."})
    assert (status, changed["data"]["greeting"], changed["data"]["system_prompt"]) == (
        200,
        "Good day.",
        "We open at nine.",
    )
    listed = (await service.ask("GET", AGENTS))[1]["data"]["agents"]
    assert [each["id"] for each in listed] == [agent]
    assert (await service.ask("DELETE", f"{AGENTS}{agent}/"))[0] == 200
    for method in ("GET", "DELETE", "PATCH"):
        assert (await service.ask(method, f"{AGENTS}{agent}/", {"greeting": "x"}))[0] == 404


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({}, {}),
        *(
            ({name: value}, {name: value})
            for name, value in (("language", "fr"), ("system_prompt", "P."), ("greeting", "G."))
        ),
        ({"reference_audio_url": "https://a.example/v.wav"},) * 2,
        ({"language": "fr", "system_prompt": "P.", "greeting": "G.", "reference_audio_url": "https://a.example/v.wav"},)
        * 2,
    ],
)
async def test_a_session_has_the_stored_agent_and_each_override(
    service: Running, overrides: dict[str, str], expected: dict[str, str]
) -> None:
    agent = await service.create(greeting="Hello.")
    status, _ = await service.ask("POST", SESSIONS, {"agent": agent, **overrides})
    assert status == 200
    ((sent, told, spec),) = service.sent
    assert (sent, told) == (agent, overrides)
    assert spec is not None
    assert (spec.prompt, spec.greeting, spec.language) == ("We open at nine.", "Hello.", "en")


async def test_a_change_counts_from_the_next_session_on(service: Running) -> None:
    agent = await service.create(greeting="Hello.")
    await service.ask("POST", SESSIONS, {"agent": agent})
    await service.ask("PATCH", f"{AGENTS}{agent}/", {"greeting": "", "reference_audio_url": "https://a.example/v.wav"})
    await service.ask("POST", SESSIONS, {"agent": agent})
    first, second = (spec for _, _, spec in service.sent)
    assert first is not None
    assert second is not None
    assert (first.greeting, second.greeting, second.reference_audio_url) == ("Hello.", "", "https://a.example/v.wav")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"name": "A"}, 400, "system_prompt: This field is required."),
        ({"name": 5, "system_prompt": "x"}, 400, "name: Not a valid string."),
        ({"name": "A", "system_prompt": None}, 400, "system_prompt: This field may not be null"),
        ({"name": "A", "system_prompt": "   "}, 400, "system_prompt: This field may not be blank."),
        ({"name": "A", "system_prompt": "a\x00b"}, 400, "system_prompt: Control characters"),
        ({"name": "A\nB", "system_prompt": "x"}, 400, "name: Control characters and line breaks"),
        ({"name": "A", "system_prompt": "x" * 100_001}, 400, "No more than 100000 characters"),
        ({"name": "A", "system_prompt": "x" * 10_000_000}, 413, "more than 1,048,576 bytes"),
        ({"name": "A", "system_prompt": "x", "foo": 1}, 400, "foo: There is no such field."),
        (
            {"name": "A", "system_prompt": "x", "reference_audio_url": "http://127.0.0.1/a"},
            400,
            "reference_audio_url: Must",
        ),
        (
            {"name": "A", "system_prompt": "x", "reference_audio_url": "file:///etc/passwd"},
            400,
            "reference_audio_url: Must",
        ),
        ([], 400, "must be a JSON object"),
    ],
)
async def test_a_wrong_agent_is_refused_and_nothing_is_stored(
    service: Running, body: Any, status: int, words: str
) -> None:
    told = await service.ask("POST", AGENTS, body)
    assert (told[0], told[1]["success"]) == (status, False)
    assert words in told[1]["message"]
    assert (await service.ask("GET", AGENTS))[1]["data"]["agents"] == []


async def test_the_missing_slash_is_a_301_on_every_path(service: Running) -> None:
    for path in ("/api/agents", "/api/agents/x", "/api/agents/x/documents", "/api/agents/x/mcp-servers/a"):
        async with service.http.get(service.host + path, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (301, f"{path}/")
    assert (await service.ask("GET", "/api/nothing"))[0] == 404


async def test_documents_are_attached_and_reach_the_agent(service: Running) -> None:
    agent = await service.create()
    path = f"{AGENTS}{agent}/documents/"

    async def attach(name: str, data: bytes) -> tuple[int, Any]:
        form = aiohttp.FormData()
        form.add_field("file", data, filename=name)
        headers = {"x-api-key": "sk_key-of-this-run-ABC123"}
        async with service.http.post(service.host + path, data=form, headers=headers) as answer:
            return answer.status, await answer.json()

    status, body = await attach("fares.md", b"# Fares\n\nA berth costs twelve pounds a night.\n")
    assert (status, body["data"]["name"], body["data"]["passages"]) == (201, "fares.md", 1)
    document = body["data"]["id"]
    status, body = await attach("fares.pdf", b"not a PDF at all")
    assert (status, body["message"].startswith("file: ")) == (400, True)
    assert (await service.ask("POST", path, {"file": "x"}))[0] == 415
    assert [each["id"] for each in (await service.ask("GET", path))[1]["data"]["documents"]] == [document]
    await service.ask("POST", SESSIONS, {"agent": agent})
    spec = service.sent[-1][2]
    assert spec is not None
    assert "twelve pounds" in Path(spec.documents[0]).read_text(encoding="utf-8")
    assert (await service.ask("DELETE", f"{path}{document}/"))[0] == 200
    assert not Path(spec.documents[0]).exists()
    assert (await service.ask("GET", f"{path}{document}/"))[0] == 404
    assert (await service.ask("GET", f"{AGENTS}nobody/documents/"))[0] == 404


async def test_mcp_servers_are_attached_over_http_but_no_program_and_no_token_of_others(service: Running) -> None:
    agent = await service.create()
    path = f"{AGENTS}{agent}/mcp-servers/"
    server = {"name": "tables", "url": "https://tables.example/mcp", "token_env": "MCP_TOKEN_TABLES"}
    assert (await service.ask("POST", path, server))[0] == 201
    assert (await service.ask("POST", path, server))[0] == 409
    for wrong, words in (
        ({"command": ["sh"]}, "command: There is no such field."),
        ({"token_env": "HOME"}, "token_env: "),
        ({"url": "ftp://a.example/"}, "url: "),
        ({"timeout": "1h"}, "timeout: "),
    ):
        status, body = await service.ask("POST", path, {"name": "b", "url": "https://b.example/mcp", **wrong})
        assert (status, body["message"].startswith(words)) == (400, True), body
    await service.ask("POST", SESSIONS, {"agent": agent})
    spec = service.sent[-1][2]
    assert spec is not None
    assert spec.mcp["tables"].url == "https://tables.example/mcp"
    assert (await service.ask("DELETE", f"{path}tables/"))[0] == 200
    assert (await service.ask("GET", f"{path}tables/"))[0] == 404


async def test_the_longest_agent_fits_into_an_order_to_the_agents_process(service: Running) -> None:
    def sent(**fields: str) -> dict[str, Any]:
        raw = json.dumps(fields, ensure_ascii=False).encode()
        return {"data": raw, "headers": {"Content-Type": "application/json"}}

    faces = "\N{GRINNING FACE}" * 100_000
    status, made = await service.ask("POST", AGENTS, **sent(name="A", system_prompt=faces, greeting=faces[:5_000]))
    assert status == 201
    agent = made["data"]["id"]
    assert (await service.ask("POST", SESSIONS, **sent(agent=agent, system_prompt=faces)))[0] == 200
    ((_, told, spec),) = service.sent
    assert spec is not None
    order = {"do": "join", "overrides": dict(told), "spec": spec.model_dump(mode="json", exclude_defaults=True)}
    assert len(line_of(order).encode()) < LINE_LIMIT_BYTES - 10_000


async def test_what_was_attached_to_an_agent_of_the_file_outlives_a_start(service: Running) -> None:
    specs = load_agents(None)
    await service.store.run(lambda database: renew_file_agents(database, specs, at=AT))
    path = f"{AGENTS}demo/mcp-servers/"
    assert (await service.ask("POST", path, {"name": "t", "url": "https://t.example/mcp"}))[0] == 201
    await service.store.run(lambda database: renew_file_agents(database, specs, at=LATER))
    assert (await service.ask("GET", f"{path}t/"))[0] == 200
    await service.store.run(lambda database: renew_file_agents(database, {}, at=LATER))
    assert (await service.ask("GET", f"{path}t/"))[0] == 404


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        (SESSIONS, "POST"),
        (AGENTS, "GET, POST"),
        (f"{AGENTS}a/", "DELETE, GET, PATCH"),
        (f"{AGENTS}a/documents/", "GET, POST"),
        (f"{AGENTS}a/mcp-servers/b/", "DELETE, GET"),
    ],
)
async def test_a_405_names_all_methods_of_its_path(service: Running, path: str, methods: str) -> None:
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - set(methods.split(", ")):
        async with service.http.request(method, service.host + path) as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, methods), method


async def test_no_file_is_a_reference_voice_over_http(service: Running) -> None:
    agent = await service.create()
    voice = {"reference_audio_url": "FILE:///etc/passwd"}
    for method, path, body in (
        ("POST", AGENTS, {"name": "A", "system_prompt": "x", **voice}),
        ("PATCH", f"{AGENTS}{agent}/", voice),
        ("POST", SESSIONS, {"agent": agent, **voice}),
    ):
        told = await service.ask(method, path, body)
        assert told == (
            400,
            {"success": False, "message": "reference_audio_url: Must be an https URL, not file:."},
        )
    assert service.sent == []


async def test_clients_get_no_path_of_this_machine(service: Running) -> None:
    fields = {**NEW, "reference_audio_url": "file:///home/ann/voices/a%20low%20one.wav"}
    agent = await service.store.run(lambda database: new_agent(database, fields, allowed=Allowed(files=True), at=AT))
    shown = (await service.ask("GET", f"{AGENTS}{agent}/"))[1]["data"]
    assert shown["reference_audio_url"] == "file:a low one.wav"
    await service.ask("POST", SESSIONS, {"agent": agent})
    spec = service.sent[-1][2]
    assert spec is not None
    assert spec.reference_audio_url == fields["reference_audio_url"]


async def test_the_limits_are_told_as_conflicts(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = await service.create()
    monkeypatch.setattr(stored_agents, "MOST_AGENTS", 1)
    told = await service.ask("POST", AGENTS, {"name": "A", "system_prompt": "x"})
    assert told == (409, {"success": False, "message": "There are 1 agents already."})
    monkeypatch.setattr(stored_servers, "MOST_SERVERS", 0)
    server = {"name": "t", "url": "https://t.example/mcp"}
    status, body = await service.ask("POST", f"{AGENTS}{agent}/mcp-servers/", server)
    assert (status, body["message"]) == (409, "An agent has at most 0 MCP servers.")


async def test_an_agent_of_the_file_is_not_deleted_over_http(service: Running) -> None:
    await service.store.run(lambda database: renew_file_agents(database, load_agents(None), at=AT))
    status, body = await service.ask("DELETE", f"{AGENTS}demo/")
    assert (status, "agents file" in body["message"]) == (409, True)
