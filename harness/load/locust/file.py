"""The locustfile of `voice-harness load`: its user and its shape. The order from the pipe determines what they do."""

from __future__ import annotations

from harness.load.locust.shape import BoardShape
from harness.load.locust.user import VoiceCallUser


class Caller(VoiceCallUser):
    """A slot of the load."""


class Shape(BoardShape):
    """The load's shape."""
