"""The body of a session request, checked by hand so that each message names its field as the API's own would."""

from __future__ import annotations

import json
from dataclasses import dataclass

OVERRIDES = ("language", "system_prompt", "greeting", "reference_audio_url")


class BodyError(ValueError):
    """A body that cannot be used; its text is for the client."""


@dataclass(frozen=True, slots=True)
class SessionBody:
    """What is asked for: an agent, and what of its defaults to replace for this session."""

    agent: str
    overrides: dict[str, str]


def parse_body(raw: bytes) -> SessionBody:
    """The request's body, read.

    An override that is left out is not in `overrides`; fields that the contract does not know are ignored.

    Raises:
        BodyError: It is not JSON, no object, lacks `agent`, or a field is no text or blank.
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
