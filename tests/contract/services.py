"""A session service and a backend route that keep the contract, and each way in which they can be made wrong.

`wrong` names the one way. Keys, agents and sessions are made up; nobody can join the rooms.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import jwt
from aiohttp import web
from livekit.api import AccessToken, VideoGrants

KEY = "sk_contract_tests_only_0123456789"
REVOKED = "sk_contract_tests_gone_0123456789"
AGENT = "demo"
SECRET = "a-secret-of-more-than-thirty-two-characters"
OVERRIDES = ("language", "system_prompt", "greeting", "reference_audio_url")
SESSION_PATH, BACKEND_PATH = "/api/agents/agent-session/", "/api/voice-agent/session"


def token(room: str, identity: str, wrong: str, prompt: str = "") -> str:
    grants = VideoGrants(room_join=True, room=room)
    match wrong:
        case "token for another room":
            grants.room = "another-room"
        case "token of an admin":
            grants.room_admin = True
        case "token that lists":
            grants.room_list = True
        case "token without data":
            grants.can_publish_data = False
    made = AccessToken("APItest", SECRET).with_identity(identity).with_grants(grants)
    made = made.with_ttl(timedelta(hours=6) if wrong == "token for six hours" else timedelta(minutes=10))
    if wrong == "key in the token":
        made = made.with_metadata(f"key {KEY}")
    if wrong == "prompt in the token":
        made = made.with_metadata(prompt)
    if wrong == "token that has expired":
        made = made.with_ttl(timedelta(seconds=-1))
    if wrong in ("token of an hour ago", "token for the next hour"):
        claims = jwt.decode(made.to_jwt(), SECRET, algorithms=["HS256"])
        shift_s = 3600 if wrong == "token for the next hour" else -3600
        return jwt.encode(claims | {name: claims[name] + shift_s for name in ("nbf", "exp")}, SECRET)
    if wrong == "token for any room":  # the library makes no such token
        claims = jwt.decode(made.to_jwt(), SECRET, algorithms=["HS256"])
        return jwt.encode(claims | {"video": {"roomJoin": True}}, SECRET)
    return "an-opaque-token" if wrong == "opaque token" else made.to_jwt()


class Sessions:
    """What both services share: sessions, counted.

    Attributes:
        wrong: The way in which it is wrong.
        rooms: How the names of its rooms begin.
        created: The number of sessions that were created.
        requests: The number of requests to the session service.
        retry_after: What it answers in `Retry-After`.
    """

    rooms = "room"

    def __init__(self, wrong: str = "") -> None:
        self.wrong = wrong
        self.created = 0
        self.requests = 0
        self.retry_after = "0"

    def data(self, prompt: str = "") -> dict[str, Any]:
        """The credentials of a new session."""
        self.created += 1
        number = 1 if self.wrong == "one room for all" else self.created
        room = f"{self.rooms}-{number}"
        identity = "caller" if self.wrong == "one identity for all" else f"caller-{self.created}"
        url = "ws://livekit.example.com" if self.wrong == "unencrypted media" else "ws://127.0.0.1:7"
        return {"token": token(room, identity, self.wrong, prompt), "livekit_url": url, "room_name": room}


class SessionService(Sessions):
    """Section 2."""

    async def post(self, request: web.Request) -> web.Response:
        key, wrong = request.headers.get("x-api-key"), self.wrong
        self.requests += 1
        if wrong == "limits the rate" or (wrong == "limits the rate once" and self.requests == 2):
            return web.json_response({"message": "Slow down."}, status=429, headers={"Retry-After": self.retry_after})
        if wrong == "redirects":
            return web.Response(status=307, headers={"Location": "https://elsewhere.example/"})
        allowed = {
            "no key is needed": {None, KEY},
            "a revoked key works": {KEY, REVOKED},
            "every key works": {KEY, REVOKED, key or ""},
            "a key is compared in part": {KEY, f"{KEY[:-1]}{(key or '-')[-1]}"},
            "keys have no case": {KEY, (key or "") if (key or "").lower() == KEY.lower() else KEY},
        }.get(wrong, {KEY})
        if key not in allowed:
            said = {
                "key in a refusal": f"Invalid API key {key}.",
                "key without its prefix in a refusal": f"No key {(key or '').removeprefix('sk_')}.",
                "key escaped in a refusal": f"Invalid API key \\u0073{(key or '')[1:]}.",
            }.get(wrong, "Invalid or missing API key.")
            if wrong == "key after the status":
                return web.json_response({"success": False, "message": said}, status=401, reason=f"No {key}")
            return self._refusal(400 if wrong == "400 without a key" and key is None else 401, said)
        form = request.content_type != "application/json"
        if form and wrong != "takes a form":
            return self._refusal(415, "Unsupported media type.")
        try:
            body = dict(await request.post()) if form else json.loads(await request.read())
        except ValueError:
            return self._refusal(500 if wrong == "fails on what is not JSON" else 400, "The body is not valid JSON.")
        return self._answer(body)

    def _answer(self, body: Any) -> web.Response:
        wrong = self.wrong
        if not isinstance(body, dict):
            return self._refusal(400, "The body must be an object.")
        if "agent" not in body:
            return self._refusal(500 if wrong == "fails without an agent" else 400, "agent: This field is required.")
        if wrong == "a list is read as its text" and isinstance(body["agent"], list):
            body["agent"] = ",".join(body["agent"])
        for name in ("agent", *OVERRIDES):
            if name in body and not isinstance(body[name], str) and wrong != f"any type of {name}":
                return self._refusal(400, f"{name}: Not a valid string.")
        if body["agent"] != AGENT and wrong not in ("every agent is known", "any type of agent"):
            return self._refusal(404, "agent: There is no such agent.")
        given = [name for name in OVERRIDES if name in body]
        if wrong == f"refuses {'+'.join(given)}":
            return self._refusal(400, "No overrides.")
        return self._success()

    def _success(self) -> web.Response:
        wrong, data = self.wrong, self.data()
        if wrong == "no room_name":
            del data["room_name"]
        if wrong == "no token":
            del data["token"]
        message = f"Made with {KEY}" if wrong == "key in a success" else "Request successful"
        success: Any = "true" if wrong == "success is a text" else True
        headers = {"X-Debug": f"key={KEY}"} if wrong == "key in a header" else {}
        if wrong == "key in base64 in a header":
            headers = {"X-Upstream": f"Basic {b64encode(f'service:{KEY}'.encode()).decode()}"}
        return web.json_response({"success": success, "message": message, "data": data}, headers=headers)

    def _refusal(self, status: int, message: str) -> web.Response:
        headers = {"Access-Control-Allow-Origin": "*"} if self.wrong == "open to all sites" else {}
        body = json.dumps({"success": False, "message": message}).replace("\\\\u", "\\u")
        return web.Response(text=body, status=status, headers=headers, content_type="application/json")

    async def get(self, _: web.Request) -> web.Response:
        return self._success() if self.wrong == "a GET creates" else self._refusal(405, "Method not allowed.")

    async def slash(self, request: web.Request) -> web.Response:
        return web.Response(status=301, headers={"Location": f"{request.path}/"})


class BackendRoute(Sessions):
    """Section 3."""

    rooms = "room-of-site"

    async def post(self, request: web.Request) -> web.Response:
        wrong = self.wrong
        try:
            body = json.loads(await request.read())
        except ValueError:
            return self._failure("The request is not JSON.")
        agent = body.get("agent")
        if wrong == "no sessions" or not isinstance(agent, str) or agent != AGENT:
            return self._failure(f"The key {KEY} may not call it." if wrong == "key in a failure" else "No such agent.")
        if wrong == "refuses overrides" and len(body) > 1:
            return self._failure("Only an agent, please.")
        data = self.data(body.get("system_prompt", ""))
        content: dict[str, Any] = {"success": True, "data": data}
        match wrong:
            case "more data":
                data["agent"] = agent
            case "key in a success":
                content["used"] = KEY
            case "prompt in a success":
                content["request"] = body
            case "no token":
                del data["token"]
        headers = {"X-Upstream": f"x-api-key={KEY}"} if wrong == "key in a header" else {}
        headers |= {"Access-Control-Allow-Origin": "*"} if wrong == "open to all sites" else {}
        return web.json_response(content, headers=headers)

    def _failure(self, said: str) -> web.Response:
        match self.wrong:
            case "a failure is 200":
                return web.Response(status=200, text=said)
            case "a failure is JSON":
                return web.json_response({"error": said}, status=502)
            case "a failure is HTML":
                return web.Response(status=502, text=f"<html><p>{said}</p></html>", content_type="text/html")
            case "a failure is a trace":
                return web.Response(status=500, text=f"Traceback (most recent call last):\n  {said}")
            case "a failure is a frame":
                return web.Response(status=500, text=f"Error: {said}\n   at Site.Session.Create() in Session.cs:line 9")
            case "a failure is XML":
                return web.Response(status=502, text=f"<?xml version='1.0'?><error>{said}</error>")
            case "a failure is not UTF-8":
                return web.Response(status=502, body="Désolé.".encode("latin-1"))
            case "a failure is empty":
                return web.Response(status=502)
        return web.Response(status=502, text=said)

    async def get(self, _: web.Request) -> web.Response:
        return web.json_response({"data": self.data()}) if self.wrong == "a GET creates" else web.Response(status=405)

    async def options(self, _: web.Request) -> web.Response:
        allowed = {"Access-Control-Allow-Origin": "*"} if self.wrong == "open to all sites" else {}
        return web.Response(status=204, headers=allowed)


@asynccontextmanager
async def serving(*, session: SessionService | None = None, backend: BackendRoute | None = None) -> AsyncIterator[str]:
    """Serves them on loopback; yields the address, to which the paths are appended."""
    app = web.Application()
    if session is not None:
        app.router.add_post(SESSION_PATH, session.post)
        app.router.add_get(SESSION_PATH, session.get)
        app.router.add_post(SESSION_PATH.rstrip("/"), session.slash)
    if backend is not None:
        app.router.add_post(BACKEND_PATH, backend.post)
        app.router.add_get(BACKEND_PATH, backend.get)
        app.router.add_options(BACKEND_PATH, backend.options)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
