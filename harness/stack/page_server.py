"""Serves the pages of the stack: the call page with the backend route (`--backend`), and the stack's own (`--web`)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Middleware

from harness.build_pages import CALL_PAGE, HOW_TO_BUILD
from harness.process.ports import LOOPBACK
from harness.secret import Secret
from harness.stack.backend import ROUTE, add_session_route
from harness.stack.web.access import is_our_name, security_headers
from harness.stack.web.door import Door
from harness.stack.web.options import PageOptions
from harness.stack.web.stack_page import StackPage

SHUTDOWN_S = 0.2
STACK_PATH = "/stack"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PageServer:
    """A running server, from `start` to `close`.

    Attributes:
        url: The URL of its root, for people.
        route_url: The URL of the backend route.
        stack_url: The URL of the stack's own page.
    """

    def __init__(self, runner: web.AppRunner, url: str) -> None:
        self._runner = runner
        self.url = url
        self.route_url = f"{url.rstrip('/')}{ROUTE}"
        self.stack_url = f"{url.rstrip('/')}{STACK_PATH}"

    @classmethod
    async def start(
        cls,
        *,
        session_url: str,
        api_key: Secret,
        built: Path = CALL_PAGE.built,
        options: PageOptions = PageOptions(backend=True),  # noqa: B008 - it is frozen
        password: Secret | None = None,
        stack: StackPage | None = None,
    ) -> PageServer:
        """Serves at the address and port of `options`.

        Args:
            session_url: The complete URL of the session service.
            api_key: Its key.
            built: The folder of the built pages. Where one is missing, its URL says how to build it.
            options: Where to listen, and which pages there are.
            password: What the pages ask for; needed as soon as they listen anywhere but on loopback.
            stack: What the stack's own page shows.

        Raises:
            OSError: The port is taken, or the machine has no such address.
            ValueError: There is no password, and other machines would reach the pages.
        """
        if options.needs_password and not password:
            raise ValueError("pages that other machines can reach need a password")
        listening = _bound(options.address, options.port)
        try:
            port = int(listening.getsockname()[1])
            door = None if password is None else Door(password, port)
            guard = _Guard(door, on_loopback=not options.needs_password)
            app = web.Application(middlewares=[guard.middleware()])
            if door is not None:
                door.add_to(app)
            if options.backend:
                add_session_route(app, session_url=session_url, api_key=api_key.reveal)
            if stack is not None:
                stack.add_to(app)
            _Files(built, backend=options.backend, web=options.web).add_to(app)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
            await runner.setup()
        except BaseException:
            listening.close()
            raise
        try:
            await web.SockSite(runner, listening).start()
        except BaseException:
            await runner.cleanup()
            listening.close()
            raise
        return cls(runner, options.url(port))

    async def close(self) -> None:
        """Ends open requests and releases the port."""
        await self._runner.cleanup()


def _bound(address: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(128)
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    return listening


class _Files:
    """The built pages, looked up at each request: they may be built while the stack runs."""

    def __init__(self, built: Path, *, backend: bool, web: bool) -> None:
        self._built = built
        self._backend = backend
        self._web = web

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/", self._call_page if self._backend else _to_stack)
        if self._web:
            app.router.add_get(STACK_PATH, self._stack_page)
        app.router.add_get(r"/assets/{name:[\w-][\w.-]*}", self._asset)
        app.router.add_get("/favicon.ico", _no_icon)

    async def _call_page(self, _request: web.Request) -> web.StreamResponse:
        works = f"The backend route works without it: POST {ROUTE}"
        return await self._page("index.html", f"The call page is not built. {HOW_TO_BUILD}\n{works}\n")

    async def _stack_page(self, _request: web.Request) -> web.StreamResponse:
        return await self._page("stack.html", f"The stack's page is not built. {HOW_TO_BUILD}\n")

    async def _page(self, name: str, unbuilt: str) -> web.StreamResponse:
        page = self._built / name
        if not await asyncio.to_thread(page.is_file):
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=unbuilt)
        return web.FileResponse(page, headers={"Cache-Control": "no-cache"})

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        asset = self._built / "assets" / request.match_info["name"]
        if not asset.is_file():
            raise web.HTTPNotFound
        # Their names hold a hash of their content.
        return web.FileResponse(asset, headers={"Cache-Control": "max-age=31536000, immutable"})


async def _to_stack(_request: web.Request) -> web.StreamResponse:
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": STACK_PATH})


async def _no_icon(_request: web.Request) -> web.StreamResponse:
    return web.Response(status=HTTPStatus.NO_CONTENT)


@dataclass(frozen=True)
class _Guard:
    """Refuses requests by other host names and without the password, and adds the security headers."""

    door: Door | None
    on_loopback: bool

    def middleware(self) -> Middleware:
        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not is_our_name(request.host, on_loopback=self.on_loopback):
                at = f", on {LOOPBACK}" if self.on_loopback else ""
                text = f"Open the page at the address that `stack up` prints{at}."
                return web.Response(status=HTTPStatus.FORBIDDEN, text=text)
            headers = security_headers(request)
            refusal = None if self.door is None else self.door.refusal(request)
            try:
                response = refusal or await handler(request)
            except web.HTTPException as error:
                error.headers.update(headers)
                raise
            if not response.prepared:
                response.headers.update(headers)
            return response

        return check
