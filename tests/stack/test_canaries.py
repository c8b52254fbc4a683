"""A key and a token of an MCP server go through everything that the stack and its callers do; then they are looked for.

The key may be found as its SHA-256 in the database, the token only where it is sent: at the MCP server it is meant for.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import os
import re
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import psutil
import pytest

from harness.secret import Secret
from harness.stack.service.keys import hash_of, keep_key
from harness.stack.service.store import FILE, Store
from tests.stack.tools.bad_servers import SCRIPT, serving

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
KEY = "sk_CanaryOfTheWholeStack7Hq2Vb3LqZ8wYtJw5RkP9xLs"
TOKEN = "McpCanaryQx7TnV2mKd4Fp8ZrS1aBc6De9"
PATIENCE_S = 300
# In place of the `demo` that the stack loads at its start, with its recogniser.
AGENTS = """
agents:
  demo:
    prompt: We open at six.
    greeting: Hello.
    ear: none
    engine: light
    mcp:
      weather: {{url: '{url}', token_env: WEATHER_TOKEN, timeout: 20s}}
      other: {{command: ['{python}', '{script}', good], timeout: 20s}}
"""


@dataclass
class Seen:
    """Everything that was written, said or shown, by where."""

    places: dict[str, bytes] = field(default_factory=dict)

    def add(self, place: str, content: bytes | str) -> None:
        self.places[f"{place} {len(self.places)}"] = content.encode() if isinstance(content, str) else content

    def add_files(self, folder: Path) -> None:
        for path in folder.rglob("*"):
            if path.is_file():
                self.add(str(path.relative_to(folder)), path.read_bytes())

    def add_children(self, *starters: int) -> None:
        """The command lines and environments of all processes that these have started; of themselves the former."""
        for starter in map(psutil.Process, starters):
            self.add("command line", str(starter.cmdline()))
            for child in starter.children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    self.add(f"command line of {child.name()}", str(child.cmdline()))
                    self.add(f"environment of {child.name()}", Path(f"/proc/{child.pid}/environ").read_bytes())

    def holding(self, *texts: bytes) -> list[str]:
        """The places that hold one of the texts."""
        return [place for place, content in self.places.items() if any(text in content for text in texts)]

    def that_signs(self, token: str) -> list[str]:
        """The places that hold the secret by which an access token is signed."""
        return [
            place
            for place, content in self.places.items()
            for word in set(re.findall(rb"[\w+/.-]{20,}", content[:100_000]))
            if signs(word, token)
        ]


def signs(word: bytes, token: str) -> bool:
    signed, _, signature = token.rpartition(".")
    made = hmac.digest(word, signed.encode(), "sha256")
    return base64.urlsafe_b64encode(made).decode().rstrip("=") == signature


def forms(secret: str) -> Iterator[bytes]:
    """What would give a secret away: itself, without a prefix, in hex, and in base64 at each offset."""
    text = secret.removeprefix("sk_").encode()
    yield text
    yield text.hex().encode()
    for offset in range(3):
        yield base64.b64encode(b"-" * offset + text)[4:-4]


def agents_process(stack: int) -> psutil.Process:
    processes = psutil.Process(stack).children(recursive=True)
    return next(one for one in processes if "harness.stack.agents" in one.cmdline())


@asynccontextmanager
async def command(*words: str | Path, cwd: Path, **env: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A running command of the harness; its errors go to a file."""
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "VOICE_HARNESS_API_KEY")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "harness", *map(str, words)),
        cwd=cwd,
        env={**kept, "PYTHONPATH": str(ROOT), **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=(cwd / f"{words[0]}.stderr").open("wb"),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def requests(seen: Seen, url: str, data: Path, http: aiohttp.ClientSession) -> str:
    """Sessions and agents, and all that can be wrong with a request for one; returns an access token."""

    async def ask(method: str, address: str, status: int, *, key: str = KEY, **more: Any) -> Any:
        headers = {"x-api-key": key, **more.pop("headers", {})}
        async with http.request(method, address, headers=headers, **more) as answer:
            text = await answer.text()
            assert answer.status == status, text
            seen.add(f"answer to {method}", f"{answer.reason} {answer.headers} {text}")
            return json.loads(text)

    agents = url.removesuffix("agent-session/")
    made = await ask("POST", agents, 201, json={"name": "A", "system_prompt": "We open at nine."})
    agent = made["data"]["id"]
    await ask("GET", agents, 200)
    session = await ask("POST", url, 200, json={"agent": "light"})
    await ask("POST", url, 401, key=f"{KEY}x", json={"agent": "light"})
    await ask("POST", url, 400, json={"agent": "light", "comment": KEY})
    await ask("POST", f"{url}?api_key={KEY}", 400, json={"agent": "light"})
    await ask("POST", url, 403, json={"agent": "light"}, headers={"Origin": "https://a.example"})
    await ask("POST", url, 400, data=f"{{{KEY}", headers={"Content-Type": "application/json"})
    with contextlib.closing(sqlite3.connect(data / FILE, isolation_level=None)) as database:
        database.execute("UPDATE agents SET base = '{' WHERE id = ?", (agent,))
    await ask("POST", url, 500, json={"agent": agent})
    with contextlib.closing(sqlite3.connect(data / FILE, isolation_level=None)) as database:
        database.execute("ALTER TABLE documents RENAME TO away")
        await ask("POST", url, 503, json={"agent": agent})
        database.execute("ALTER TABLE away RENAME TO documents")
        database.execute("DELETE FROM agents WHERE id = ?", (agent,))
    return str(session["data"]["token"])


def test_the_search_finds_what_it_is_for() -> None:
    seen, secret = Seen(), "s" * 40
    seen.add("env", f"A={KEY}\0B={secret}\0")
    seen.add("header", base64.b64encode(f"user:{TOKEN}".encode()))
    assert seen.holding(*forms(KEY)) == ["env 0"]
    assert seen.holding(*forms(TOKEN)) == ["header 1"]
    assert seen.that_signs(jwt.encode({"sub": "caller"}, secret)) == ["env 0"]


async def test_a_key_is_found_only_as_a_hash_and_a_token_nowhere(tmp_path: Path) -> None:
    seen, data = Seen(), tmp_path / "data"
    with contextlib.closing(Store.opened(data)) as store:
        store.run_now(lambda database: keep_key(database, Secret(KEY), label="canary", at=datetime.now(UTC)))
    file, key = tmp_path / "agents.yaml", {"VOICE_HARNESS_API_KEY": KEY}
    up = ("stack", "up", "--data", data, "--agents", file, "--truth", tmp_path / "truth.jsonl", "--backend", "--json")
    async with asyncio.timeout(PATIENCE_S), serving("echo", token=TOKEN) as served, aiohttp.ClientSession() as http:
        file.write_text(AGENTS.format(url=served.url, python=sys.executable, script=SCRIPT))
        async with command(*up, cwd=tmp_path, WEATHER_TOKEN=TOKEN, MCP_TOKEN_B=TOKEN, **key) as stack:
            assert stack.stdout is not None
            line = await stack.stdout.readline()
            seen.add("the stack's output", line)
            address = json.loads(line)
            url, page = address["session_url"], address["page_url"]
            access = await requests(seen, url, data, http)
            async with http.get(page) as answer:
                seen.add("page", await answer.read())

            check = ("contract", "check", "--target", url, "--agent", "light", "--engine", "light")
            files = ("--backend", f"{page}api/voice-agent/session", "--json", "c.json", "--junit", "c.xml")
            async with command(*check, *files, cwd=tmp_path, **key) as checking:
                said, _ = await checking.communicate()
            seen.add("contract check", said)
            assert checking.returncode == 0, said.decode()
            left = [one for one in json.loads((tmp_path / "c.json").read_text())["rules"] if one["outcome"] != "met"]
            # There is no revoked key, and the example of a voice does not exist.
            wanting = {"session.key.revoked", "session.override.reference_audio_url", "session.override.all"}
            assert {one["id"] for one in left} <= wanting, said.decode()
            assert "eyJ" not in said.decode()

            asked = ("call", "--target", url, "--agent", "demo", "--type", "What is the weather in Oslo?")
            async with command(*asked, "--out", "run", "--engine", "light", cwd=tmp_path, **key) as call:
                ended, called = asyncio.create_task(call.wait()), asyncio.create_task(served.called.wait())
                await asyncio.wait({ended, called}, return_when=asyncio.FIRST_COMPLETED)
                assert served.called.is_set(), (tmp_path / "call.stderr").read_text()
                seen.add_children(stack.pid, call.pid)
                said, _ = await call.communicate()
            seen.add("call", said)
            assert call.returncode == 0, said.decode()
            assert "You sent Bearer" in (tmp_path / "run" / "calls.jsonl").read_text()

            seen.add_files(tmp_path)
            agents_process(stack.pid).kill()  # of a part that falls the last output is shown
            said, _ = await stack.communicate()
            seen.add("the stack's last words", said)
            assert stack.returncode == 3
    seen.add_files(tmp_path)
    assert set(served.authorizations) == {f"Bearer {TOKEN}"}
    assert seen.holding(*forms(KEY), *forms(TOKEN)) == []
    assert seen.that_signs(access) == []
    assert hash_of(KEY) == hashlib.sha256(KEY.encode()).digest()
    hashed = {place.split()[0] for place in seen.holding(hash_of(KEY), hash_of(KEY).hex().encode())}
    assert hashed
    assert all(place.startswith(f"data/{FILE}") for place in hashed)
    assert any(place.startswith("environment of ") for place in seen.places)
    assert {"truth.jsonl", "run/calls.jsonl", "stack.stderr", "call.stderr"} <= {
        place.split()[0] for place in seen.places
    }
