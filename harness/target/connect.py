"""Creates the client for a target's sessions."""

from __future__ import annotations

import random

from harness.clock import Clock
from harness.errors import ConfigError
from harness.target.backend import BackendRoute
from harness.target.client import SessionClient
from harness.target.session_api import SessionApi
from harness.target.target import Target


def session_client(target: Target, *, rng: random.Random | None = None, clock: Clock | None = None) -> SessionClient:
    """The client for `target`.

    For kind `embedded`, first set `url` and `api_key` of the running stack (`dataclasses.replace`); the embedded
    service implements the session API.

    Raises:
        ConfigError: The URL cannot be posted to, or URL or key are missing.
    """
    if target.url is None:
        raise ConfigError("the target has no URL yet: its stack is not running", where=target.name)
    if target.kind == "backend":
        return BackendRoute(target.url, rng=rng, clock=clock)
    if target.api_key is None:
        raise ConfigError(
            "the target has no API key", where=target.name, hint="set api_key_env to the variable that holds it"
        )
    return SessionApi(target.url, target.api_key, key_variable=target.key_variable, rng=rng, clock=clock)
