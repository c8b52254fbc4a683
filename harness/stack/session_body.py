"""The body of a session request, validated by hand so that each message names its field as the real API does."""

from __future__ import annotations

import json
from dataclasses import dataclass

OVERRIDES = ("language", "system_prompt", "greeting", "reference_audio_url")


class BodyError(ValueError):
    """An invalid body; the message is for the client."""


@dataclass(frozen=True, slots=True)
class SessionBody:
    """The requested agent, and the defaults to override for this session."""

    agent: str
    overrides: dict[str, str]


def parse_body(raw: bytes) -> SessionBody:
    """Parses a request's body.

    An override that is left out is not in `overrides`; fields that the contract does not define are ignored.

    Raises:
        BodyError: It is not a JSON object, lacks `agent`, or a field is blank or not a string.
    """
    try:
        body = json.loads(raw)
    except ValueError:
        raise BodyError("The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise BodyError("The body must be a JSON object.")
    if "agent" not in body:
        raise BodyError("agent: This field is required.")
    texts = {name: _text(name, body[name]) for name in ("agent", *OVERRIDES) if name in body}
    agent = texts.pop("agent")
    return SessionBody(agent, texts)


def _text(name: str, value: object) -> str:
    if value is None:
        raise BodyError(f"{name}: This field may not be null; leave it out to inherit the agent's default.")
    if not isinstance(value, str):
        raise BodyError(f"{name}: Not a valid string.")
    if not value.strip():
        raise BodyError(f"{name}: This field may not be blank.")
    return value
