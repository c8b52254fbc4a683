"""Turns an HTTP response into a session or a failure, by the contract's wording. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from harness.errors import SessionFailure
from harness.failures import FailureKind
from harness.secret import Secret
from harness.target.endpoint import differs_in_slash_only
from harness.target.session import Session, room_in_token
from harness.target.shown import shown_text, shown_url
from harness.target.transport import MAX_BODY_BYTES, Answer

MESSAGE_LIMIT = 200
EXCERPT_LIMIT = 80
_LIVEKIT_SCHEMES = ("ws", "wss", "http", "https")


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the responses of one service.

    Args:
        url: The URL of the request.
        key: The key sent with it, masked wherever the service repeats it.
        key_variable: The variable that the key came from, if any.
        when_empty: The message for a failure without one.
        when_incomplete: The message for a response without token or URL; None to name what is missing.
    """

    url: str
    key: Secret | None
    key_variable: str | None = None
    when_empty: str = "without a message"
    when_incomplete: str | None = None

    def read(
        self, answer: Answer, *, agent: str = "", tries: int = 1, waited_out: bool = True
    ) -> Session | SessionFailure:
        """The session, or why there is none.

        Args:
            answer: The last response.
            agent: The agent that was requested.
            tries: How many requests were made.
            waited_out: False if the service asked to wait longer than the time left.
        """
        status = answer.status
        if 300 <= status < 400:
            return self._redirected(answer)
        if status in (401, 403):
            return self._refused("session.unauthorized", answer, self._check_key(agent))
        if status == 429:
            asks = shown_text(answer.retry_after, limit=40)
            detail = f" {tries} times" if tries > 1 else ""
            detail += (
                f" (its Retry-After ({asks}) is longer than the time left of timeouts.session)"
                if asks and not waited_out
                else ""
            )
            hint = "make fewer calls at once or per minute, or ask the service for a higher limit"
            return self._refused("session.rate_limited", answer, hint, detail)
        if status >= 500:
            return self._refused("session.server_error", answer, "check the service's log")
        if not 200 <= status < 300:
            hint = "check the agent's id and the overrides of the session"
            if status in (404, 405):
                hint = self._check_url(agent)
            return self._refused("session.rejected", answer, hint)
        return self._unfinished(answer) or self._accepted(answer)

    @property
    def _who(self) -> str:
        return shown_url(self.url, secrets=(self.key,))

    def _check_key(self, agent: str) -> str:
        if self.key is None:  # the user's own route
            return "the route adds the key itself: check its key, and whether it requires the caller to log in"
        of = f" in {self.key_variable}" if self.key_variable else ""
        return f"check that the key{of} is correct, belongs to this service, and may use {self._named(agent)}"

    def _check_url(self, agent: str) -> str:
        slash = "without" if urlsplit(self.url).path.endswith("/") else "with"
        return f"check the URL (try it {slash} the trailing slash), and that the service knows {self._named(agent)}"

    def _named(self, agent: str) -> str:
        return f"the agent {self._shown(agent, 80)!r}" if agent else "this agent"

    def _shown(self, text: str, limit: int) -> str:
        return shown_text(text, limit=limit, secrets=(self.key,))

    def _redirected(self, answer: Answer) -> SessionFailure:
        try:
            target = urlsplit(urljoin(self.url, answer.location))
        except ValueError:
            target = urlsplit("")
        where = (
            f"to {shown_url(target.geturl(), secrets=(self.key,))}" if answer.location else "without a Location header"
        )
        hint = "use the final URL of the service; redirects are not followed, because the key would go with them"
        if differs_in_slash_only(self.url, target.geturl()):
            hint = "check the trailing slash: write the URL exactly as the service expects it"
        elif target.scheme == "https" and target._replace(scheme="http") == urlsplit(self.url):
            hint = "write the URL with https://"
        what = f"{self._who} answered {answer.status}, a redirect {where}"
        return SessionFailure("session.redirected", what, hint=hint)

    def _refused(self, kind: FailureKind, answer: Answer, hint: str, detail: str = "") -> SessionFailure:
        message = self._shown(_message_in(answer.body), MESSAGE_LIMIT) or self.when_empty
        return SessionFailure(kind, f"{self._who} answered {answer.status}{detail}: {message}", hint=hint)

    def _unfinished(self, answer: Answer) -> SessionFailure | None:
        if answer.body_end == "too_large":
            what = f"{self._who} answered {answer.status} with more than {MAX_BODY_BYTES // 1024} kB"
            return SessionFailure("session.too_large", what, hint="check that the URL is that of the session service")
        if answer.body_end == "timeout":
            what = f"{self._who} answered {answer.status}, but the body was not complete in time"
            return SessionFailure("session.timeout", what, hint="check the service, or raise timeouts.session")
        if answer.body_end == "broken":
            what = f"{self._who} answered {answer.status} and closed the connection before the end of the body"
            return SessionFailure("session.unreachable", what, hint="check the service's log")
        return None

    def _accepted(self, answer: Answer) -> Session | SessionFailure:
        content = _json_object(answer.body)
        if content is None:
            kind = self._shown(answer.content_type, 60) or "no content type"
            excerpt = self._shown(_text(answer.body), EXCERPT_LIMIT)
            starts = f"starting with: {excerpt}" if excerpt else "empty"
            what = f"{self._who} answered {answer.status} with a body that is not a JSON object ({kind}), {starts}"
            return SessionFailure("session.not_json", what, hint="check that the URL is that of the session service")
        success = content.get("success", True)
        if success is False:
            hint = "check the agent's id and the overrides of the session"
            return self._refused("session.rejected", answer, hint, " with success: false")
        if success is not True:
            return self._incomplete("`success` is neither true nor false")
        return self._session(content.get("data"))

    def _session(self, data: Any) -> Session | SessionFailure:
        if not isinstance(data, Mapping):
            return self._incomplete("`data` is missing or not an object")
        for name in ("token", "livekit_url"):
            if name not in data or data[name] in (None, ""):
                return self._incomplete(f"`data.{name}` is missing")
            value = data[name]
            if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
                return self._incomplete(f"`data.{name}` is not {'a token' if name == 'token' else 'a URL'}")
        if not _is_livekit_url(data["livekit_url"]):
            return self._incomplete("`data.livekit_url` is not a ws, wss, http or https URL")
        room = data.get("room_name")
        return Session(
            token=Secret(data["token"]),
            livekit_url=data["livekit_url"],
            room=room if isinstance(room, str) and room else room_in_token(data["token"]),
        )

    def _incomplete(self, what: str) -> SessionFailure:
        said = (
            f"{self.when_incomplete} ({what})"
            if self.when_incomplete
            else f"the session response is incomplete: {what}"
        )
        return SessionFailure(
            "session.incomplete", f"{self._who}: {said}", hint="the body must be {data: {token, livekit_url}}"
        )


def _text(body: bytes) -> str:
    # A character takes at most four bytes: more is never shown.
    return body[:4096].decode("utf-8", errors="replace")


def _json_object(body: bytes) -> Mapping[str, Any] | None:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _message_in(body: bytes) -> str:
    """The message in a JSON body (`message`, or `detail` or `error` as frameworks call it), else the body itself."""
    content = _json_object(body)
    if content is None:
        return _text(body)
    for name in ("message", "detail", "error"):
        value = content.get(name)
        if value:
            return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return ""


def _is_livekit_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme.lower() in _LIVEKIT_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
