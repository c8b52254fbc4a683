"""The password of the pages, as soon as other machines may reach them."""

from __future__ import annotations

import hashlib
import html
import math
import secrets
from collections import deque
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from aiohttp import web

from harness.clock import NS_PER_S, Clock, SystemClock, s_to_ns
from harness.secret import Secret
from harness.stack.web.access import is_from_our_page

LOGIN = "/login"
STYLE = "/login.css"
PAGES = ("/", "/stack")
_OPEN = (LOGIN, STYLE, "/favicon.ico")
SESSION_S = 12 * 3600
MOST_SESSIONS = 1000
# Wrong guesses that are answered in a minute: of one address, and of all of them.
GUESSES = 5
GUESSES_OF_ALL = 1000
GUESSES_IN_S = 60
BODY_LIMIT_BYTES = 4096
_HERE = Path(__file__).parent


class Door:
    """Lets in who knows the password, by a cookie with a random session; the password is in no answer.

    Args:
        password: The password.
        port: The server's port, since browsers keep the cookies of all ports of a host together.
        clock: Measures how long sessions last, and the time between guesses.
    """

    def __init__(self, password: Secret, port: int, clock: Clock | None = None) -> None:
        self._password = password
        self._cookie = f"voice_harness_{port}"
        self._clock = clock or SystemClock()
        self._sessions: dict[bytes, int] = {}
        self._wrong: deque[tuple[int, str]] = deque()

    def add_to(self, app: web.Application) -> None:
        """Adds the routes of the login page, which are open."""
        app.router.add_get(LOGIN, self._show)
        app.router.add_post(LOGIN, self._enter)
        app.router.add_get(STYLE, _style)

    def refusal(self, request: web.Request) -> web.Response | None:
        """The answer to a request that is not let in; None for one that is."""
        if request.path in _OPEN or self._knows(request.cookies.get(self._cookie, "")):
            return None
        if request.method == "GET" and request.path in PAGES:
            where = f"{LOGIN}?{urlencode({'next': request.path_qs})}"
            return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": where})
        return web.Response(status=HTTPStatus.UNAUTHORIZED, text=f"Open {LOGIN} and enter the password first.\n")

    async def _show(self, request: web.Request) -> web.Response:
        return _page(_next(request.query.get("next", "")))

    async def _enter(self, request: web.Request) -> web.Response:
        if not is_from_our_page(request):
            raise web.HTTPForbidden(text="The password is taken from this server's own page only.")
        form = parse_qs((await request.content.read(BODY_LIMIT_BYTES)).decode("utf-8", "replace"))
        after = _next(form.get("next", [""])[0])
        wait_s = self._wait_s(request.remote or "")
        if wait_s:
            said = f"Too many wrong passwords. Try again in {wait_s} s."
            return _page(after, said, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(wait_s)})
        if Secret(form.get("password", [""])[0].strip()) != self._password:  # compared in constant time
            self._wrong.append((self._clock.now_ns(), request.remote or ""))
            return _page(after, "That is not the password.", HTTPStatus.FORBIDDEN)
        session = secrets.token_urlsafe(32)
        self._sessions[_digest(session)] = self._clock.now_ns() + s_to_ns(SESSION_S)
        while len(self._sessions) > MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        answer = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": after})
        answer.set_cookie(self._cookie, session, max_age=SESSION_S, httponly=True, samesite="Strict", path="/")
        return answer

    def _knows(self, session: str) -> bool:
        # Found by its hash: how long that takes tells nothing about the sessions there are.
        return self._sessions.get(_digest(session), 0) > self._clock.now_ns()

    def _wait_s(self, address: str) -> int:
        """Seconds until this address may guess again; 0 if it may now."""
        now_ns = self._clock.now_ns()
        while self._wrong and self._wrong[0][0] <= now_ns - s_to_ns(GUESSES_IN_S):
            self._wrong.popleft()
        of_address = [at_ns for at_ns, guessed_by in self._wrong if guessed_by == address]
        full = of_address if len(of_address) >= GUESSES else []
        if len(self._wrong) >= GUESSES_OF_ALL:
            full = [at_ns for at_ns, _ in self._wrong]
        return math.ceil((full[0] - now_ns) / NS_PER_S) + GUESSES_IN_S if full else 0


def _digest(session: str) -> bytes:
    return hashlib.sha256(session.encode("utf-8", "replace")).digest()


def _next(wanted: str) -> str:
    """Where to go after the login: one of the pages, never another site."""
    path, _, query = wanted.partition("?")
    plain = query.isascii() and query.isprintable() and " " not in query
    return (f"{path}?{query}" if query and plain else path) if path in PAGES else "/"


def _page(
    after: str, said: str = "", status: int = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> web.Response:
    text = (_HERE / "login.html").read_text(encoding="utf-8")
    text = text.replace("{{said}}", html.escape(said)).replace("{{next}}", html.escape(after))
    more = {"Cache-Control": "no-store", **(headers or {})}
    return web.Response(status=status, text=text, content_type="text/html", headers=more)


async def _style(_request: web.Request) -> web.Response:
    return web.Response(text=(_HERE / "login.css").read_text(encoding="utf-8"), content_type="text/css")
