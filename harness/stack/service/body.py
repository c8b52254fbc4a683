"""The body of a session request, validated by hand so that each message names its field as the real API does."""

from __future__ import annotations

import json
from dataclasses import dataclass

from harness.stack.reference_voice.refused import RefusedError
from harness.stack.reference_voice.url_rules import NO_PRIVATE_HOSTS, PrivateHosts, check_url

OVERRIDES = ("language", "system_prompt", "greeting", "reference_audio_url")


class BodyError(ValueError):
    """An invalid body; the message is for the client."""


@dataclass(frozen=True, slots=True)
class SessionBody:
    """The requested agent, and the defaults to override for this session."""

    agent: str
    overrides: dict[str, str]


def parse_body(raw: bytes, private_hosts: PrivateHosts = NO_PRIVATE_HOSTS) -> SessionBody:
    """Parses a request's body.

    An override that is left out is not in `overrides`; fields that the contract does not define are ignored.

    Args:
        raw: The body.
        private_hosts: Private hosts that `reference_audio_url` may name.

    Raises:
        BodyError: It is not a JSON object, lacks `agent`, a field is blank or not a string, or the reference audio may
            not be fetched.
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
    if "reference_audio_url" in texts:
        _check_reference(texts["reference_audio_url"], private_hosts)
    agent = texts.pop("agent")
    return SessionBody(agent, texts)


def _check_reference(url: str, private_hosts: PrivateHosts) -> None:
    try:
        check_url(url, private_hosts)
    except RefusedError as problem:
        words = str(problem)
        raise BodyError(f"reference_audio_url: {words[0].upper()}{words[1:]}") from None


def _text(name: str, value: object) -> str:
    if value is None:
        raise BodyError(f"{name}: This field may not be null; leave it out to inherit the agent's default.")
    if not isinstance(value, str):
        raise BodyError(f"{name}: Not a valid string.")
    if not value.strip():
        raise BodyError(f"{name}: This field may not be blank.")
    return value
