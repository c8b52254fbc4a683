"""MCP servers that behave badly, over stdio (`python bad_servers.py MODE`) and over streamable HTTP (`serving`)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

TEN_MB = 10_000_000
TOOL: dict[str, Any] = {
    "name": "weather",
    "description": "The weather in a city.",
    "inputSchema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
LIES: dict[str, Any] = {
    "lies_bounds": {"type": "object", "properties": {"city": {"enum": {"a": 1}}}},
    "lies_required": {"type": "object", "properties": {}, "required": ["city"]},
    "lies_type": {"type": "object", "properties": {"city": {"type": "town"}}},
    "lies_reference": {"type": "object", "properties": {"city": {"$ref": "#/$defs/gone"}}},
    "lies_circle": {
        "type": "object",
        "properties": {"city": {"$ref": "#/$defs/a"}},
        "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}},
    },
}


def listed(mode: str) -> list[Any]:
    if mode in LIES:
        return [TOOL | {"name": "liar", "inputSchema": LIES[mode]}, TOOL]
    if mode == "lies_properties":
        return [TOOL | {"inputSchema": {"type": "object", "properties": ["city"]}}]
    if mode == "lies_output":
        schema = {"type": "object", "properties": {"degrees": {"type": "number"}}, "required": ["degrees"]}
        return [TOOL | {"outputSchema": schema}]
    if mode == "huge_list":
        return [TOOL | {"description": "x" * TEN_MB}]
    if mode == "nonsense_list":
        return ["weather", 7]
    return [TOOL]


def content(mode: str, authorization: str) -> dict[str, Any]:
    match mode:
        case "huge":
            return {"content": [{"type": "text", "text": "It rains. " * (TEN_MB // 10)}]}
        case "long":
            return {"content": [{"type": "text", "text": "It rains. " * 50_000}]}
        case "error":
            return {"content": [{"type": "text", "text": "There is no such city."}], "isError": True}
        case "picture":
            return {"content": [{"type": "image", "data": "AAAA", "mimeType": "image/png"}]}
        case "lies_output":
            return {"content": [{"type": "text", "text": "Warm."}], "structuredContent": {"degrees": "warm"}}
        case "nonsense_result":
            return {"content": "It rains."}
        case "stubborn":
            return {"content": [{"type": "text", "text": str(os.getpid())}]}
        case "echo":
            return {"content": [{"type": "text", "text": f"You sent {authorization}."}]}
    return {"content": [{"type": "text", "text": "It is sunny. It is warm."}]}


def answer(mode: str, message: dict[str, Any], authorization: str = "") -> dict[str, Any] | None:
    """The answer to a request; None if it gets none."""
    if "id" not in message:
        return None
    told: dict[str, Any] = {"jsonrpc": "2.0", "id": message["id"]}
    match message["method"]:
        case "initialize":
            version, who = message["params"]["protocolVersion"], {"name": mode, "version": "1"}
            told["result"] = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": who}
        case "tools/list":
            told["result"] = {"tools": listed(mode)}
        case "tools/call" if mode == "refuses":
            told["error"] = {"code": -32602, "message": "Not today."}
        case "tools/call":
            told["result"] = content(mode, authorization)
        case _:
            told["error"] = {"code": -32601, "message": "Method not found"}
    return told


def over_stdio(mode: str) -> None:
    if mode == "not_mcp":
        for _ in range(10_000):
            sys.stdout.write("Welcome to the weather service!\n")
        sys.stdout.flush()
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for line in sys.stdin:
        message = json.loads(line)
        if message["method"] == "tools/call" and mode == "dies":
            sys.stderr.write("out of memory\n")
            sys.exit(1)
        if (message["method"] == "tools/call" and mode == "hangs") or mode == "silent":
            continue
        told = answer(mode, message)
        if told is not None:
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()
        if message["method"] == "tools/list" and mode == "dies_later":
            sys.exit(0)
    while mode == "stubborn":
        signal.pause()


@dataclass
class Served:
    """A running server: its URL, and the requests that it got."""

    url: str
    authorizations: list[str | None] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def serving(mode: str, *, token: str | None = None, redirect_to: str = "") -> AsyncIterator[Served]:
    """A server over HTTP that behaves like `mode`; with a `token` it answers 401 to requests without it."""
    gone = asyncio.Event()

    async def post(request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Authorization")
        served.authorizations.append(given)
        if redirect_to:
            raise web.HTTPTemporaryRedirect(redirect_to)
        if token is not None and given != f"Bearer {token}":
            return web.Response(status=401)
        if mode == "page":
            return web.Response(text="<html>Welcome</html>", content_type="text/html")
        message = await request.json()
        if message["method"] == "tools/call":
            served.calls.append(message["params"])
            served.called.set()
        if mode == "silent" or (message["method"] == "tools/call" and mode == "hangs"):
            await gone.wait()
        if message["method"] == "tools/call" and mode == "dies":
            request.transport.abort() if request.transport is not None else None
            return web.Response()
        told = answer(mode, message, given or "")
        return web.Response(status=202) if told is None else web.json_response(told)

    async def get(request: web.Request) -> web.Response:
        del request
        return web.Response(status=405)

    app = web.Application()
    app.router.add_post("/mcp", post)
    app.router.add_get("/mcp", get)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    served = Served(f"http://127.0.0.1:{runner.addresses[0][1]}/mcp")
    try:
        yield served
    finally:
        gone.set()
        await runner.cleanup()


SCRIPT = Path(__file__)

if __name__ == "__main__":
    over_stdio(sys.argv[1])
