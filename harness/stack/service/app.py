"""The session service: section 2 of the contract on loopback, for the reference agents.

The application is assembled from route modules (`SessionRoute` is the first); they share a `Service`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Protocol

from aiohttp import web

from harness.process.ports import LOOPBACK
from harness.stack.service import faults as session_faults
from harness.stack.service.answers import SESSION_PATH, new_identity, new_room, refusal, success
from harness.stack.service.body import BodyError, parse_body
from harness.stack.service.state import Service
from harness.stack.tokens import caller_token

KEY_HEADER = "x-api-key"
BODY_LIMIT_BYTES = 1 << 20
# Seconds that unfinished responses may continue when the service closes.
SHUTDOWN_S = 0.2

_log = logging.getLogger(__name__)


class RouteModule(Protocol):
    """Part of the service: adds its routes to the application."""

    def add_to(self, app: web.Application) -> None:
        """Called once, before the application starts."""
        ...


class SessionRoute:
    """`POST /api/agents/agent-session/`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def add_to(self, app: web.Application) -> None:
        """See `RouteModule`."""
        app.router.add_post(SESSION_PATH, self._create)
        app.router.add_post(SESSION_PATH.rstrip("/"), _add_slash)

    async def _create(self, request: web.Request) -> web.StreamResponse:
        service = self._service
        if not service.knows_key(request.headers.get(KEY_HEADER, "")):
            return refusal(HTTPStatus.UNAUTHORIZED, "Invalid or missing API key.")
        if request.content_type != "application/json":
            return refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f'Unsupported media type "{request.content_type}".')
        try:
            body = parse_body(await request.read(), service.private_hosts)
        except BodyError as error:
            return refusal(HTTPStatus.BAD_REQUEST, str(error))
        if body.agent not in service.faults:
            return refusal(HTTPStatus.NOT_FOUND, f"agent: There is no agent {body.agent!r}.")
        fault = service.faults[body.agent]
        if fault is not None:
            answer = await session_faults.answer(fault, request, service, body.agent)
            if answer is not None:
                return answer
        wanted = service.shape(body.agent).token
        room, identity = new_room(), new_identity()
        if wanted.shared:
            room, identity = service.shared.setdefault(body.agent, (room, identity))
        await service.dispatch(room, body.agent, body.overrides)
        token = caller_token(service.keys, room, identity, without=wanted.without)
        return success(token.reveal(), await service.url(body.agent, room), room)


def build_app(modules: Iterable[RouteModule]) -> web.Application:
    """The application with the routes of `modules`; all its error responses are JSON."""
    app = web.Application(client_max_size=BODY_LIMIT_BYTES, middlewares=[_errors_as_json])
    for module in modules:
        module.add_to(app)
    return app


class SessionServer:
    """A running service, from `start` to `close`."""

    def __init__(self, runner: web.AppRunner, service: Service, port: int) -> None:
        self._runner = runner
        self._service = service
        self.port = port
        self.url = f"http://{LOOPBACK}:{port}{SESSION_PATH}"

    @classmethod
    async def start(cls, service: Service, *, port: int = 0) -> SessionServer:
        """Serves on 127.0.0.1 at `port`, or at a free one if it is 0.

        Raises:
            OSError: The port is taken or not permitted.
        """
        app = build_app([SessionRoute(service)])
        # Handlers are cancelled with their connection: some faults last until the client disconnects
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, LOOPBACK, port).start()
        except BaseException:
            await runner.cleanup()
            service.closed_port.close()
            raise
        return cls(runner, service, int(runner.addresses[0][1]))

    async def close(self) -> None:
        """Aborts open responses and releases the port."""
        await self._runner.cleanup()
        self._service.closed_port.close()


async def _add_slash(request: web.Request) -> web.StreamResponse:
    """Emulates Django's APPEND_SLASH: clients that follow the redirect turn the POST into a GET."""
    return web.Response(status=HTTPStatus.MOVED_PERMANENTLY, headers={"Location": f"{request.path}/"})


@web.middleware
async def _errors_as_json(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        kept = {name: value for name, value in error.headers.items() if name in ("Allow", "Location")}
        return refusal(error.status, error.reason, kept)
    except Exception as error:  # noqa: BLE001 - whatever it is, the client gets a response and the log the reason
        _log.warning("%s %s failed: %r", request.method, request.path, error)
        return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error.")
