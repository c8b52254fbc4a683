"""Locust started by itself, with somebody's locustfile: a companion does what `voice-harness load` does."""

from __future__ import annotations

from typing import Any


def begin_by_itself(environment: Any, user_class: Any) -> None:
    """Prepares the load that a user class describes."""
    raise NotImplementedError
