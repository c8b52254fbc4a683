"""Why a reference voice is not used."""

from __future__ import annotations


class RefusedError(ValueError):
    """A reference audio is not used; the message is for people and holds no query, user or password of its URL."""
