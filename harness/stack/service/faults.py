"""Deliberate failures of session requests, one for each way in which they can fail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from harness.process.ports import LOOPBACK
from harness.stack.service import answers as api
from harness.stack.tokens import caller_token

if TYPE_CHECKING:
    from harness.stack.agents_file import SessionFault
    from harness.stack.service.state import Service

EXPIRED_TTL_S = -3600.0
DRIP_EVERY_S = 0.5
# An endless response is sent at about 6 MB a second: fast for a client, bearable for the machine.
ENDLESS_CHUNK = b" " * 65_536
ENDLESS_EVERY_S = 0.01
# Short, so that tests that wait for it are quick.
RETRY_AFTER_S = 1

Answer = Callable[[Request, "Service", str], Awaitable[Response | None]]


async def answer(fault: SessionFault, request: Request, service: Service, agent: str) -> Response | None:
    """Responds to a request for an agent with this fault; None if it should be answered normally this time."""
    return await FAULTS[fault](request, service, agent)


def _refuses(status: HTTPStatus, message: str) -> Answer:
    async def refuse(_request: Request, _service: Service, _agent: str) -> Response:
        return api.refusal(status, message)

    return refuse


async def _rate_limited(_request: Request, _service: Service, _agent: str) -> Response:
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    message = f"Request was throttled. Expected available in {RETRY_AFTER_S} second."
    return api.refusal(HTTPStatus.TOO_MANY_REQUESTS, message, headers)


async def _rate_limited_once(request: Request, service: Service, agent: str) -> Response | None:
    if agent in service.limited:
        return None
    service.limited.add(agent)
    return await _rate_limited(request, service, agent)


async def _html(_request: Request, _service: Service, _agent: str) -> Response:
    return HTMLResponse("<!doctype html><title>Welcome</title><h1>It works!</h1>")


def _answers(change: Callable[[dict[str, Any]], Any]) -> Answer:
    """Responds with a success whose `data` is replaced by the result of `change`."""

    async def respond(_request: Request, service: Service, _agent: str) -> Response:
        body = _success_body(service)
        return JSONResponse({**body, "data": change(body["data"])})

    return respond


async def _endless(_request: Request, _service: Service, _agent: str) -> Response:
    async def body() -> AsyncIterator[bytes]:
        yield b'{"success": true, "message": "Request successful",'
        while True:
            yield ENDLESS_CHUNK
            await asyncio.sleep(ENDLESS_EVERY_S)

    return StreamingResponse(body(), media_type="application/json")


async def _drip(_request: Request, service: Service, _agent: str) -> Response:
    async def body() -> AsyncIterator[bytes]:
        for byte in json.dumps(_success_body(service)).encode():
            yield bytes([byte])
            await asyncio.sleep(DRIP_EVERY_S)

    return StreamingResponse(body(), media_type="application/json")


async def _redirect(_request: Request, service: Service, _agent: str) -> Response:
    elsewhere = f"http://{LOOPBACK}:{service.closed_port.number}{api.SESSION_PATH}"
    return Response(status_code=HTTPStatus.FOUND, headers={"Location": elsewhere})


async def _hang(request: Request, _service: Service, _agent: str) -> Response:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response()


async def _dead_url(_request: Request, service: Service, _agent: str) -> Response:
    body = _success_body(service)
    dead = f"ws://{LOOPBACK}:{service.closed_port.number}"
    return JSONResponse({**body, "data": {**body["data"], "livekit_url": dead}})


async def _expired_token(_request: Request, service: Service, agent: str) -> Response:
    """The room exists with its agent in it; only the token has expired."""
    room = api.new_room()
    await service.dispatch(room, agent, {})
    token = caller_token(service.keys, room, api.new_identity(), ttl_s=EXPIRED_TTL_S)
    return api.session(token.reveal(), service.keys.url, room)


async def _wrong_room(_request: Request, service: Service, agent: str) -> Response:
    """The room exists with its agent in it; the token is for one that does not exist, so the server refuses it."""
    room = api.new_room()
    await service.dispatch(room, agent, {})
    token = caller_token(service.keys, api.new_room(), api.new_identity())
    return api.session(token.reveal(), service.keys.url, room)


def _success_body(service: Service) -> dict[str, Any]:
    """A success body for a room that is never created."""
    room = api.new_room()
    token = caller_token(service.keys, room, api.new_identity()).reveal()
    data = {"token": token, "livekit_url": service.keys.url, "room_name": room}
    return {"success": True, "message": "Request successful", "data": data}


FAULTS: Final[dict[SessionFault, Answer]] = {
    "unauthorized": _refuses(HTTPStatus.UNAUTHORIZED, "Invalid or missing API key."),
    "rate_limited": _rate_limited,
    "rate_limited_once": _rate_limited_once,
    "rejected": _refuses(HTTPStatus.BAD_REQUEST, "agent: This agent is not active."),
    "server_error": _refuses(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error."),
    "html": _html,
    "success_false": _refuses(HTTPStatus.OK, "The agent could not be started."),
    "no_token": _answers(lambda data: {name: value for name, value in data.items() if name != "token"}),
    "no_url": _answers(lambda data: {name: value for name, value in data.items() if name != "livekit_url"}),
    "wrong_type": _answers(lambda data: {**data, "token": 12345}),
    "endless": _endless,
    "drip": _drip,
    "redirect": _redirect,
    "hang": _hang,
    "dead_url": _dead_url,
    "expired_token": _expired_token,
    "wrong_room": _wrong_room,
}
