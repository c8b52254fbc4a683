"""The former name of `harness.locust`, kept for locustfiles that import it."""

from __future__ import annotations

from harness.load.locust.user import VoiceCallUser

__all__ = ["VoiceCallUser"]
